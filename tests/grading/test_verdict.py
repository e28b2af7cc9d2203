"""The verdict on one submission, its record, and what the gradebook and the learner get to see of it."""

import dataclasses
import json
import os
import shutil

import nbformat
import pytest
from classroom import CLASS, MOSTLY, PARTLY, RIGHT, hand_in, tame
from courses import CHAPTER, chapter, course, released
from saved_by import SAVED_BY

from grading import records, verdict
from grading.jail import Heard, JailUnavailable, Limits, Warm, listening
from grading.judged import outputs, preface, shown
from grading.records import FAILED, GRADED, LOOK, REFUSED, TIMED_OUT, Item, Record
from grading.release import release
from grading.staging import stage, submitted
from utils.checks.question import Outcome, Trouble

SEED = "a seed for tests of the verdict"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = course(tmp_path_factory.mktemp("small"))
    release(root, gradebook=False)
    return root


@pytest.fixture
def root(tmp_path, small, monkeypatch):
    monkeypatch.setenv("CNN_COURSE_SEED", SEED)
    shutil.copytree(small, tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def tamed(monkeypatch):
    monkeypatch.setattr(verdict, "confine", tame)


@pytest.fixture(scope="module")
def warm():
    with Warm() as warm:
        yield warm


def examined(root, learner, solution=None, **options):
    hand_in(root, learner, solution, **options)
    return verdict.examine(root, learner, CHAPTER)


def hears(monkeypatch, change):
    """Have the jail tell what `change` makes of what it would have told."""
    monkeypatch.setattr(verdict, "confine", lambda *arguments: change(tame(*arguments)))


# ── in the real jail ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("program", SAVED_BY)
def test_honest_work_scores_the_same_whatever_saved_it(root, warm, program):
    nb = released(root)
    next(cell for cell in nb.cells if cell.id == "size").source = MOSTLY
    hand_in(root, "ada", raw=SAVED_BY[program](nb))
    record = verdict.examine(root, "ada", CHAPTER, warm=warm)
    item = record.items["check-size"]
    assert (record.status, record.points, item.mistake) == (GRADED, 4, "rounded up")
    assert item.aspects["stride"] is False and sum(item.aspects.values()) == len(item.aspects) - 1


def test_the_plain_jail_and_the_stand_in_give_the_same_record(root, warm, tamed, monkeypatch):
    """So that the other tests may use the stand-in."""
    for learner, (solution, points) in CLASS.items():
        mine = examined(root, learner, solution)
        monkeypatch.undo()
        monkeypatch.setenv("CNN_COURSE_SEED", SEED)
        theirs = verdict.examine(root, learner, CHAPTER, warm=warm)
        monkeypatch.setattr(verdict, "confine", tame)
        assert mine.points == theirs.points == points
        assert mine.items == theirs.items and (mine.status, mine.why) == (theirs.status, theirs.why)


def test_a_cell_that_never_ends_costs_only_itself(root, warm, monkeypatch):
    monkeypatch.setattr(listening, "Limits", lambda: Limits(cell=1, cells=1, check=1))
    monkeypatch.setattr(listening, "GRACE", 0.5)
    nb = released(root)
    next(cell for cell in nb.cells if cell.id == "size").source = RIGHT
    stubborn = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass"
    nb.cells.insert(3, nbformat.v4.new_code_cell(stubborn))
    hand_in(root, "ada", raw=nbformat.writes(nb).encode())
    record = verdict.examine(root, "ada", CHAPTER, warm=warm)
    assert (record.status, record.points) == (GRADED, 5) and "took too long" in record.why
    assert "took too long" in record.outputs["own-1"]["error"]


def test_an_answer_that_never_ends_needs_a_look(root, warm, monkeypatch):
    monkeypatch.setattr(listening, "Limits", lambda: Limits(check=1))
    hand_in(root, "ada", "def conv_output_size(n, kernel_size, **settings):\n    while n:\n        pass")
    record = verdict.examine(root, "ada", CHAPTER, warm=warm)
    assert (record.status, record.points) == (LOOK, 0)
    assert "the check took longer than 1 s" in record.items["check-size"].look
    assert "the check took longer than 1 s" in record.items["check-size"].text


# ── statuses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refused(root, tamed):
    record = examined(root, "eve", raw=b"<<<<<<< HEAD")
    assert record.status == REFUSED and record.why and record.points == 0
    assert record.items["check-size"].look  # zero, and a look: never a silent zero


def test_not_begun_is_a_zero_that_needs_no_look(root, tamed):
    record = examined(root, "dora")
    item = record.items["check-size"]
    assert (record.status, record.points, item.look) == (GRADED, 0, "") and "not done yet" in item.text


def test_not_begun_though_the_stub_never_ran(root, monkeypatch):
    hears(monkeypatch, lambda heard: Heard("timed out", "The cell one took too long."))
    record = examined(root, "dora")
    item = record.items["check-size"]
    assert record.status == TIMED_OUT and not item.look and "not done yet" in item.text


def test_work_that_could_not_be_heard_needs_a_look(root, monkeypatch):
    hears(monkeypatch, lambda heard: Heard("timed out", "The cell one took too long.", answers={"check-size": "No."}))
    record = examined(root, "ada", RIGHT)
    assert record.status == TIMED_OUT and record.why == "The cell one took too long."
    assert record.points == 0 and record.items["check-size"].look == "No."


def test_an_answer_in_a_cell_of_ones_own_is_not_taken_for_not_begun(root, monkeypatch):
    """The stub is as released, but the work stands elsewhere: without an answer, somebody must look."""
    hears(monkeypatch, lambda heard: Heard("killed", "Gone.", answers={"check-size": "No answer came: Gone."}))
    nb = released(root)
    place = next(i for i, cell in enumerate(nb.cells) if cell.id == "check-size")
    nb.cells.insert(place, nbformat.v4.new_code_cell("conv_output_size = lambda n, k, **more: n - k + 1"))
    record = examined(root, "ada", raw=nbformat.writes(nb).encode())
    assert record.status == LOOK and record.items["check-size"].look


@pytest.mark.parametrize(
    ("solution", "text"),
    [
        ("def another_name(n):\n    return n", "conv_output_size is not there: NameError"),
        ("def conv_output_size(n:\n    return n", "conv_output_size is not there: NameError"),
    ],
)
def test_a_missing_target_needs_a_look(root, tamed, solution, text):
    record = examined(root, "ada", solution)
    assert record.status == LOOK and record.points == 0
    assert text in record.items["check-size"].look and text in record.items["check-size"].text


def test_a_wrong_number_of_outcomes_needs_a_look(root, monkeypatch):
    hears(
        monkeypatch, lambda heard: dataclasses.replace(heard, answers={"check-size": heard.answers["check-size"][:-1]})
    )
    record = examined(root, "ada", RIGHT)
    assert record.status == LOOK and record.points == 0 and "answers came back to" in record.items["check-size"].look


def test_a_suspicion_withholds_the_points_but_does_not_take_them(root, monkeypatch):
    hears(monkeypatch, lambda heard: dataclasses.replace(heard, suspicions={"check-size": "torch's own convolution"}))
    record = examined(root, "ada", RIGHT)
    item = record.items["check-size"]
    assert record.status == LOOK and "torch's own convolution" in record.why
    assert (item.points, item.given, record.points) == (5, 0, 0)
    assert examined(root, "bob").status == GRADED  # nothing was earned, so there is nothing to withhold


def test_a_fault_of_the_grading_itself_is_one_submissions_trouble(root, tamed, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("in the grader")

    monkeypatch.setattr(verdict, "judge", broken)
    record = examined(root, "ada", RIGHT)
    assert record.status == FAILED and "ZeroDivisionError: in the grader" in record.why
    assert record.items["check-size"].look and record.points == 0
    assert "ZeroDivision" not in preface(record)[0].source


def test_no_jail_is_no_ones_failure_but_the_machines(root, monkeypatch):
    def none(*_):
        raise JailUnavailable("bubblewrap is missing")

    monkeypatch.setattr(verdict, "confine", none)
    with pytest.raises(JailUnavailable):
        examined(root, "ada", RIGHT)


# ── what the learner gets to see ─────────────────────────────────────────────────────────────────────────────────────


def test_words_out_of_the_jail_cannot_carry_a_case_to_the_learner(root, monkeypatch):
    """Learner code that saw the cases can say whatever it likes instead of answering."""
    words = "conv_output_size is not there: NameError: n=37, kernel_size=5"
    hears(monkeypatch, lambda heard: dataclasses.replace(heard, answers={"check-size": words}))
    record = examined(root, "ada", RIGHT)
    output = shown(record.items["check-size"])
    assert "n=37" in record.why and "n=37" in output.data["text/html"]  # for the instructor
    assert "37" not in output.metadata["learner"] + preface(record)[0].source + record.items["check-size"].text


def test_a_suspicion_is_told_to_the_instructor_alone(root, monkeypatch):
    hears(monkeypatch, lambda heard: dataclasses.replace(heard, suspicions={"check-size": "<b>37</b>"}))
    record = examined(root, "ada", RIGHT)
    output = shown(record.items["check-size"])
    assert "&lt;b&gt;37" in output.data["text/html"] and "37" not in output.metadata["learner"]
    assert "Needs a look" in output.data["text/html"] and output.data["text/plain"] == "0.0"
    assert "37" not in preface(record)[0].source and "needs a look" in preface(record)[0].source


def test_an_errors_message_is_not_repeated(root, monkeypatch):
    trouble = Outcome(trouble=Trouble("error", "ValueError: n=37", "ValueError"))
    hears(
        monkeypatch,
        lambda heard: dataclasses.replace(heard, answers={"check-size": [trouble] * len(heard.answers["check-size"])}),
    )
    item = examined(root, "ada", RIGHT).items["check-size"]
    assert "37" not in item.text + item.html


def test_cells_that_were_not_run_show_nothing(root, tamed):
    record = examined(root, "ada", RIGHT)
    nb = nbformat.read(submitted(root, "ada", CHAPTER) / f"{CHAPTER}.ipynb", as_version=4)
    found = {cell.id: outputs(cell, record) for cell in nb.cells if cell.cell_type == "code"}
    assert found["picture"] == [] and found["check-size"][0].data["text/plain"] == "5.0"


def test_what_cells_wrote_is_shown_as_text(root, tamed):
    record = Record(
        "ada", CHAPTER, GRADED, outputs={"one": {"stdout": "a\n", "result": "1", "error": "ValueError: b: c"}}
    )
    cell = next(cell for cell in chapter().cells if cell.id == "one")
    stream, result, error = outputs(cell, record)
    assert stream.text == "a\n" and result.data == {"text/plain": "1"}
    assert (error.ename, error.evalue) == ("ValueError", "b: c")
    nbformat.validate(nbformat.v4.new_notebook(cells=[{**cell, "outputs": outputs(cell, record)}]))


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_comes_back_as_it_was_saved(root):
    item = Item("conv2d", 1.0, 5.0, {"stride": False}, "flipped", "✘", "<div>", "why")
    record = Record(
        "ada", CHAPTER, LOOK, "why \ud800"[:4], ("a note",), {"check": item}, {"one": {"stdout": "é"}}, "abc"
    )
    records.save(root, record)
    assert records.load(root, "ada", CHAPTER) == record


def test_a_record_is_there_whole_or_not_at_all(root, tamed, monkeypatch):
    first = examined(root, "ada", RIGHT)
    records.save(root, first)

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", dies)
    with pytest.raises(KeyboardInterrupt):
        records.save(root, dataclasses.replace(first, status=LOOK))
    assert records.load(root, "ada", CHAPTER) == first


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "3", '"text"', '{"items": {}}', '{"items": [1], "notes": []}', "\x00"]
)
def test_a_damaged_record_means_not_graded_yet(root, tamed, damage):
    records.save(root, examined(root, "ada", RIGHT))
    assert records.current(root, "ada", CHAPTER)
    records.record_path(root, "ada", CHAPTER).write_text(damage)
    assert records.load(root, "ada", CHAPTER) is None and records.current(root, "ada", CHAPTER) is None
    assert records.of_class(root, CHAPTER) == {"ada": None}


