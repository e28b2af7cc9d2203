"""The verdict on one submission: intake, jail, judgement, and a record of it all.

Learner code never runs here. This side holds the answers and the secret seed, hands cases to the jail, and decides on
what comes back: arrays and bounded text. Whatever goes wrong on the way, the outcome is a record with a status; an item
without a verdict scores zero *and* asks for a look.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import nbformat

from grading import jail
from grading.checked import graded_checks
from grading.course import ROOT
from grading.hidden import hidden_cases, secret_seed
from grading.needed import needed
from grading.reading import suspicion
from grading.staging import Staged, stage, submitted
from utils.checks import answers, questions
from utils.checks.report import Report
from utils.checks.verdict import judge

GRADED, LOOK, REFUSED, TIMED_OUT = "graded", "needs a look", "refused", "timed out"


@dataclass(frozen=True)
class Item:
    """The verdict on one graded check.

    Attributes
    ----------
    points, worth : float
        What the answers earn, and what they could. While `look` says why somebody must look, nothing is given.
    aspects : dict of str to bool
    mistake : str
        The misconception's name, if one explains the answers.
    text, html : str
        For the learner: no hidden case in it.
    look : str
        Why an instructor has to decide; empty if there is nothing to decide.
    """

    check: str
    points: float
    worth: float
    aspects: dict[str, bool] = field(default_factory=dict)
    mistake: str = ""
    text: str = ""
    html: str = ""
    look: str = ""

    @property
    def given(self) -> float:
        return 0.0 if self.look else self.points


@dataclass(frozen=True)
class Record:
    """All there is to know about one graded submission.

    Attributes
    ----------
    status, why : str
        GRADED, LOOK, REFUSED or TIMED_OUT, and the sentence that goes with it.
    notes : tuple of str
        What was odd about the file, and how it was understood.
    items : dict of str to Item
        By grade_id.
    outputs : dict of str to list
        By cell id, what the learner's cells wrote (the fields of jail.Ran).
    fingerprint : str
        Of everything the verdict depends on: the file, the release, the checks, the seed.
    """

    learner: str
    chapter: str
    status: str
    why: str = ""
    notes: tuple[str, ...] = ()
    items: dict[str, Item] = field(default_factory=dict)
    outputs: dict[str, dict] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def points(self) -> float:
        return sum(item.given for item in self.items.values())


# ── one submission ───────────────────────────────────────────────────────────────────────────────────────────────────


def examine(root: Path, learner: str, chapter: str, *, warm=None, no_jail: bool = False) -> Record:
    """Grade what `learner` handed in for `chapter`. Whatever the submission holds, this returns a record.

    Raises
    ------
    jail.JailUnavailable
        If learner code cannot be locked up on this machine: then nothing is graded at all.
    """
    staged = stage(root, learner, chapter)
    released = nbformat.read(release_path(root, chapter), as_version=4)
    mark = fingerprint(root, chapter, staged)
    if staged.refused:
        items = without_verdict(released, "The submission could not be read.")
        return Record(learner, chapter, REFUSED, staged.refused, staged.notes, items, fingerprint=mark)
    notebook = nbformat.read(submitted(root, learner, chapter) / f"{chapter}.ipynb", as_version=4)
    heard = confine(root, notebook, released, warm, no_jail)
    items = {
        asked.grade_id: not_begun(asked)
        if is_open(asked, notebook, released, heard)
        else item(root, asked, heard, notebook)
        for asked in graded_checks(released)
    }
    status, why = overall(heard, items)
    outputs = {cell: asdict(ran) for cell, ran in heard.cells.items()}
    return Record(learner, chapter, status, why, staged.notes, items, outputs, mark)


def confine(root: Path, notebook, released, warm, no_jail: bool) -> jail.Heard:
    """Run what the grade depends on in the jail, and ask the checks there."""
    sources = {cell.source.strip() for cell in released.cells if cell.cell_type == "code"}
    wanted = needed(notebook.cells, sources)
    training = [bool(set(cell.metadata.get("tags", ())) & {"training"}) for cell in notebook.cells]
    checks = {asked.grade_id for asked in graded_checks(released)}
    cells = [
        (cell.id, cell.source)
        for cell, want, slow in zip(notebook.cells, wanted, training, strict=True)
        if want and not slow and cell.id not in checks
    ]
    asked = [
        jail.Asked(check.grade_id, check.name, check.target, hidden_cases(check.name, root))
        for check in graded_checks(released)
    ]
    return jail.run(cells, asked, warm=warm, no_jail=no_jail)


def is_open(asked, notebook, released, heard: jail.Heard) -> bool:
    """Whether an exercise was not begun: its target is not there because the cell that defines it is as released."""
    if isinstance(heard.answers.get(asked.grade_id), list):
        return False
    stubs = {cell.id: cell.source for cell in released.cells if defines(cell, asked.target)}
    answers = [cell for cell in notebook.cells if cell.id in stubs]
    unchanged = all(cell.source.strip() == stubs[cell.id].strip() for cell in answers)
    raised = [heard.cells[cell.id].error for cell in answers if cell.id in heard.cells]
    return unchanged or (bool(raised) and all(error.startswith("NotImplementedError") for error in raised))


def defines(cell, name: str) -> bool:
    """Whether a released cell is the exercise that defines `name`."""
    solution = cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    return bool(solution and re.search(rf"^(class|def)\s+{re.escape(name)}\b", cell.source, re.M))


def not_begun(asked) -> Item:
    question = questions.find(asked.name)
    text = f"○ {asked.name}: not done yet."
    return Item(asked.name, 0.0, question.points, dict.fromkeys(question.aspects, False), text=text)


def item(root: Path, asked, heard: jail.Heard, notebook) -> Item:
    """The verdict on one check, from what the jail heard and from reading the code."""
    question, answer = questions.find(asked.name), answers.find(asked.name)
    outcomes = heard.answers.get(asked.grade_id, "The jail gave no answer.")
    cases = hidden_cases(asked.name, root)
    if not isinstance(outcomes, list):
        return Item(asked.name, 0.0, question.points, text=outcomes, look=outcomes)
    if len(outcomes) != len(cases):
        why = f"The check gave {len(outcomes)} answers to {len(cases)} questions."
        return Item(asked.name, 0.0, question.points, text=why, look=why)
    verdict = judge(question, answer, cases, outcomes)
    report = Report(verdict, answer, examples=False)
    doubts = [heard.suspicions.get(asked.grade_id, "")]
    doubts += [suspicion(own_sources(notebook), asked.target)] if question.from_scratch and verdict.done else []
    look = "; ".join(doubt for doubt in doubts if doubt) if verdict.points else ""
    return Item(
        asked.name,
        verdict.points,
        question.points,
        verdict.passed,
        verdict.mistake.name if verdict.mistake and verdict.certain else "",
        report.text,
        report.html,
        look,
    )


def overall(heard, items: dict[str, Item]) -> tuple[str, str]:
    """The status of a submission, and why."""
    if heard.status != "finished":
        return (TIMED_OUT if heard.status == "timed out" else LOOK), heard.why
    looks = [f"{item.check}: {item.look}" for item in items.values() if item.look]
    return (LOOK, "; ".join(looks)) if looks else (GRADED, heard.why)


def without_verdict(released, why: str) -> dict[str, Item]:
    """Zero for every check, and a look at every one."""
    return {
        asked.grade_id: Item(asked.name, 0.0, questions.find(asked.name).points, text=why, look=why)
        for asked in graded_checks(released)
    }


def own_sources(notebook) -> list[str]:
    """The code that the learner wrote: the exercises' cells, and cells of their own."""
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
        and (cell.metadata.get("nbgrader", {}).get("solution") or cell.metadata.get("course", {}).get("own"))
    ]


