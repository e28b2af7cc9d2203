"""Staging: a raw submission makes way for the released notebook with its answers, and is kept, byte for byte.

nbgrader, formgrader and the jail only ever see grading/submitted as it is after staging: one folder a learner and
chapter, in it one notebook and, if there was one, nbgrader's timestamp. What was handed in lies under
grading/originals/CHAPTER/LEARNER/001, 002 …, the newest last. Every step is a rename, so that a run which is broken off
loses nothing; the next one picks it up.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat

from grading import intake

NOTEBOOK, STAMP, MANIFEST, DRAFT = "{chapter}.ipynb", "timestamp.txt", "manifest.json", "staged.part"


@dataclass(frozen=True)
class Staged:
    """How a submission was taken in.

    Attributes
    ----------
    clean : str
        SHA-256 of the notebook that was made of it.
    raw : str
        The folder in originals/ that holds what was handed in.
    refused : str
        Why nothing could be taken from it; empty otherwise.
    notes : tuple of str
        What was odd, and how it was understood.
    """

    clean: str
    raw: str
    refused: str = ""
    notes: tuple[str, ...] = ()


def submitted(root: Path, learner: str, chapter: str) -> Path:
    return root / "grading" / "submitted" / learner / chapter


def originals(root: Path, learner: str, chapter: str) -> Path:
    return root / "grading" / "originals" / chapter / learner


def stage(root: Path, learner: str, chapter: str) -> Staged:
    """Take a submission in, if that has not been done; return how it was taken in.

    Raises
    ------
    FileNotFoundError
        If there is no such submission, or the chapter is not released.
    """
    recover(root, learner, chapter)
    known = manifest(root, learner, chapter)
    if known and is_clean(root, learner, chapter, known):
        return known
    folder, kept = submitted(root, learner, chapter), originals(root, learner, chapter)
    released = nbformat.read(root / "notebooks" / chapter / f"{chapter}.ipynb", as_version=4)
    refused, notes, notebook = "", (), released
    if not os.path.lexists(folder):
        refused = refused_on_arrival(root, chapter).get(learner, "")
        if not refused:
            raise FileNotFoundError(f"{learner} has handed in nothing for {chapter}: there is no folder {folder}.")
    else:
        try:
            taken = intake.take(folder, released, chapter)
            notebook, notes = taken.notebook, tuple(taken.notes)
        except intake.Refused as refusal:
            refused = str(refusal)
    kept.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(notebook).encode("utf-8", "replace")
    staged = Staged(hashlib.sha256(text).hexdigest(), next_number(kept), refused, notes)
    draft(kept / DRAFT, folder, text, chapter)
    written(kept / MANIFEST, json.dumps(asdict(staged)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(folder):
        os.rename(folder, kept / staged.raw)
    os.rename(kept / DRAFT, folder)
    return staged


def refused_on_arrival(root: Path, chapter: str) -> dict[str, str]:
    """By learner, why nothing of what came in a ZIP could be kept as a submission; its bytes lie in received/."""
    return intake.refusals(chapter, root / "grading" / "submitted")


def draft(target: Path, folder: Path, text: bytes, chapter: str) -> None:
    """Make the folder that will take the submission's place."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    (target / NOTEBOOK.format(chapter=chapter)).write_bytes(text)
    stamp = folder / STAMP
    if not folder.is_symlink() and stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < 200:
        (target / STAMP).write_bytes(stamp.read_bytes())


def written(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def next_number(kept: Path) -> str:
    return f"{1 + max((int(path.name) for path in kept.iterdir() if path.name.isdigit()), default=0):03}"


def manifest(root: Path, learner: str, chapter: str) -> Staged | None:
    try:
        known = json.loads((originals(root, learner, chapter) / MANIFEST).read_text(encoding="utf-8"))
        return Staged(**{**known, "notes": tuple(known["notes"])})
    except FileNotFoundError:
        return None


def is_clean(root: Path, learner: str, chapter: str, known: Staged) -> bool:
    """Whether the submission's folder still is what staging left there; a newer submission has changed it."""
    folder = submitted(root, learner, chapter)
    notebook = folder / NOTEBOOK.format(chapter=chapter)
    if folder.is_symlink() or not folder.is_dir() or {path.name for path in folder.iterdir()} - {notebook.name, STAMP}:
        return False
    plain = notebook.is_file() and not notebook.is_symlink()
    return plain and hashlib.sha256(notebook.read_bytes()).hexdigest() == known.clean


def recover(root: Path, learner: str, chapter: str) -> None:
    """Finish a staging that was broken off between its two renames."""
    known, kept = manifest(root, learner, chapter), originals(root, learner, chapter)
    folder = submitted(root, learner, chapter)
    if known and (kept / DRAFT).is_dir() and (kept / known.raw).exists() and not os.path.lexists(folder):
        os.rename(kept / DRAFT, folder)


def before_autograde(assignment: str, student: str, notebooks: list[str]) -> None:
    """nbgrader's hook before it grades a submission: stage it, whatever it looks like.

    `notebooks` is nbgrader's own list of what it will convert; after staging there is exactly one. Which submission it
    is at stands only there: the other arguments are the patterns of its command line, "*" as a rule.
    """
    folder = Path(os.path.abspath(notebooks[0])).parent
    root, learner, chapter = folder.parents[3], folder.parent.name, folder.name
    stage(root, learner, chapter)
    notebooks[:] = [str(submitted(root, learner, chapter) / NOTEBOOK.format(chapter=chapter))]


def handed_in(root: Path, chapter: str) -> list[str]:
    """The learners with a submission for `chapter`, interrupted and refused ones included."""
    present = {path.parent.name for path in (root / "grading" / "submitted").glob(f"*/{chapter}")}
    kept = {path.parent.name for path in (root / "grading" / "originals" / chapter).glob(f"*/{DRAFT}")}
    return sorted(present | kept | refused_on_arrival(root, chapter).keys())
