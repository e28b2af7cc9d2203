"""A whole class: whatever is killed, the next run finishes the rest and every score is as in an undisturbed run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
import zipfile
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy.orm
from classroom import CLASS, PARTLY, RIGHT, Here, hand_in, hand_in_all, tame
from courses import CHAPTER, course
from nbgrader.api import Gradebook
from nbgrader.apps import AutogradeApp
from nbgrader.apps.api import NbGraderAPI

from grading import batch, judged, records, report, verdict
from grading.batch import autograde
from grading.course import config, gradebook_url
from grading.intake import unpack
from grading.jail import JailUnavailable
from grading.records import FAILED, GRADED, LOOK, REFUSED
from grading.release import release

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::DeprecationWarning")

SEED = "a seed for tests of the batch"
ODD = "# withhold this\n" + RIGHT


def confine(*arguments):
    """The stand-in for the jail; it has a suspicion wherever a learner asks for one."""
    heard = tame(*arguments)
    odd = any("# withhold this" in cell.source for cell in arguments[1].cells)
    return replace(heard, suspicions={"check-size": "torch's own"} if odd else {})


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A released chapter, and a class that has handed in: good, bad, nothing begun, damaged, doubtful."""
    root = course(tmp_path_factory.mktemp("small"))
    release(root)
    hand_in_all(root)
    hand_in(root, "eve", raw=b"<<<<<<< HEAD")
    hand_in(root, "finn", ODD, essay="Because it must lie inside.")
    return root