# ── fingerprints ─────────────────────────────────────────────────────────────────────────────────────────────────────


def release_path(root: Path, chapter: str) -> Path:
    return root / "notebooks" / chapter / f"{chapter}.ipynb"


def fingerprint(root: Path, chapter: str, staged: Staged) -> str:
    """A digest of everything a verdict depends on. While it stays, the verdict stays."""
    parts = [staged.clean, staged.refused, checks_digest(), secret_seed(root)]
    release = hashlib.sha256(release_path(root, chapter).read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps([*parts, release]).encode()).hexdigest()


@lru_cache(maxsize=1)
def checks_digest() -> str:
    """A digest of the code that decides: change a check, and every verdict is due again."""
    folders = [ROOT / "utils" / "checks", ROOT / "grading" / "jail", ROOT / "grading" / "intake"]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    files += [ROOT / "grading" / name for name in ("verdict.py", "reading.py", "needed.py", "hidden.py", "staging.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


# ── records on disk ──────────────────────────────────────────────────────────────────────────────────────────────────


def record_path(root: Path, learner: str, chapter: str) -> Path:
    return root / "grading" / "verdicts" / chapter / f"{learner}.json"


def entered_path(root: Path, learner: str, chapter: str) -> Path:
    """Where the fingerprint of the record that stands in the gradebook is noted."""
    return record_path(root, learner, chapter).with_suffix(".entered")


def save(root: Path, record: Record) -> None:
    """Write a record so that it is there whole or not at all, whenever the power fails."""
    path = record_path(root, record.learner, record.chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(record), file, ensure_ascii=True)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load(root: Path, learner: str, chapter: str) -> Record | None:
    """The record of a submission, if there is one that can be read."""
    path = record_path(root, learner, chapter)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        items = {name: Item(**item) for name, item in known.pop("items").items()}
        return Record(**{**known, "notes": tuple(known["notes"]), "items": items})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def current(root: Path, learner: str, chapter: str) -> Record | None:
    """The record of a submission, if nothing it depends on has changed since."""
    record = load(root, learner, chapter)
    same = record and record.fingerprint == fingerprint(root, chapter, stage(root, learner, chapter))
    return record if same else None
