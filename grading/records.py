"""What is known about each submission, on disk: its record, and whether that stands in the gradebook.

A record is there whole or not at all, and counts only while nothing that it depends on has changed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from grading.course import ROOT
from grading.hidden import secret_seed
from grading.staging import Staged, handed_in, release_path, taken_in, written

GRADED, LOOK, REFUSED, TIMED_OUT, FAILED = "graded", "needs a look", "refused", "timed out", "failed"


def one_line(text: str) -> str:
    """A stranger's words, fit for a terminal: on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


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
        GRADED, LOOK, REFUSED, TIMED_OUT or, if it was the grading that failed, FAILED; and the sentence that goes with
        it.
    notes : tuple of str
        What was odd about the file, and how it was understood.
    items : dict of str to Item
        By grade_id.
    outputs : dict of str to dict
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


# ── what a verdict depends on ────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(root: Path, chapter: str, staged: Staged) -> str:
    """A digest of everything a verdict depends on. While it stays, the verdict stays."""
    parts = [staged.clean, staged.refused, checks_digest(), secret_seed(root), *([staged.bundle] * bool(staged.bundle))]
    release = hashlib.sha256(release_path(root, chapter).read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps([*parts, release]).encode()).hexdigest()


@lru_cache(maxsize=1)
def checks_digest() -> str:
    """A digest of the code that decides: change a check, and every verdict is due again."""
    folders = [ROOT / "utils" / "checks", ROOT / "utils" / "assignment", ROOT / "grading" / "jail"]
    files = [path for folder in folders for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.toml")])]
    names = ("verdict.py", "assignment.py", "checked.py", "reading.py", "needed.py", "hidden.py")
    files += [ROOT / "grading" / name for name in names]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


# ── records on disk ──────────────────────────────────────────────────────────────────────────────────────────────────


def record_path(root: Path, learner: str, chapter: str) -> Path:
    return root / "grading" / "verdicts" / chapter / f"{learner}.json"


def save(root: Path, record: Record) -> None:
    """Write a record so that it is there whole or not at all, whenever the power fails."""
    path = record_path(root, record.learner, record.chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    written(path, json.dumps(asdict(record), ensure_ascii=True))


def load(root: Path, learner: str, chapter: str) -> Record | None:
    """The record of a submission, if there is one that can be read."""
    path = record_path(root, learner, chapter)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        items = {name: Item(**item) for name, item in known.pop("items").items()}
        return Record(**{**known, "notes": tuple(known["notes"]), "items": items})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def current(root: Path, learner: str, chapter: str) -> Record | None:
    """The record of a submission, if nothing it depends on has changed since. Nothing is changed on disk.

    One without a fingerprint, at which the grading failed before the file was taken in, counts until the next try.
    """
    record = load(root, learner, chapter)
    if record is None or not record.fingerprint:
        return record
    try:
        staged = taken_in(root, learner, chapter)
    except RuntimeError:  # a damaged manifest
        return None
    return record if staged and record.fingerprint == fingerprint(root, chapter, staged) else None


def of_class(root: Path, chapter: str) -> dict[str, Record | None]:
    """By learner, the record of everything that was handed in; None for what is not graded yet."""
    return {learner: current(root, learner, chapter) for learner in handed_in(root, chapter)}


# ── what stands in the gradebook ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Entry:
    """What the gradebook has of a submission: the record's fingerprint, while it has all of it, and the notebook's."""

    record: str = ""
    clean: str = ""


def entry_path(root: Path, learner: str, chapter: str) -> Path:
    return record_path(root, learner, chapter).with_suffix(".entered")


def entry(root: Path, learner: str, chapter: str) -> Entry:
    try:
        return Entry(**json.loads(entry_path(root, learner, chapter).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Entry()


def note_entry(root: Path, learner: str, chapter: str, entry: Entry) -> None:
    path = entry_path(root, learner, chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    written(path, json.dumps(asdict(entry)))


def stands(root: Path, record: Record) -> bool:
    """Whether the gradebook holds just this record."""
    return bool(record.fingerprint) and entry(root, record.learner, record.chapter).record == record.fingerprint
