"""A class of honest and hostile learners, graded once; and what there was before, to be compared with what is after."""

import contextlib
import ctypes
import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from archives import pack
from attacks import ATTACKS, ODD_NAMES, SHOWN, Attack
from course import CHAPTER, HONEST, SEED, SHORT, answered, dumped, folder_of, lay_out
from nbgrader.api import Gradebook

from grading import batch, report
from grading.course import ROOT, gradebook_url
from grading.feedback import feedback
from grading.gradebook import marks, table
from grading.intake import unpack
from grading.records import Record

PR_SET_CHILD_SUBREAPER = 36
# What a process of the tests keeps on purpose.
OURS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


@dataclass
class Class:
    """The graded class."""

    root: Path
    canary: Path
    arrivals: list = field(default_factory=list)
    told: list = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    pages: dict[str, Path] = field(default_factory=dict)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    marks: dict = field(default_factory=dict)
    table: str = ""
    status: str = ""


@pytest.fixture(scope="session")
def class_(tmp_path_factory):
    """Everybody hands in."""
    with class_of(tmp_path_factory, HONEST, ATTACKS | {name: Attack() for name in ODD_NAMES}) as graded:
        yield graded


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """Only those hand in whose pages are opened in a browser."""
    with class_of(tmp_path_factory, {}, {name: ATTACKS[name] for name in SHOWN}) as graded:
        yield graded


@contextlib.contextmanager
def class_of(tmp_path_factory, honest: dict, attacks: dict):
    """A class hands in; it is graded in one batch; everybody gets feedback."""
    root = lay_out(tmp_path_factory.mktemp("hostile") / "course")
    graded = Class(root, tmp_path_factory.mktemp("canary"))
    graded.canary.chmod(0o777)
    (graded.canary / "canary").write_text("untouched")
    (graded.canary / "canary").chmod(0o666)
    (root / "grading" / "notes.txt").write_text("untouched")
    (root / "grading" / "secret_seed").write_text(SEED)
    with_an_older_grade(root)
    for learner, (size, correlate, _) in honest.items():
        folder = folder_of(root, learner)
        folder.mkdir(parents=True)
        (folder / f"{CHAPTER}.ipynb").write_bytes(dumped(answered(root, size, correlate, "The kernel is inside.")))
    for learner, attack in attacks.items():
        attack.hand_in(folder_of(root, learner), root, graded.canary)
    graded.arrivals = unpack(pack(root.parent / "class.zip", root), CHAPTER, root / "grading" / "submitted")
    graded.before = state(graded)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # whoever is left behind becomes a child of ours
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CNN_COURSE_SEED", raising=False)
        tell = lambda done, of, record: graded.told.append((done, of, record.learner))  # noqa: E731
        found = batch.autograde(root, CHAPTER, jobs=2, limits=SHORT, tell=tell)
        graded.left = left_behind()
        graded.after = state(graded)
        graded.records = {record.learner: record for record in found}
        graded.marks, graded.table = marks(root), table(root)
        graded.status = report.status(root, CHAPTER)
        graded.pages = {page.parts[-3]: page for page in feedback(root, CHAPTER, jobs=2)}
    yield graded
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def with_an_older_grade(root: Path) -> None:
    """An earlier chapter, graded by hand, stands in the gradebook."""
    with Gradebook(gradebook_url(root)) as gradebook:
        gradebook.add_assignment("01_earlier")
        gradebook.add_notebook("01_earlier", "01_earlier")
        gradebook.add_grade_cell("task", "01_earlier", "01_earlier", max_score=7, cell_type="code")
        gradebook.add_student("elder")
        gradebook.add_submission("01_earlier", "elder")
        grade = gradebook.find_grade("task", "01_earlier", "01_earlier", "elder")
        grade.manual_score, grade.needs_manual_grade = 5, False
        gradebook.db.commit()


def older_grade(root: Path) -> tuple:
    with Gradebook(gradebook_url(root)) as gradebook:
        grade = gradebook.find_grade("task", "01_earlier", "01_earlier", "elder")
        return grade.manual_score, grade.auto_score, grade.max_score, [s.id for s in gradebook.assignments]


def state(graded: Class) -> dict:
    """What no submission may change: digests of files by path, and an older grade."""
    working = {"submitted", "originals", "autograded", "verdicts", "received", "feedback", "gradebook.db", ".grading"}
    keep = [path for path in (graded.root / "grading").iterdir() if path.name not in working]
    tops = [graded.canary, graded.root / "notebooks", graded.root / "solutions", *keep]
    tops += [ROOT / name for name in ("notebooks", "solutions", "utils", "pyproject.toml", "nbgrader_config.py")]
    files = (path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*"))))
    mine = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}
    return {path: digest for path, digest in mine.items() if "__pycache__" not in path.parts} | {
        "older grade": older_grade(graded.root),
        "course": sorted(path.name for path in graded.root.iterdir()),
    }


def left_behind() -> list[str]:
    """Who of ours is still alive, some time after the last was killed."""
    for _ in range(100):
        left = [line for line in descendants(os.getpid()) if not any(name in line for name in OURS)]
        if not left:
            break
        time.sleep(0.1)
    return left


def descendants(pid: int) -> list[str]:
    """The command lines of a process's children and theirs, dead ones aside."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            try:
                state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
                line = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            found += [f"{child} {line}"] * (state not in "ZX") + descendants(child)
    return found