@pytest.fixture
def root(tmp_path, small, monkeypatch):
    monkeypatch.setenv("CNN_COURSE_SEED", SEED)
    shutil.copytree(small, tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def here(monkeypatch):
    """Everything in this process, and no jail."""
    monkeypatch.setattr(verdict, "confine", confine)
    monkeypatch.setattr(batch, "pool", Here)


def quiet(*_):
    pass


def grade(root, **options):
    return {record.learner: record for record in autograde(root, CHAPTER, jobs=1, tell=quiet, **options)}


def rows(root):
    """All that the gradebook knows of the class: scores by machine and by hand, what waits, penalties."""
    with Gradebook(gradebook_url(root)) as gradebook:
        return {
            (submission.student.id, mark.name): (
                mark.auto_score,
                mark.manual_score,
                mark.needs_manual_grade,
                notebook.late_submission_penalty,
            )
            for submission in gradebook.assignment_submissions(CHAPTER)
            for notebook in submission.notebooks
            for mark in notebook.grades
        }


def by_hand(root, learner, name, score):
    """What formgrader does when an instructor enters a score."""
    with Gradebook(gradebook_url(root)) as gradebook:
        mark = gradebook.find_grade(name, CHAPTER, CHAPTER, learner)
        mark.manual_score, mark.needs_manual_grade = score, False
        gradebook.db.commit()


def score(root, learner):
    return next(grade.score for grade in report.grades(root, CHAPTER) if grade.learner == learner)


# ── an undisturbed run ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_submission_ends_with_a_status_and_its_score(root, here):
    told = []
    class_ = autograde(root, CHAPTER, jobs=1, tell=lambda *news: told.append(news))
    assert [record.learner for record in class_] == [*CLASS, "eve", "finn"]
    assert {r.learner: r.status for r in class_} == dict.fromkeys(CLASS, GRADED) | {"eve": REFUSED, "finn": LOOK}
    marks = rows(root)
    for learner, (_, points) in CLASS.items():
        assert marks[learner, "check-size"] == (points, None, False, None)
        assert marks[learner, "why"] == (0, None, False, None)  # nothing was written
    assert marks["eve", "check-size"] == marks["eve", "why"] == (0, None, True, None)
    assert marks["finn", "check-size"] == (0, None, True, None) and marks["finn", "why"] == (None, None, True, None)
    assert sorted(done for done, of, _ in told) == [1, 2, 3, 4, 5, 6] and {of for _, of, _ in told} == {6}


def test_a_second_run_does_nothing(root, here, monkeypatch):
    grade(root)
    before = rows(root)
    monkeypatch.setattr(verdict, "graded", None)
    monkeypatch.setattr(batch, "convert", None)
    assert {learner: record.status for learner, record in grade(root).items()}["ada"] == GRADED
    assert rows(root) == before


def test_only_what_is_new_is_graded(root, here, monkeypatch):
    grade(root)
    hand_in(root, "bob", RIGHT)
    hand_in(root, "gus", PARTLY)
    examined = []
    real = verdict.graded
    monkeypatch.setattr(
        verdict, "graded", lambda root, learner, *more: examined.append(learner) or real(root, learner, *more)
    )
    grade(root)
    assert sorted(examined) == ["bob", "gus"]
    assert rows(root)["bob", "check-size"][0] == 5 and rows(root)["gus", "check-size"][0] == 1


def test_two_runs_at_once_are_one_too_many(root, here):
    with batch.alone(root), pytest.raises(RuntimeError, match="Another run is grading"):
        grade(root)
    grade(root)


def test_without_a_jail_nothing_is_graded(root, here, monkeypatch):
    def none(*_, **__):
        raise JailUnavailable("bubblewrap is missing: install it")

    monkeypatch.setattr(batch, "Warm", none)
    monkeypatch.setattr(verdict, "confine", none)
    batch.warm.cache_clear()
    with pytest.raises(JailUnavailable, match="install it"):
        grade(root)
    assert not list((root / "grading").glob("verdicts/*/*.json")) and not rows(root)


def test_where_no_fork_is_to_be_had_each_gets_a_jail_of_its_own(monkeypatch):
    calls = []

    class Broken:
        def close(self):
            calls.append("closed")

    def examine(root, learner, chapter, *, warm=None, keep=True):
        calls.append(warm)
        if warm:
            raise JailUnavailable("the fork is gone")
        return "a record"

    monkeypatch.setattr(batch, "Warm", Broken)
    monkeypatch.setattr(verdict, "examine", examine)
    batch.warm.cache_clear()
    assert batch.examine(Path(), CHAPTER, "ada", no_jail=False, keep=True) == "a record"
    assert isinstance(calls[0], Broken) and calls[1:] == ["closed", None]
    batch.warm.cache_clear()


# ── what fails, and what is done again ───────────────────────────────────────────────────────────────────────────────


def test_a_failure_of_the_grading_stops_no_other_and_is_tried_again(root, here, monkeypatch):
    grade(root)
    hand_in(root, "ada", PARTLY)
    with monkeypatch.context() as patch:
        patch.setattr(verdict, "judge", lambda *_: 1 / 0)
        class_ = grade(root)
    assert class_["ada"].status == FAILED and "ZeroDivisionError" in class_["ada"].why
    assert rows(root)["ada", "check-size"] == (0, None, True, None)  # the 5 points of the first one are gone
    assert score(root, "ada") is None and score(root, "bob") == 1
    assert "failed" in report.status(root, CHAPTER)
    class_ = grade(root)
    assert class_["ada"].status == GRADED and rows(root)["ada", "check-size"] == (1, None, False, None)


def test_what_nbgrader_cannot_enter_leaves_no_stale_score(root, here, monkeypatch):
    grade(root)
    hand_in(root, "ada", PARTLY)
    real = batch.convert
    refuse = lambda kind, root, learner, *more: "no" if learner == "ada" else real(kind, root, learner, *more)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(batch, "convert", refuse)
        patch.setattr(records, "checks_digest", lambda: "all are due again")
        class_ = grade(root)
        assert class_["ada"].status == FAILED and "could not enter the grade: no" in class_["ada"].why
        assert rows(root)["ada", "check-size"] == (None, None, True, None) and class_["bob"].status == GRADED
        assert score(root, "ada") is None and "ada   not graded yet" in report.status(root, CHAPTER)
    assert grade(root)["ada"].status == GRADED and score(root, "ada") == 1


@pytest.mark.parametrize("odd", ["[a]", "?", "*", "new\nline"])
def test_a_name_that_nbgrader_reads_as_a_pattern_takes_no_other_ones_grade(root, here, odd):
    """nbgrader looks for files by such a name, and finds those of learners whose names it fits."""
    hand_in(root, "a", PARTLY)
    hand_in(root, odd, RIGHT)
    for _ in range(2):  # whoever comes first
        class_ = grade(root)
        assert class_["a"].status == GRADED and score(root, "a") == 1
        assert class_[odd].status == FAILED and "Rename the folder" in class_[odd].why
        assert score(root, odd) is None and len(class_) == len(CLASS) + 4


def test_a_link_of_the_chain_that_fails_leaves_no_stale_score(root, here, monkeypatch):
    """As above, but nbgrader itself stumbles, in the middle."""
    grade(root)
    hand_in(root, "ada", PARTLY)
    with monkeypatch.context() as patch:
        patch.setattr(judged, "determine_grade", lambda *_: 1 / 0)
        assert grade(root)["ada"].status == FAILED
        assert rows(root)["ada", "check-size"] == (None, None, True, None) and score(root, "ada") is None
    assert grade(root)["ada"].status == GRADED and score(root, "ada") == 1


class Fragile(Here):
    """A pool that breaks at mallory's submission, and takes along whatever is handed out after that."""

    def __init__(self, jobs=1):
        self.broken = False

    def submit(self, task, learner):
        self.broken = self.broken or learner == "mallory"
        if not self.broken:
            return super().submit(task, learner)
        future = Future()
        future.set_exception(BrokenProcessPool())
        return future


def test_a_submission_that_kills_its_worker_harms_no_other(root, here, monkeypatch):
    hand_in(root, "mallory", RIGHT)
    monkeypatch.setattr(batch, "pool", Fragile)
    class_ = grade(root)
    assert class_["mallory"].status == FAILED and "killed three times" in class_["mallory"].why
    assert {learner: class_[learner].points for learner in CLASS} == {
        name: points for name, (_, points) in CLASS.items()
    }
    assert score(root, "mallory") is None and ("mallory", "check-size") not in rows(root)
    assert "mallory  failed          The grading process was killed three times" in report.status(root, CHAPTER)
    monkeypatch.setattr(batch, "pool", Here)
    assert grade(root)["mallory"].status == GRADED and score(root, "mallory") == 5


def test_a_deleted_gradebook_is_filled_again_without_examining_anybody(root, here, monkeypatch):
    grade(root)
    before = rows(root)
    (root / "grading" / "gradebook.db").unlink()
    monkeypatch.setattr(verdict, "graded", None)
    grade(root)
    assert rows(root) == before


def test_a_learner_missing_from_the_gradebook_is_entered_again(root, here):
    grade(root)
    before = rows(root)
    with Gradebook(gradebook_url(root)) as gradebook:
        gradebook.remove_submission(CHAPTER, "bob")
    grade(root)
    assert rows(root) == before


# ── regrading ────────────────────────────────────────────────────────────────────────────────────────────────────────


def corrected(monkeypatch):
    """From now on nobody is right about the stride, as if the check had been corrected."""
    real = verdict.item

    def stricter(*arguments):
        found = real(*arguments)
        if not found.aspects.get("stride"):
            return found
        return replace(found, points=found.points - 1, aspects=found.aspects | {"stride": False}, mistake="a new one")

    monkeypatch.setattr(verdict, "item", stricter)
    monkeypatch.setattr(records, "checks_digest", lambda: "corrected")


def test_regrading_replaces_the_old_scores(root, here, monkeypatch):
    grade(root)
    corrected(monkeypatch)
    class_ = grade(root)
    assert class_["ada"].points == rows(root)["ada", "check-size"][0] == 4
    assert rows(root)["bob", "check-size"][0] == 1


def test_again_examines_all_of_them(root, here, monkeypatch):
    grade(root)
    examined = []
    real = verdict.graded
    monkeypatch.setattr(
        verdict, "graded", lambda root, learner, *more: examined.append(learner) or real(root, learner, *more)
    )
    grade(root, again=True)
    assert sorted(examined) == [*CLASS, "eve", "finn"]


def test_what_would_change_is_shown_and_nothing_is_written(root, here, monkeypatch):
    grade(root)
    hand_in(root, "gus", PARTLY)
    corrected(monkeypatch)
    files = {path: path.stat().st_mtime_ns for path in (root / "grading").rglob("*")}
    before = rows(root)
    found = {after.learner: (old, after) for old, after in batch.changes(root, CHAPTER, jobs=1)}
    assert found.keys() == {"ada", "gus", "finn"}  # bob, cleo and dora had no points for the stride
    assert batch.explained(*found["ada"]) == [
        "ada: graded, 5 points -> graded, 4 points",
        "    conv_output_size: 5 -> 4 (a new one)",
    ]
    assert batch.explained(*found["gus"]) == ["gus: not graded before; would be graded, 1 points"]
    assert rows(root) == before
    assert {path: path.stat().st_mtime_ns for path in (root / "grading").rglob("*")} == files


def test_nothing_would_change(root, here):
    grade(root)
    assert list(batch.changes(root, CHAPTER, jobs=1)) == []


def test_scores_by_hand_stand_while_the_submission_does(root, here, monkeypatch):
    grade(root)
    by_hand(root, "finn", "check-size", 4)  # withheld: the instructor has decided
    by_hand(root, "finn", "why", 3)
    assert score(root, "finn") == 7
    grade(root, again=True)
    assert rows(root)["finn", "check-size"] == (0, 4, False, None)
    assert rows(root)["finn", "why"] == (None, 3, False, None) and score(root, "finn") == 7
    hand_in(root, "finn", ODD, essay="Another text.")
    grade(root)
    assert rows(root)["finn", "why"] == (None, 3, True, None)  # kept, but to be looked at: the text is another
    assert score(root, "finn") is None
    grade(root, again=True)
    assert score(root, "finn") is None


def test_a_score_by_hand_is_looked_at_again_if_the_machine_has_changed_its_mind(root, here, monkeypatch):
    grade(root)
    by_hand(root, "ada", "check-size", 4.5)
    corrected(monkeypatch)
    grade(root)
    auto, manual, waits, _ = rows(root)["ada", "check-size"]
    assert (auto, manual, waits) == (4, 4.5, True)


def test_late_penalties_come_on_top(root, here):
    with (root / "nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    with Gradebook(gradebook_url(root)) as gradebook:
        gradebook.update_or_create_assignment(CHAPTER, duedate="2026-01-02 00:00:00 UTC")
    for learner, day in (("ada", "01"), ("bob", "03")):
        path = root / "grading" / "submitted" / learner / CHAPTER / "timestamp.txt"
        path.write_text(f"2026-01-{day} 12:00:00 UTC")
    grade(root)
    assert rows(root)["bob", "check-size"] == (1, None, False, 1) and rows(root)["ada", "check-size"][3] is None
    assert score(root, "ada") == 5 and score(root, "bob") == 0
    grade(root, again=True)
    assert score(root, "bob") == 0


def test_who_is_late_is_for_gradescope_to_say_and_not_for_the_learner(root, here, tmp_path):
    with (root / "nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    with Gradebook(gradebook_url(root)) as gradebook:
        gradebook.update_or_create_assignment(CHAPTER, duedate="2026-01-02 00:00:00 UTC")
    work = (root / "grading" / "submitted" / "ada" / CHAPTER / f"{CHAPTER}.ipynb").read_bytes()
    people = {"submission_1": ("Una Time", "01"), "submission_2": ("Lew Late", "03")}
    yaml = "".join(
        f"{folder}:\n  :submitters:\n  - :name: {name}\n  :created_at: 2026-01-{day} 12:00:00.000000000 Z\n"
        for folder, (name, day) in people.items()
    )
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as content:
        content.writestr("submission_metadata.yml", yaml)
        for folder in people:
            content.writestr(f"{folder}/{CHAPTER}.ipynb", work)
            content.writestr(f"{folder}/timestamp.txt", "2026-01-01 00:00:00 UTC")
    unpack(tmp_path / "class.zip", CHAPTER, root / "grading" / "submitted")
    for again in (False, True):
        grade(root, again=again)
        assert score(root, "una-time") == 5 and score(root, "lew-late") == 0


# ── one path, three ways in ──────────────────────────────────────────────────────────────────────────────────────────


def test_nbgraders_command_and_formgraders_button_give_the_same_gradebook(root, here, monkeypatch):
    twins = [root.with_name(name) for name in ("shell", "formgrader")]
    for twin in twins:
        shutil.copytree(root, twin)
    grade(root)
    monkeypatch.chdir(twins[0])
    app = AutogradeApp()
    app.initialize([CHAPTER])
    app.start()
    AutogradeApp.clear_instance()
    monkeypatch.chdir(twins[1])
    api = NbGraderAPI(config=config(twins[1]))
    for learner in [*CLASS, "eve", "finn"]:
        answer = api.autograde(CHAPTER, learner)
        assert answer["success"], answer
    assert rows(root) == rows(twins[0]) == rows(twins[1])
    for twin in twins:
        assert {name: record.items for name, record in records.of_class(twin, CHAPTER).items()} == {
            name: record.items for name, record in records.of_class(root, CHAPTER).items()
        }
        assert report.grades(twin, CHAPTER) == report.grades(root, CHAPTER)


def test_formgraders_button_tries_a_failed_submission_again(root, here, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(verdict, "judge", lambda *_: 1 / 0)
        grade(root)
    monkeypatch.chdir(root)
    assert NbGraderAPI(config=config(root)).autograde(CHAPTER, "ada")["success"]
    assert score(root, "ada") == 5


def test_what_needs_a_look_waits_in_formgrader_and_the_score_given_there_counts(root, here):
    grade(root)
    api = NbGraderAPI(config=config(root))
    waiting = {s["student"]: s["needs_manual_grade"] for s in api.get_submissions(CHAPTER)}
    assert waiting == dict.fromkeys(CLASS, False) | {"eve": True, "finn": True}
    by_hand(root, "finn", "check-size", 5)
    by_hand(root, "finn", "why", 4)
    (finn,) = (s for s in api.get_submissions(CHAPTER) if s["student"] == "finn")
    assert not finn["needs_manual_grade"] and finn["score"] == 9
    assert score(root, "finn") == 9


def test_without_a_jail_nbgraders_command_leaves_no_stale_score(root, here, monkeypatch):
    grade(root)
    hand_in(root, "ada", PARTLY)

    def none(*_):
        raise JailUnavailable("bubblewrap is missing: install it")

    monkeypatch.setattr(verdict, "confine", none)
    monkeypatch.chdir(root)
    answer = NbGraderAPI(config=config(root)).autograde(CHAPTER, "ada")
    assert not answer["success"] and "bubblewrap is missing: install it" in answer["log"]
    assert rows(root)["ada", "check-size"] == (None, None, True, None) and score(root, "ada") is None


# ── killed at any moment ─────────────────────────────────────────────────────────────────────────────────────────────


STEPS = ("rename", "replace", "fsync", "mkdir", "chmod", "unlink", "rmdir")


def dying(at: int, work, report: Path) -> bool:
    """Do `work` in a child that is killed, as by a power cut, at its n-th step on the disk; whether it was.

    The number of its steps is left in `report` if it comes to the end.
    """
    child = os.fork()
    if not child:
        steps = [0]

        def wrap(holder, name):
            real = getattr(holder, name)

            def step(*arguments, **options):
                steps[0] += 1
                if steps[0] == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **options)

            setattr(holder, name, step)

        for name in STEPS:
            wrap(os, name)
        wrap(sqlalchemy.orm.Session, "commit")
        try:
            work()
            report.write_text(str(steps[0]))
        except BaseException:
            os._exit(3)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def test_killed_at_random_steps_every_score_is_as_in_an_undisturbed_run(root, here):
    """First a class that is graded for the first time, then the same one with decisions by hand, graded again."""
    undisturbed, report_of = root.with_name("undisturbed"), root.with_name("steps")
    shutil.copytree(root, undisturbed)
    chance, killed = random.Random(1), 0
    for again in (False, True):
        for place in (root, undisturbed):
            if again:
                by_hand(place, "finn", "check-size", 4)
                by_hand(place, "finn", "why", 3)
                hand_in(place, "bob", RIGHT)
        assert not dying(0, partial(grade, undisturbed, again=again), report_of)
        most, anew = int(report_of.read_text()) // 2, again
        while dying(chance.randrange(1, most), partial(grade, root, again=anew), report_of):
            killed, anew = killed + 1, False  # `again` would begin with the first of the class each time
        assert rows(root) == rows(undisturbed)
        assert report.grades(root, CHAPTER) == report.grades(undisturbed, CHAPTER)
        assert report.status(root, CHAPTER) == report.status(undisturbed, CHAPTER)
    assert killed >= 3
    for learner in CLASS:
        assert (root / "grading" / "originals" / CHAPTER / learner / "001" / f"{CHAPTER}.ipynb").is_file()


def run(root, mark, *more):
    command = [sys.executable, "-m", "grading", "autograde", CHAPTER, "--course", str(root), "--jobs", "1", *more]
    environment = os.environ | {"MARK": mark}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment, start_new_session=True, **pipes)


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(mark):
    """The processes that were started by a run, the run itself included."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}\0".encode() in (path / "environ").read_bytes() and "Z" not in (path / "stat").read_text():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def parents(pid):
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def test_a_run_in_the_jail_killed_interrupted_and_robbed_of_its_worker(root, here):
    """For real: kill -9 of a worker, then of the whole run, then Ctrl-C; then it is let finish."""
    undisturbed = root.with_name("undisturbed")
    odd = root / "grading" / "submitted" / "finn"
    shutil.rmtree(odd)  # the suspicion is the stand-in's own
    shutil.copytree(root, undisturbed)
    grade(undisturbed)
    done = lambda: len(list((root / "grading" / "verdicts").glob("*/*.json")))  # noqa: E731
    mark = uuid.uuid4().hex

    first = run(root, mark)
    until(lambda: done() >= 1)
    workers = [pid for pid in alive(mark) if pid != first.pid and parents(pid) == first.pid]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: done() >= 2)
    assert first.poll() is None
    first.kill()
    first.communicate()
    until(lambda: not alive(mark), 30)  # the workers and the jails go with it

    second = run(root, mark)
    until(lambda: done() >= 3)
    os.killpg(second.pid, signal.SIGINT)  # as the terminal does
    said, _ = second.communicate(timeout=60)
    assert second.returncode in (130, 0)
    assert "Traceback" not in said and ("Nothing is lost" in said or second.returncode == 0)
    until(lambda: not alive(mark), 30)

    last = run(root, mark)
    said, _ = last.communicate(timeout=120)
    assert last.returncode == 0 and "5 submissions: 4 graded, 1 refused" in said
    assert rows(root) == rows(undisturbed)
    assert report.grades(root, CHAPTER) == report.grades(undisturbed, CHAPTER)
