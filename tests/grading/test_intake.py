"""Intake: the answers come out of a notebook whatever was done to it, and nothing else of it comes out."""

import copy
import json
import os
import random
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from saved_by import SAVED_BY

from grading.course import ROOT
from grading.intake import Limits, Refused, take
from grading.sample_class import filled_in, learners

CHAPTER = "97_small"
STUB = '''\
def double(x):
    """Twice x.

    x : number
    """
    raise NotImplementedError

double(21)'''
CLASS_STUB = '''\
class Adder(nn.Module):
    """Adds n to a tensor (B, C, H, W)."""

    def __init__(self, n):
        super().__init__()
        raise NotImplementedError

    def forward(self, x):
        raise NotImplementedError

Adder(3)(torch.zeros(1))'''
DOUBLE = "def double(x):\n    return x + x\n\ndouble(21)"
ADDER = """\
class Adder(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        return x + self.n"""
ESSAY = "It adds, and *nothing* else.\n\n- first\n- second"
WORK = {"double": DOUBLE, "adder": ADDER, "essay": ESSAY}


def marked(cell, name, **grading):
    cell.id = name
    cell.metadata = nbformat.from_dict({"tags": []})
    if grading:
        marks = {"schema_version": 3, "grade_id": name, "locked": False, "solution": False, "grade": False}
        cell.metadata["nbgrader"] = nbformat.from_dict({"task": False} | marks | grading)
    return cell


def released():
    """A chapter as learners get it."""
    nb = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nb.cells = [
        marked(new_markdown_cell("# 97 · Small"), "title"),
        marked(new_code_cell("import torch\nfrom torch import nn\nfrom utils.checks import check"), "setup"),
        marked(new_markdown_cell("📝 Exercise 1: double a number, with as few operations as you can."), "task-double"),
        marked(new_code_cell(STUB), "double", solution=True),
        marked(new_code_cell('check("double", double)'), "check-double", grade=True, locked=True, points=2),
        marked(new_code_cell("history = fit(network, epochs=20, learning_rate=0.1)\nplot(history)"), "train"),
        marked(new_code_cell(CLASS_STUB), "adder", solution=True),
        marked(new_code_cell('check("adder", Adder)'), "check-adder", grade=True, locked=True, points=3),
        marked(new_markdown_cell("📝 Exercise 3: what does an adder do, and why? Write two sentences."), "task-essay"),
        marked(new_markdown_cell("*Write your answer here.*"), "essay", solution=True, grade=True, points=4),
        marked(new_markdown_cell("## What you now know"), "end"),
    ]
    return nb


def worked(answers=WORK):
    return filled_in(released(), answers)


def place(nb, name):
    return next(i for i, cell in enumerate(nb.cells) if cell.get("id") == name)


def by_id(nb, name):
    return nb.cells[place(nb, name)]


def stripped(nb):
    """Without anything by which a cell could be known but its text."""
    for number, cell in enumerate(nb.cells):
        cell.metadata, cell.id = nbformat.from_dict({}), f"other-{number}"
    return nb


@pytest.fixture
def hand_in(tmp_path):
    """Hand in a notebook, or bytes, and take it in; the folder must be the same afterwards."""
    folder = tmp_path / "submitted" / "ana" / CHAPTER
    folder.mkdir(parents=True)

    def go(nb, name=f"{CHAPTER}.ipynb", **limits):
        content = nb if isinstance(nb, bytes) else SAVED_BY["as it is"](nb)
        (folder / name).write_bytes(content)
        before = snapshot(tmp_path)
        try:
            return take(folder, released(), CHAPTER, Limits(**limits))
        finally:
            assert snapshot(tmp_path) == before

    go.folder = folder
    return go


def snapshot(folder):
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.lstat().st_mtime_ns, content(path))
        for path in folder.rglob("*")
    }


def content(path):
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def same_but_for_answers(notebook):
    """Whether every released cell is as it was released, in its order, but for the text of the exercises."""
    kept = [cell for cell in notebook.cells if "course" not in cell.metadata]
    theirs = released().cells
    assert [cell.id for cell in kept] == [cell.id for cell in theirs]
    for cell, original in zip(kept, theirs, strict=True):
        assert cell.metadata == original.metadata
        assert cell.cell_type == original.cell_type
        if not original.metadata.get("nbgrader", {}).get("solution"):
            assert cell.source == original.source
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
        if "course" in cell.metadata:
            assert cell.metadata == {"course": {"own": True}}
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    nbformat.validate(notebook)
    return True


def told(taken, *words):
    """Whether one of the notes says all these words."""
    return any(all(word in note for word in words) for note in taken.notes)