def test_a_record_counts_while_nothing_it_depends_on_has_changed(root, tamed, monkeypatch):
    records.save(root, examined(root, "ada", RIGHT))
    files = sorted((root / "grading").rglob("*"))
    assert records.current(root, "ada", CHAPTER)
    assert files == sorted((root / "grading").rglob("*"))  # looking changes nothing
    with monkeypatch.context() as patch:
        patch.setenv("CNN_COURSE_SEED", "another seed")
        assert records.current(root, "ada", CHAPTER) is None
    with monkeypatch.context() as patch:
        patch.setattr(records, "checks_digest", lambda: "a check was corrected")
        assert records.current(root, "ada", CHAPTER) is None
    path = root / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb"
    text = path.read_text()
    path.write_text(text.replace("ones = 1", "ones = 2"))
    assert records.current(root, "ada", CHAPTER) is None
    path.write_text(text)
    assert records.current(root, "ada", CHAPTER)
    hand_in(root, "ada", PARTLY)
    assert records.current(root, "ada", CHAPTER) is None


@pytest.mark.parametrize(
    "decides", ["utils/checks/verdict.py", "grading/verdict.py", "grading/reading.py", "grading/jail/inside.py"]
)
def test_when_code_that_decides_is_changed_verdicts_are_due_again(tmp_path, monkeypatch, decides):
    for name in ("utils/checks", "grading"):
        shutil.copytree(
            records.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("sample_class", "__pycache__")
        )
    monkeypatch.setattr(records, "ROOT", tmp_path)
    before = records.checks_digest.__wrapped__()
    (tmp_path / decides).write_text("# corrected\n" + (tmp_path / decides).read_text())
    assert records.checks_digest.__wrapped__() != before


def test_a_record_is_plain_json(root, tamed):
    records.save(root, examined(root, "ada", RIGHT))
    known = json.loads(records.record_path(root, "ada", CHAPTER).read_text())
    assert known["learner"] == "ada" and known["status"] == GRADED and SEED not in json.dumps(known)


def test_a_damaged_manifest_fails_that_submission_alone(root, tamed):
    hand_in(root, "ada", RIGHT)
    staged = stage(root, "ada", CHAPTER)
    assert staged
    (root / "grading" / "originals" / CHAPTER / "ada" / "manifest.json").write_text("{")
    record = verdict.examine(root, "ada", CHAPTER)
    assert record.status == FAILED and "manifest.json is damaged" in record.why
    assert records.of_class(root, CHAPTER) == {"ada": None}
