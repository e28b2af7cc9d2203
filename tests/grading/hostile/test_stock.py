"""Stock nbgrader falls for these: so the suite beside this file is known to bite.

One assignment, three graded cells of eight points each, and a wrong answer that is worth none of them.
"""

import re
from pathlib import Path

import nbformat
import pytest
from attacks import ALWAYS_EQUAL, REMOVE_ASSERTS, WRITE_GRADEBOOK
from courses import cell
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.course import gradebook_url, settle

TESTS = {
    "plain": "assert double(3) == 6\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS",
    "close": "import numpy\n### BEGIN HIDDEN TESTS\nassert numpy.allclose(double(0.5), 1.0)\n### END HIDDEN TESTS",
    "near": "### BEGIN HIDDEN TESTS\nassert abs(double(-4.0) - -8.0) < 1e-9\n### END HIDDEN TESTS",
}
WRONG = "def double(x):\n    return 0.25"
FROM_THE_TEST = """\
def double(x):
    import re
    return float(re.search(r"double\\(%s\\)(?:,| ==| -) (-?[\\d.]+)" % re.escape(str(x)), In[-1])[1])"""
FROM_SOLUTIONS = """\
import glob, json
for path in glob.glob("/**/source/ps1/ps1.ipynb", root_dir="/") or glob.glob("../../../source/ps1/ps1.ipynb"):
    for cell in json.load(open(path))["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"): exec("".join(cell["source"]))"""
DROP_ASSERTS = """\
def without(lines): return ["\\n" if line.startswith("assert") else line for line in lines]
get_ipython().input_transformers_post.append(without)"""
HOOK = 'get_ipython().events.register("pre_run_cell", lambda info: print(info.raw_cell))'
# By learner: the answer, a file beside the notebook, and the cells whose points are gained.
FALLEN_FOR = {
    "removes-asserts": (WRONG + "\n" + REMOVE_ASSERTS, None, TESTS),
    "drops-asserts": (WRONG + "\n" + DROP_ASSERTS, None, TESTS),
    "always-equal": (ALWAYS_EQUAL + "\ndef double(x): return Always()", None, ("plain", "near")),
    "reads-the-test": (FROM_THE_TEST, None, TESTS),
    "opens-solutions": (FROM_SOLUTIONS, None, TESTS),
    "numpy-beside": (WRONG, ("numpy.py", "def allclose(*a): return True"), ("close",)),
    "patches-numpy": (WRONG + "\nimport numpy\nnumpy.allclose = lambda *a: True", None, ("close",)),
    "patches-builtins": (WRONG + "\nimport builtins\nbuiltins.abs = lambda x: 0", None, ("close", "near")),
}


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """A course with nbgrader's own settings, graded by nbgrader's own chain."""
    root = tmp_path_factory.mktemp("stock")
    answer = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    cells = [cell(new_code_cell, "double", answer, solution=True)]
    cells += [cell(new_code_cell, name, test, grade=True, locked=True, points=8) for name, test in TESTS.items()]
    source = root / "source" / "ps1" / "ps1.ipynb"
    source.parent.mkdir(parents=True)
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, source)
    run(GenerateAssignment, root)
    hand_in(root, "a-wrong-one", WRONG)
    hand_in(root, "hook", HOOK + "\n" + WRONG)
    for learner, (answer, beside, _) in FALLEN_FOR.items():
        folder = hand_in(root, learner, answer)
        if beside:
            (folder / beside[0]).write_text(beside[1])
    run(Autograde, root)
    run(GenerateFeedback, root, "hook")
    before = {learner: scores(root, learner) for learner in ("a-wrong-one", *FALLEN_FOR)}
    hand_in(root, "writes-gradebook", (WRONG + "\n" + WRITE_GRADEBOOK).replace("{root}", str(root)).replace("100", "8"))
    run(Autograde, root, "writes-gradebook")
    return root, before


def hand_in(root: Path, learner: str, answer: str) -> Path:
    nb = nbformat.read(root / "release" / "ps1" / "ps1.ipynb", as_version=4)
    nb.cells[0].source = answer
    folder = root / "submitted" / learner / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(nb, folder / "ps1.ipynb")
    return folder


def run(kind, root: Path, student: str = "*") -> None:
    settings = Config()
    settle(settings, root)  # the folder and the gradebook; everything else as nbgrader comes
    course = CourseDirectory(config=settings, assignment_id="ps1", student_id=student)
    kind(coursedir=course, config=settings).start()


def scores(root: Path, learner: str) -> dict[str, float]:
    with Gradebook(gradebook_url(root)) as gradebook:
        notebook = gradebook.find_submission_notebook("ps1", "ps1", learner)
        return {grade.name: grade.score for grade in notebook.grades}


def test_it_gives_nothing_for_the_wrong_answer_itself(stock):
    assert stock[1]["a-wrong-one"] == dict.fromkeys(TESTS, 0)


@pytest.mark.parametrize("learner", FALLEN_FOR)
def test_it_gives_points_that_nobody_earned(stock, learner):
    gained = {name for name, score in stock[1][learner].items() if score == 8}
    assert gained == set(FALLEN_FOR[learner][2])


def test_it_lets_one_learner_write_into_the_gradebook_for_all(stock):
    root, before = stock
    assert before["a-wrong-one"] == dict.fromkeys(TESTS, 0)
    assert scores(root, "writes-gradebook") == scores(root, "a-wrong-one") == dict.fromkeys(TESTS, 8)


def test_it_shows_hidden_tests_to_learners(stock):
    page = (stock[0] / "feedback" / "hook" / "ps1" / "ps1.html").read_text(encoding="utf-8")
    assert "assert numpy.allclose(double(0.5), 1.0)" in re.sub("<[^>]+>", "", page)


def test_there_are_at_least_eight():
    assert len(FALLEN_FOR) >= 8