# Honest work, however it was saved


def test_plain_work_comes_through_without_a_note(hand_in):
    taken = hand_in(worked())
    assert taken.answers == WORK
    assert taken.own == []
    assert taken.notes == ()
    assert same_but_for_answers(taken.notebook)


@pytest.mark.parametrize("program", SAVED_BY)
def test_every_program_gives_the_same(hand_in, program):
    nb = worked()
    nb.cells.insert(place(nb, "adder"), new_code_cell("def helper(x):\n    return x"))
    taken = hand_in(SAVED_BY[program](nb))
    assert taken.answers == WORK
    assert taken.own == ["def helper(x):\n    return x"]
    assert [cell.id for cell in taken.notebook.cells].index("own-1") == place(released(), "adder")
    assert same_but_for_answers(taken.notebook)


SAMPLES = [(learner, chapter) for learner in learners() for chapter in learner.chapters if not learner.cut_off]


@pytest.mark.parametrize(("learner", "chapter"), SAMPLES, ids=[f"{who.name}-{what[:2]}" for who, what in SAMPLES])
def test_the_sample_class_answers_the_same_in_every_program(tmp_path, learner, chapter):
    original = nbformat.read(ROOT / "notebooks" / chapter / f"{chapter}.ipynb", as_version=4)
    nb = filled_in(copy.deepcopy(original), learner.answers)
    wanted = {cell.id: cell.source for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("solution")}
    for program, save in SAVED_BY.items():
        folder = tmp_path / program / chapter
        folder.mkdir(parents=True)
        (folder / f"{chapter} (1).ipynb").write_bytes(save(nb))
        taken = take(folder, original, chapter)
        assert taken.answers == wanted, program
        assert taken.own == [], program
        assert [cell.id for cell in taken.notebook.cells] == [cell.id for cell in original.cells]


def test_a_notebook_handed_in_as_it_came_is_not_begun(hand_in):
    for nb in (released(), stripped(released())):
        taken = hand_in(nb)
        assert taken.notebook.cells == released().cells


@pytest.mark.parametrize("minor", range(6))
def test_minor_formats_and_missing_ids(hand_in, minor):
    nb = worked()
    nb.nbformat_minor = minor
    for cell in nb.cells[::2]:
        del cell["id"]
    assert hand_in(json.dumps(nb).encode()).answers == WORK


def test_ids_alone_are_enough(hand_in):
    nb = worked({"double": "double = lambda x: 2 * x"})
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({})
    taken = hand_in(nb)
    assert taken.answers["double"] == "double = lambda x: 2 * x"
    assert told(taken, "without nbgrader's marks", "by their ids")


def test_colab_keeps_ids_in_the_metadata(hand_in):
    nb = worked({"double": "double = lambda x: 2 * x"})
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({"id": cell.pop("id")})
    assert hand_in(json.dumps(nb).encode()).answers["double"] == "double = lambda x: 2 * x"


def test_metadata_and_ids_gone_is_told(hand_in):
    taken = hand_in(stripped(worked()))
    assert taken.answers == WORK
    assert told(taken, "without nbgrader's marks", "by what is in them")
    assert len(taken.notes) == 1


def test_only_some_marks_gone(hand_in):
    nb = worked()
    for name in ("double", "essay", "check-adder"):
        by_id(nb, name).metadata = nbformat.from_dict({})
        by_id(nb, name).id = f"new-{name}"
    assert hand_in(nb).answers == WORK


def test_windows_line_ends_and_bom(hand_in):
    nb = worked()
    for cell in nb.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    data = b"\xef\xbb\xbf" + SAVED_BY["as it is"](nb).replace(b"\n", b"\r\n")
    assert hand_in(data).answers == WORK


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings(hand_in, encoding):
    nb = worked(WORK | {"essay": "Größe: 3 × 3"})
    assert hand_in(json.dumps(nb, ensure_ascii=False).encode(encoding)).answers["essay"] == "Größe: 3 × 3"


def test_bytes_that_are_no_utf8(hand_in):
    data = json.dumps(worked(WORK | {"essay": "Größe"}), ensure_ascii=False).encode("latin-1", "replace")
    taken = hand_in(data)
    assert taken.answers["double"] == DOUBLE
    assert taken.answers["essay"].startswith("Gr�")
    assert told(taken, "not valid UTF-8 at byte")


def test_lone_surrogates_and_nulls_are_taken_out(hand_in):
    nb = worked(WORK | {"essay": "high \ud800, low \udc00, null \0."})
    taken = hand_in(json.dumps(nb).encode())
    assert taken.answers["essay"] == "high ?, low ?, null ."
    assert told(taken, "Cell 10", "characters that no text may hold")
    nbformat.writes(taken.notebook).encode("utf-8")


