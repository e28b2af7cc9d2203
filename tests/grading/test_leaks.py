"""No solution, hidden test or output is where learners can read; and the search for them bites."""

import ast
import json
import re
import shutil

import pytest
from leaks import copies, leaks, secrets, within_reach

from grading.course import ROOT

SOLUTIONS = ROOT / "solutions"
READABLE = [ROOT / "notebooks", ROOT / "utils"]


def test_there_are_secrets_to_look_for():
    found = secrets(SOLUTIONS)
    assert len(found) > 50
    assert any("check-" in where for where in found.values())
    assert "fromgrading.hiddenimportcheck" in found


def test_no_line_of_a_solution_or_hidden_test_can_be_read():
    assert leaks(SOLUTIONS, READABLE) == []


def test_no_solution_can_be_read_under_other_names():
    assert copies(SOLUTIONS, READABLE) == []


def test_released_notebooks_hold_no_output_and_no_marker():
    for path in (ROOT / "notebooks").glob("*/*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", text), path
        for cell in json.loads(text)["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, (path, cell["id"])


def test_nothing_that_learners_get_leads_to_grading():
    assert (
        within_reach(READABLE, r"^\s*(from|import)\s+grading\b|import_module\(.grading|grading[./]sample_class") == []
    )


# ── The search bites ─────────────────────────────────────────────────────────────────────────────────────────────────

PLANTED = {
    "code, formatted otherwise": ("utils/leak.py", "def f(n, kernel_size, stride):\n    return ({line}\n    )\n"),
    "a comment": ("utils/leak.py", "# {line}\n"),
    "a docstring": ("utils/leak.py", '"""For example {line}"""\n'),
    "a text file": ("utils/notes.md", "One writes `{line}` there.\n"),
    "a data file": ("utils/answers.json", '{{"answer": "{line}"}}\n'),
}


def a_secret_line():
    return next(line for line, where in secrets(SOLUTIONS).items() if "conv_output_size" in where and "//" in line)


@pytest.mark.parametrize("where", PLANTED)
def test_a_planted_line_is_found(tmp_path, where):
    name, text = PLANTED[where]
    line = a_secret_line().removeprefix("return")
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text.format(line=line.replace("+", " + ")), encoding="utf-8")
    assert leaks_of(line, tmp_path)


def leaks_of(line, folder):
    """The search for one line, as `leaks` does it for each."""
    from leaks import readable

    return [where for where, text in readable([folder]).items() if line in text]


def notebook_with(tmp_path, **changes):
    source = next((ROOT / "notebooks").glob("02_*/*.ipynb"))
    nb = json.loads(source.read_text(encoding="utf-8"))
    code = next(cell for cell in nb["cells"] if cell["cell_type"] == "code" and cell["id"] != "setup")
    code.update(changes)
    path = tmp_path / "notebooks" / source.parent.name / source.name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(nb), encoding="utf-8")
    return tmp_path / "notebooks"


def test_a_line_in_a_notebook_is_found(tmp_path):
    line = a_secret_line()
    assert leaks(SOLUTIONS, [notebook_with(tmp_path, source=[line.replace("return", "return  ")])])


def test_a_line_in_an_output_is_found(tmp_path):
    output = {"output_type": "stream", "name": "stdout", "text": [a_secret_line()]}
    assert leaks(SOLUTIONS, [notebook_with(tmp_path, outputs=[output])])


def test_a_hidden_test_is_found(tmp_path):
    assert leaks(SOLUTIONS, [notebook_with(tmp_path, source=["from grading.hidden import check"])])


def test_the_sources_themselves_leak_everything(tmp_path):
    copy = shutil.copytree(SOLUTIONS, tmp_path / "notebooks")
    found = leaks(SOLUTIONS, [copy])
    assert {leak.split(": ", 1)[1] for leak in found} == set(secrets(SOLUTIONS))
    assert copies(SOLUTIONS, [copy])


class Renamed(ast.NodeTransformer):
    """Every variable by another name."""

    def visit_Name(self, node):
        return ast.copy_location(ast.Name(f"my_{node.id}", node.ctx), node)

    def visit_arg(self, node):
        return ast.copy_location(ast.arg(f"my_{node.arg}"), node)


@pytest.mark.parametrize("exercise", ["conv_output_size", "receptive_field", "Conv2D", "Pool2d"])
def test_a_solution_under_other_names_is_found(tmp_path, exercise):
    """With every variable renamed, no line is the solution's, but the shape of its expressions is."""
    source = next(SOLUTIONS.glob("02_*/*.ipynb")).read_text(encoding="utf-8")
    cell = next(cell for cell in json.loads(source)["cells"] if cell["id"] == exercise)
    renamed = Renamed().visit(ast.parse("".join(cell["source"])))
    (tmp_path / "helpers.py").write_text(ast.unparse(renamed), encoding="utf-8")
    assert copies(SOLUTIONS, [tmp_path])