def test_huge_outputs_are_dropped(hand_in):
    nb = worked()
    by_id(nb, "train").outputs = [nbformat.v4.new_output("stream", text="loss 0.1\n" * 300_000)]
    data = {"application/json": [[1]] * 100_000}
    by_id(nb, "setup").outputs = [nbformat.v4.new_output("display_data", data)]
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert same_but_for_answers(taken.notebook)


def test_outputs_of_a_wrong_type_do_not_matter(hand_in):
    nb = json.loads(json.dumps(worked()))
    for cell, outputs in zip(nb["cells"], [None, 3, "x", {"a": 1}, [None, [[]]], 1e400, True] * 2, strict=False):
        cell["outputs"] = outputs
        cell["execution_count"] = "many"
    nb["metadata"] = ["no", "table"]
    assert hand_in(json.dumps(nb).encode()).answers == WORK


def test_cells_of_a_wrong_type_are_passed_over(hand_in):
    nb = json.loads(json.dumps(worked()))
    nb["cells"][2:2] = [None, 7, "text", [], {}, {"cell_type": ["code"], "source": {"a": 1}, "metadata": [], "id": 5}]
    nb["cells"].append({"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["double"]}}, "source": [1, None]})
    taken = hand_in(json.dumps(nb).encode())
    assert taken.answers == WORK
    assert taken.own == []


def test_pictures_in_a_written_answer_survive_but_nothing_that_could_run(hand_in):
    nb = worked()
    by_id(nb, "essay").attachments = nbformat.from_dict(
        {"a.png": {"image/png": "aGk="}, "b.svg": {"image/svg+xml": "<svg/>"}, "c.png": {"image/png": "<script>"}}
    )
    by_id(nb, "title").attachments = nbformat.from_dict({"a.png": {"image/png": "aGk="}})
    notebook = hand_in(nb).notebook
    assert by_id(notebook, "essay").attachments == {"a.png": {"image/png": "aGk="}}
    assert "attachments" not in by_id(notebook, "title")
    nbformat.validate(notebook)


# What learners do to cells


def test_edited_deleted_duplicated_reordered_checks_do_not_matter(hand_in):
    nb = worked()
    by_id(nb, "check-double").source = "print('2/2')\n2"
    twin = copy.deepcopy(by_id(nb, "check-double"))
    twin.id = "twin"
    nb.cells.append(twin)
    nb.cells.append(new_code_cell('check("adder", Adder, hint=3)'))
    nb.cells.append(new_code_cell('check("adder", Adder)'))
    del nb.cells[place(nb, "check-adder")]
    random.Random(1).shuffle(nb.cells)
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert taken.own == []
    assert same_but_for_answers(taken.notebook)


def test_the_order_of_the_release_is_kept(hand_in):
    nb = worked()
    nb.cells.reverse()
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert same_but_for_answers(taken.notebook)


def test_a_duplicated_exercise_cell(hand_in):
    nb = worked()
    twin = copy.deepcopy(by_id(nb, "double"))
    twin.id = "twin"
    nb.cells.insert(place(nb, "double"), twin)
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert taken.own == []


def test_of_two_versions_in_cells_with_the_same_marks_the_last_counts(hand_in):
    nb = worked()
    twin = copy.deepcopy(by_id(nb, "double"))
    twin.id, twin.source = "twin", "def double(x):\n    return 2 * x"
    nb.cells.insert(place(nb, "double") + 1, twin)
    taken = hand_in(nb)
    assert taken.answers["double"] == twin.source
    assert told(taken, "double", "defined 2 times", "cell 5")
    ids = [cell.id for cell in taken.notebook.cells]
    assert taken.own == [DOUBLE]  # what ran before it still does: it may define more than the one name
    assert ids.index("own-1") < ids.index("double")


def test_a_duplicate_of_the_stub_below_the_answer_does_not_undo_it(hand_in):
    nb = worked()
    nb.cells.append(copy.deepcopy(by_id(released(), "double")))
    nb.cells[-1].id = "twin"
    edited = STUB.replace("double(21)", "double(5)").replace("Twice", "Two times")
    nb.cells.append(new_code_cell(edited))
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert taken.own == []


@pytest.mark.parametrize("marks", [True, False])
def test_the_answer_in_a_new_cell_below_beats_the_stub(hand_in, marks):
    nb = worked({"adder": ADDER})
    nb.cells.insert(place(nb, "double") + 1, new_code_cell(DOUBLE))
    taken = hand_in(nb if marks else stripped(nb))
    assert taken.answers["double"] == DOUBLE
    assert taken.own == []
    assert told(taken, "double", "in a cell of its own", "cell 5")


def test_another_value_for_the_name_does_not_beat_a_definition(hand_in):
    nb = worked()
    nb.cells.append(new_code_cell("double = torch.compile(double)"))
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert taken.own == ["double = torch.compile(double)"]


def test_a_stub_with_a_helper_above_it_loses_against_an_answer(hand_in):
    nb = worked({"double": "def helper(x):\n    return x\n\n" + STUB.replace("(x)", "(x: int, *more)")})
    nb.cells.insert(1, new_code_cell(DOUBLE))
    taken = hand_in(nb)
    assert taken.answers["double"] == DOUBLE
    ids = [cell.id for cell in taken.notebook.cells]
    assert "def helper" in taken.own[0]
    assert ids.index("own-1") < ids.index("double")  # it leaves the name open, so the answer must come after it


def test_the_answer_in_a_new_cell_above_beats_an_edited_stub(hand_in):
    nb = worked({"double": STUB.replace("double(21)", "double(4)  # todo")})
    nb.cells.insert(1, new_code_cell(DOUBLE))
    assert hand_in(nb).answers["double"] == DOUBLE


def test_the_last_of_several_candidates_counts(hand_in):
    nb = worked({"double": "def double(x):\n    return x * x"})
    nb.cells.append(new_code_cell(DOUBLE))
    taken = hand_in(nb)
    assert taken.answers["double"] == DOUBLE
    assert told(taken, "double", "defined 2 times", "the last one counts")


def test_a_definition_inside_a_string_or_comment_is_none(hand_in):
    nb = worked()
    old = "'''\ndef double(x):\n    return 0\n'''\n# def double(x): return 1\nx = \"\\\ndef double(x): return 2\""
    nb.cells.append(new_code_cell(old))
    nb.cells.append(new_code_cell("%%writefile old.py\ndef double(x):\n    return 3"))
    assert hand_in(nb).answers == WORK


@pytest.mark.parametrize("marks", [True, False])
def test_a_split_exercise_keeps_its_helper_above(hand_in, marks):
    nb = worked()
    twin = copy.deepcopy(by_id(nb, "double"))
    twin.id, twin.source = "upper-half", "def add(a, b):\n    return a + b"
    by_id(nb, "double").source = "def double(x):\n    return add(x, x)"
    nb.cells.insert(place(nb, "double"), twin)
    taken = hand_in(nb if marks else stripped(nb))
    assert taken.answers["double"] == "def double(x):\n    return add(x, x)"
    assert taken.own == [twin.source]
    ids = [cell.id for cell in taken.notebook.cells]
    assert ids.index("task-double") < ids.index("own-1") < ids.index("double")


def test_a_split_exercise_keeps_its_lower_part(hand_in):
    nb = worked()
    twin = copy.deepcopy(by_id(nb, "double"))
    twin.id, twin.source = "lower-half", "tried = double(4)"
    nb.cells.insert(place(nb, "double") + 1, twin)
    taken = hand_in(nb)
    assert taken.answers == WORK
    ids = [cell.id for cell in taken.notebook.cells]
    assert taken.own == ["tried = double(4)"]
    assert ids.index("double") < ids.index("own-1") < ids.index("check-double")


@pytest.mark.parametrize("kind", [new_raw_cell, new_markdown_cell])
@pytest.mark.parametrize("marks", [True, False])
def test_an_exercise_cell_turned_into_text(hand_in, kind, marks):
    nb = worked()
    old = by_id(nb, "double")
    nb.cells[place(nb, "double")] = marked(kind(old.source), "double", **old.metadata.nbgrader)
    taken = hand_in(nb if marks else stripped(nb))
    assert taken.answers == WORK
    assert told(taken, "double", "read as code")
    assert same_but_for_answers(taken.notebook)


@pytest.mark.parametrize("kind", [new_raw_cell, new_code_cell])
def test_a_written_answer_turned_into_something_else(hand_in, kind):
    nb = worked()
    old = by_id(nb, "essay")
    nb.cells[place(nb, "essay")] = marked(kind(old.source), "essay", **old.metadata.nbgrader)
    taken = hand_in(nb)
    assert taken.answers == WORK
    assert same_but_for_answers(taken.notebook)


@pytest.mark.parametrize("marks", [True, False])
def test_a_written_answer_in_a_new_cell_below_the_stub(hand_in, marks):
    nb = worked({"double": DOUBLE})
    nb.cells.insert(place(nb, "essay") + 1, new_markdown_cell(ESSAY))
    assert hand_in(nb if marks else stripped(nb)).answers["essay"] == ESSAY


@pytest.mark.parametrize("marks", [True, False])
def test_a_written_answer_in_two_cells_is_put_together(hand_in, marks):
    nb = worked()
    nb.cells.insert(place(nb, "essay") + 1, new_markdown_cell("And a second thought."))
    taken = hand_in(nb if marks else stripped(nb))
    assert taken.answers["essay"] == f"{ESSAY}\n\nAnd a second thought."
    assert told(taken, "essay", "put together from cells 10, 11")


def test_a_deleted_exercise_counts_as_not_begun(hand_in):
    nb = worked()
    del nb.cells[place(nb, "double")]
    taken = hand_in(nb)
    assert taken.answers == WORK | {"double": STUB}
    assert told(taken, "double", "its cell is missing")


def test_an_emptied_exercise_counts_as_not_begun(hand_in):
    for text in ("", "   \n\n", "# my answer will be here"):
        assert hand_in(worked(WORK | {"double": text})).answers == WORK | {"double": STUB}


def test_everything_in_one_cell(hand_in):
    nb = worked({"essay": ESSAY})
    for name in ("double", "adder", "check-double", "check-adder"):
        del nb.cells[place(nb, name)]
    nb.cells.insert(3, new_code_cell(f"{DOUBLE}\n\n@torch.no_grad\ndef other():\n    pass\n\n{ADDER}\n\nAdder(1)"))
    taken = hand_in(nb)
    assert "double(21)" in taken.answers["double"]
    assert taken.answers["adder"] == ADDER
    assert taken.own == []


def test_everything_in_one_cell_above_stubs_that_remain(hand_in):
    nb = worked({"essay": ESSAY})
    nb.cells.insert(2, new_code_cell(f"{DOUBLE}\n\n{ADDER}"))
    taken = hand_in(nb)
    assert taken.answers == WORK | {"double": f"{DOUBLE}\n\n{ADDER}"}
    assert taken.own == []


def test_an_answer_typed_into_the_check_cell(hand_in):
    nb = worked({"adder": ADDER})
    by_id(nb, "check-double").source = f'{DOUBLE}\n\ncheck("double", double)'
    taken = hand_in(nb)
    assert taken.answers["double"] == "def double(x):\n    return x + x"
    assert taken.own == []
    assert same_but_for_answers(taken.notebook)


def test_an_answer_in_the_check_cell_beats_a_stub_with_another_try_out(hand_in):
    nb = worked({"double": STUB.replace("double(21)", "double(4)")})
    by_id(nb, "check-double").source = f'{DOUBLE}\n\ncheck("double", double)'
    assert hand_in(nb).answers["double"] == "def double(x):\n    return x + x"


def test_a_helper_in_a_cell_that_is_not_begun_survives(hand_in):
    text = f"def helper(x):\n    return x\n\n{STUB}"
    taken = hand_in(worked({"double": text}))
    assert taken.answers["double"] == text
    assert taken.notes == ()


def test_an_answer_by_assignment_in_a_new_cell(hand_in):
    nb = worked({"adder": ADDER})
    nb.cells.insert(place(nb, "double") + 1, new_code_cell("double = lambda x: 2 * x"))
    assert hand_in(nb).answers["double"] == "double = lambda x: 2 * x"


def test_a_function_of_another_name_is_taken_and_told(hand_in):
    nb = worked({"double": "def twice(x):\n    return 2 * x"})
    taken = hand_in(nb)
    assert taken.answers["double"] == "def twice(x):\n    return 2 * x"
    assert told(taken, "double", "does not define")


def test_a_wrong_answer_is_an_answer(hand_in):
    for text in ("def double(x)\n  retrun x", "double = double", "raise NotImplementedError", "€ ½", "def f(:"):
        assert hand_in(worked({"double": text})).answers["double"] == text


def test_helpers_stay_where_they_stood(hand_in):
    nb = worked()
    for name in ("title", "double", "adder"):
        nb.cells.insert(place(nb, name), new_code_cell(f"def before_{name}():\n    return 1"))
    taken = hand_in(nb)
    sources = [cell.source for cell in taken.notebook.cells]
    for name in ("title", "double", "adder"):
        original = taken.notebook.cells[place(taken.notebook, name)].source
        assert sources.index(f"def before_{name}():\n    return 1") == sources.index(original) - 1
    assert len(taken.own) == 3


def test_a_copy_of_a_released_cell_does_not_draw_helpers_to_its_place(hand_in):
    nb = worked()
    nb.cells += [new_code_cell(by_id(nb, "setup").source), new_code_cell("def late():\n    return double(1)")]
    taken = hand_in(nb)
    assert taken.notebook.cells[-1].source == "def late():\n    return double(1)"
    assert len(taken.own) == 1


def test_empty_cells_and_own_notes_are_left_out(hand_in):
    nb = worked()
    nb.cells += [new_code_cell("  \n# nothing\n"), new_markdown_cell("My notes."), new_raw_cell("raw")]
    taken = hand_in(nb)
    assert len(taken.notebook.cells) == len(released().cells)


@pytest.mark.parametrize("marks", [True, False])
def test_an_edited_training_cell_does_not_run(hand_in, marks):
    nb = worked()
    by_id(nb, "train").source = "history = fit(network, epochs=500, learning_rate=0.1)\nplot(history)"
    taken = hand_in(nb if marks else stripped(nb))
    assert taken.own == []
    assert same_but_for_answers(taken.notebook)


def test_an_unmarked_edited_cell_that_names_a_new_value_does_not_run(hand_in):
    nb = stripped(worked())
    train = nb.cells[place(released(), "train")]
    train.source = train.source.replace("history", "longer").replace("20", "500")
    assert hand_in(nb).own == []


def test_an_unmarked_cell_that_defines_something_is_nobodys_copy(hand_in):
    """However much it is like a released cell that is gone: a helper lost would cost points."""
    nb = stripped(worked())
    train = nb.cells[place(released(), "train")]
    train.source = "def rate():\n    return 0.1\n\nhistory = fit(network, epochs=20, learning_rate=0.1)\nplot(history)"
    assert hand_in(nb).own == [train.source]


def test_what_was_added_to_a_released_cell_is_saved_if_an_answer_uses_it(hand_in):
    nb = worked({"double": "def double(x):\n    return math.prod((TWO, helper(x)))"})
    setup = by_id(nb, "setup")
    setup.source += (
        "\nimport math\nTWO = 2\ndef helper(x):\n    return inner(x)\n\ndef inner(x):\n    return x\n"
        "def unused():\n    check = 3\n\ncheck = lambda *a: 'full marks'\ntorch.manual_seed(0)"
    )
    taken = hand_in(nb)
    text = taken.own[0]
    assert len(taken.own) == 1
    for wanted in ("import math", "TWO = 2", "def helper", "def inner"):
        assert wanted in text
    for unwanted in ("unused", "check", "manual_seed"):
        assert unwanted not in text
    assert same_but_for_answers(taken.notebook)
    assert told(taken, "Cell 2 is the course's", "math")


def test_a_helper_in_a_copied_check_cell_is_the_learners_own(hand_in):
    nb = worked()
    twin = copy.deepcopy(by_id(nb, "check-double"))
    twin.id, twin.source = "twin", "def add(a, b):\n    total = a + b\n    return total"
    nb.cells.insert(place(nb, "double"), twin)
    assert hand_in(nb).own == [twin.source]


def test_merge_markers_inside_an_answer_are_told(hand_in):
    taken = hand_in(worked(WORK | {"double": f"<<<<<<< HEAD\n{DOUBLE}\n=======\nx\n>>>>>>> theirs"}))
    assert told(taken, "double", "merge markers of Git")
    assert taken.answers["adder"] == ADDER


def test_the_release_is_not_changed(hand_in, tmp_path):
    original = released()
    (hand_in.folder / f"{CHAPTER}.ipynb").write_bytes(SAVED_BY["as it is"](worked()))
    take(hand_in.folder, original, CHAPTER)
    assert original == released()


def test_ids_named_like_ours_do_not_clash(hand_in):
    nb = worked()
    for number in (1, 2):
        nb.cells.append(new_code_cell(f"own{number} = 1"))
        nb.cells[-1].id = "own-1"
    taken = hand_in(nb)
    assert taken.own == ["own1 = 1", "own2 = 1"]
    assert same_but_for_answers(taken.notebook)


# Nothing a stranger writes may stop it


HOSTILE = {
    "parentheses": "(" * 100_000,
    "unary minus": "def double(x):\n    return " + "-" * 100_000 + "x",
    "open string": '"""' + "\\" * 100_000,
    "quotes": "'\"" * 50_000,
    "triple quotes": "'''" * 33_333,
    "null": "def double(x):\n    return '\0'",
    "long line": "x = " + "a." * 50_000 + "b",
    "decorators": "@a\n" * 30_000,
    "commas": "import " + "a," * 50_000,
    "colons": "x :" + ":" * 100_000,
    "backslashes": "x = 1 + \\\n" * 10_000,
    "hashes": "#" * 100_000,
    "control characters": "".join(map(chr, range(1, 32))) * 1_000,
    "right to left": "\u202edef double(x): return x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources_are_read_as_text(hand_in, name):
    text = HOSTILE[name].replace("\0", "").replace("\r", "\n").rstrip("\n")
    nb = worked(WORK | {"double": HOSTILE[name]})
    nb.cells += [new_code_cell(HOSTILE[name]), new_markdown_cell(HOSTILE[name])]
    answer = hand_in(nb).answers["double"]
    nothing = name in ("open string", "quotes", "triple quotes", "hashes")  # strings and comments only: not begun
    assert answer == (STUB if nothing else text)


def test_large_notebooks_are_matched_by_a_bounded_number_of_comparisons(hand_in, monkeypatch):
    """Many large cells without marks: each is compared by at most some thousands of tokens, not by its whole text."""
    from grading.intake import code

    chance = random.Random(0)
    words = [f"word{n}" for n in range(3_000)]
    nb = stripped(worked())
    nb.cells += [new_code_cell(" ".join(chance.choices(words, k=14_000))) for _ in range(80)]
    seen = []
    original = code.Code.pairs.func
    monkeypatch.setattr(code.Code.pairs, "func", lambda self: seen.append(len(original(self))) or original(self))
    assert hand_in(nb).answers == WORK
    assert seen
    assert max(seen) <= code.TOKENS + 1


# What is refused, and what the learner is told


def refused(go, *arguments, **keywords):
    with pytest.raises(Refused) as caught:
        go(*arguments, **keywords)
    return str(caught.value)


def test_not_json(hand_in):
    assert "begins with “import torch”" in refused(hand_in, b"import torch\n\nprint(1)")
    assert "is a PDF document" in refused(hand_in, b"%PDF-1.7 ...")
    assert "is a web page" in refused(hand_in, b"\n<!DOCTYPE html><html></html>")
    assert "is a ZIP archive" in refused(hand_in, b"PK\x03\x04....")
    assert "empty (0 bytes)" in refused(hand_in, b"")
    assert "empty" in refused(hand_in, b" \n\0")
    assert "no notebook" in refused(hand_in, bytes(range(128, 256)) * 10)


@pytest.mark.parametrize("part", [0.05, 0.3, 0.5, 0.77, 0.999])
def test_cut_off_on_the_way(hand_in, part):
    data = SAVED_BY["JupyterLab"](worked())
    assert "breaks off" in refused(hand_in, data[: int(len(data) * part)])


def test_merge_markers(hand_in):
    text = SAVED_BY["JupyterLab"](worked()).decode()
    half = len(text.splitlines()) // 2
    lines = text.splitlines()
    lines[half:half] = ["<<<<<<< HEAD", lines[half], "=======", lines[half], ">>>>>>> theirs"]
    sentence = refused(hand_in, "\n".join(lines).encode())
    assert f"line {half + 1} is “<<<<<<< HEAD”" in sentence
    assert "git checkout" in sentence


def test_damaged_in_the_middle(hand_in):
    data = SAVED_BY["JupyterLab"](worked())
    middle = data.index(b'"cell_type"', len(data) // 2)
    assert re.search(r"damaged: .* at line \d+, column \d+", refused(hand_in, data[:middle] + b"oops" + data[middle:]))


@pytest.mark.parametrize("text", ["{}", "[]", "3", '"x"', "null", '{"name": "p"}', '{"cells": 5}', '{"cells": [1]}'])
def test_json_that_is_no_notebook(hand_in, text):
    assert re.search("no notebook|empty", refused(hand_in, text.encode()))


def test_deep_json(hand_in):
    for data in (b"[" * 100_000, b'{"a":' * 100_000, b'{"cells":' + b"[" * 50_000 + b"]" * 50_000 + b"}"):
        assert "more deeply than any notebook" in refused(hand_in, data)


def test_numbers_of_many_digits_are_no_trouble(hand_in):
    data = SAVED_BY["as it is"](worked())
    assert hand_in(data.replace(b'"nbformat": 4', b'"nbformat": 4, "x": ' + b"9" * 10_000)).answers == WORK


def test_too_large(hand_in):
    nb = worked()
    by_id(nb, "train").outputs = [nbformat.v4.new_output("stream", text="x" * 20_000)]
    sentence = refused(hand_in, nb, notebook=10_000)
    assert "clear them" in sentence
    assert "are allowed" in sentence


def test_a_file_of_100_mb_is_refused_unread(hand_in, monkeypatch):
    path = hand_in.folder / f"{CHAPTER}.ipynb"
    with open(path, "wb") as file:
        file.truncate(100_000_000)  # it takes no room on the disk
    monkeypatch.setattr("grading.intake.taking.cells", lambda *_: pytest.fail("it was read"))
    with pytest.raises(Refused, match="100 MB large; 50 MB are allowed"):
        take(hand_in.folder, released(), CHAPTER)


def test_limits_on_cells_text_and_structures(hand_in):
    nb = worked()
    assert "11 cells; 10 are allowed" in refused(hand_in, nb, cells=10)
    assert re.search(r"[\d,]+ characters in \d+ lines; 500 and 200,000 are allowed", refused(hand_in, nb, text=500))
    assert "10,000,000 and 5 are allowed" in refused(hand_in, nb, lines=5)
    assert "more than 20 lists" in refused(hand_in, nb, structures=20)


def test_the_notebook_of_another_chapter(hand_in):
    nb = new_notebook(cells=[new_markdown_cell("# Other"), new_code_cell("import torch\nprint('other')")])
    assert f"not the notebook of {CHAPTER}" in refused(hand_in, nb)


def test_a_new_notebook_with_only_the_answers_in_it(hand_in):
    cells = [new_code_cell(DOUBLE), new_code_cell(ADDER), *(new_markdown_cell(f"My thought {n}.") for n in range(30))]
    assert hand_in(new_notebook(cells=cells)).answers == WORK | {"essay": "*Write your answer here.*"}


def test_one_name_in_common_does_not_make_it_the_chapters(hand_in):
    """Chapters share names: a function given in one may be an exercise of another."""
    nb = worked()
    marks = [
        marked(new_code_cell(f"def f{n}(x):\n    raise NotImplementedError"), f"f{n}", solution=True) for n in range(9)
    ]
    other = new_notebook(cells=[new_code_cell(DOUBLE), *(new_code_cell(f"other({n})") for n in range(30))])
    (hand_in.folder / f"{CHAPTER}.ipynb").write_bytes(SAVED_BY["as it is"](other))
    nb.cells += marks
    with pytest.raises(Refused, match="not the notebook of"):
        take(hand_in.folder, nb, CHAPTER)


def test_an_empty_notebook(hand_in):
    assert "nothing in its cells" in refused(hand_in, new_notebook(cells=[new_code_cell(""), new_code_cell(" ")]))
    assert "nothing in its cells" in refused(hand_in, new_notebook())


def test_chapters_are_told_apart():
    """Nobody's chapter 01 passes as chapter 02, with or without marks."""
    from grading.intake.match import Match
    from grading.intake.read import cells

    ones, twos = (
        nbformat.read(ROOT / "notebooks" / name / f"{name}.ipynb", as_version=4)
        for name in ("01_convolution", "02_convolution_layers")
    )
    for nb, other in ((ones, twos), (twos, ones)):
        for save in SAVED_BY.values():
            assert not Match(cells(save(nb), Limits())[0], other.cells).known


VALUES = [
    None,
    True,
    1.0,
    -1,
    10**30,
    "",
    "code",
    "heading",
    "double",
    [],
    {},
    [[]],
    {"": None},
    ["a", 1],
    "\ud800",
    "\0\r",
]


@pytest.mark.parametrize("program", SAVED_BY)
def test_whatever_is_in_the_json_nothing_but_refused_is_raised(hand_in, program):
    chance = random.Random(program)
    for _ in range(20):
        nb = json.loads(SAVED_BY[program](worked()))
        for _ in range(chance.choice((1, 1, 3, 30))):
            garble(nb, chance)
        try:
            taken = hand_in(json.dumps(nb).encode())
        except Refused as reason:
            assert str(reason)
        else:
            assert same_but_for_answers(taken.notebook)


def garble(node, chance):
    """Put a value of any type somewhere into nested lists and tables."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = chance.choice(keys)
        if not isinstance(node[key], (dict, list)) or chance.random() < 0.15:
            node[key] = copy.deepcopy(chance.choice(VALUES))
            return
        node = node[key]


def test_nothing_of_the_learners_is_run_or_imported(hand_in, tmp_path):
    witness = tmp_path / "ran"
    attack = f"open({str(witness)!r}, 'w')"
    nb = worked({"double": f"{attack}\ndef double(x=exec({attack!r})):\n    return x"})
    nb.cells.append(new_code_cell(f"%run evil.py\n!touch {witness}\n{attack}"))
    (hand_in.folder / "evil.py").write_text(attack)
    (hand_in.folder / "conftest.py").write_text(attack)
    before = os.getcwd()
    os.chdir(hand_in.folder)
    try:
        hand_in(nb)
    finally:
        os.chdir(before)
    assert not witness.exists()
