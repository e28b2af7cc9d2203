"""Staging: a raw submission makes way for the released notebook with its answers, and is kept, byte for byte.

nbgrader, formgrader and the jail only ever see grading/submitted as it is after staging: one folder a learner and
chapter, in it one notebook and, if there was one, nbgrader's timestamp. What was handed in lies under
grading/originals/CHAPTER/LEARNER/001, 002 …, the newest last. Every step is a rename, so that a run which is broken off
loses nothing; the next one picks it up. When a chapter is released anew, submissions are taken in again from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import nbformat
from nbgrader.utils import parse_utc

from grading import intake
from grading.checked import items_asked
from grading.course import ROOT

NOTEBOOK, STAMP, MANIFEST = "{chapter}.ipynb", "timestamp.txt", "manifest.json"
DRAFT, OUTDATED = "staged.part", "outdated.part"


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
    basis : str
        Digest of the release and of the intake's code; with another, it is due to be taken in again.
    before : str
        `clean` as it was before that was done, if it was.
    bundle : str
        Digest of what came with the notebook, where the assignment asks for a bundle.
    """

    clean: str
    raw: str
    refused: str = ""
    notes: tuple[str, ...] = ()
    basis: str = ""
    before: str = ""
    bundle: str = ""


def submitted(root: Path, learner: str, chapter: str) -> Path:
    return root / "grading" / "submitted" / learner / chapter


def release_path(root: Path, chapter: str) -> Path:
    return root / "notebooks" / chapter / f"{chapter}.ipynb"


def originals(root: Path, learner: str, chapter: str) -> Path:
    return root / "grading" / "originals" / chapter / learner


def stage(root: Path, learner: str, chapter: str) -> Staged:
    """Take a submission in, if that has not been done; return how it was taken in.

    Raises
    ------
    FileNotFoundError
        If there is no such submission, or the chapter is not released.
    RuntimeError
        If the manifest is damaged.
    """
    recover(root, learner, chapter)
    done = taken_in(root, learner, chapter)
    if done:
        return done
    again, _ = made_of(root, learner, chapter)
    staged, text = taken(root, learner, chapter)
    folder, kept = submitted(root, learner, chapter), originals(root, learner, chapter)
    kept.mkdir(parents=True, exist_ok=True)
    draft(kept / DRAFT, text, chapter, handed_in_at(root, learner, chapter))
    written(kept / MANIFEST, json.dumps(asdict(staged)))
    exchange(folder, kept / DRAFT, kept / OUTDATED if again else kept / staged.raw)
    return staged


def taken(root: Path, learner: str, chapter: str) -> tuple[Staged, bytes]:
    """How a submission is taken in, and the notebook made of it. Nothing is changed on disk. Raises as `stage`."""
    folder, kept = submitted(root, learner, chapter), originals(root, learner, chapter)
    done = taken_in(root, learner, chapter)
    if done:
        return done, (folder / NOTEBOOK.format(chapter=chapter)).read_bytes()
    again, there = made_of(root, learner, chapter)
    raw = again.raw if again else next_number(kept)
    source = kept / raw if again and os.path.lexists(kept / raw) else folder
    release, arrival = released(root, chapter), refused_on_arrival(root, chapter).get(learner, "")
    if again and again.refused and source == folder:  # nothing of it lies here
        notebook, notes, refused, digest = release, (), again.refused, again.bundle
    elif os.path.lexists(source):
        notebook, notes, refused, digest = understood(source, release, chapter)
    elif arrival:
        notebook, notes, refused, digest = release, (), arrival, ""
    else:
        raise FileNotFoundError(f"{learner} has handed in nothing for {chapter}: there is no folder {folder}.")
    text = nbformat.writes(notebook).encode("utf-8", "replace")
    clean = hashlib.sha256(text).hexdigest()
    return Staged(clean, raw, refused, notes, basis(root, chapter), there if again else "", digest), text


def exchange(folder: Path, new: Path, away: Path) -> None:
    """Put `new` in the place of `folder`, which goes `away`."""
    shutil.rmtree(away.with_name(OUTDATED), ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(folder):
        os.rename(folder, away)
    os.rename(new, folder)
    shutil.rmtree(away.with_name(OUTDATED), ignore_errors=True)


def released(root: Path, chapter: str):
    return nbformat.read(release_path(root, chapter), as_version=4)


def understood(source: Path, release, chapter: str) -> tuple:
    """What the intake makes of a submission: notebook, what was odd, why it was refused if it was, bundle's digest."""
    try:
        if not items_asked(release):
            taken = intake.take(source, release, chapter)
            return taken.notebook, tuple(taken.notes), "", ""
        bundle = intake.open_bundle(source)
        taken = intake.take_bundled(source, bundle, release, chapter)
        return taken.notebook, (*bundle.notes, *taken.notes), "", bundle.digest
    except intake.Refused as refusal:
        return release, (), str(refusal), ""


def bundle(root: Path, learner: str, chapter: str, staged: Staged) -> intake.Opened:
    """What came with the notebook of a submission that was taken in, or that lies there to be taken in."""
    kept = originals(root, learner, chapter) / staged.raw
    return intake.open_bundle(kept if os.path.lexists(kept) else submitted(root, learner, chapter))


def refused_on_arrival(root: Path, chapter: str) -> dict[str, str]:
    """By learner, why nothing of what came in a ZIP could be kept as a submission; its bytes lie in received/."""
    return intake.refusals(chapter, root / "grading" / "submitted")


def draft(target: Path, text: bytes, chapter: str, time: str) -> None:
    """Make the folder that will take the submission's place."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    write_through(target / NOTEBOOK.format(chapter=chapter), text)
    if time:
        (target / STAMP).write_text(time, encoding="utf-8")


def handed_in_at(root: Path, learner: str, chapter: str) -> str:
    """When, as nbgrader's late policy wants it; empty if nobody knows.

    Of what came in a platform's ZIP the platform tells, and not a file that the learner put in. Beside any other
    submission, nbgrader's timestamp may lie.
    """
    folder = submitted(root, learner, chapter)
    told = intake.time_told(learner, chapter, folder, root / "grading" / "submitted")
    return time_of(folder / STAMP) if told is None else told


def time_of(stamp: Path) -> str:
    """What nbgrader's timestamp says, if it is one."""
    try:
        if stamp.is_symlink() or stamp.parent.is_symlink() or not stamp.is_file() or stamp.stat().st_size > 200:
            return ""
        said = stamp.read_text(encoding="utf-8").strip()
        return said if parse_utc(said) else ""
    except (OSError, ValueError, TypeError, OverflowError):
        return ""


def written(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    write_through(part, text.encode("utf-8"))
    part.replace(path)


def write_through(path: Path, data: bytes) -> None:
    """Write a file, and wait until it is on the disk: a rename after a power cut must not find it empty."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def next_number(kept: Path) -> str:
    return f"{1 + max((int(path.name) for path in kept.glob('[0-9]*') if path.name.isdecimal()), default=0):03}"


def taken_in(root: Path, learner: str, chapter: str) -> Staged | None:
    """How a submission was taken in, unless that is still to be done or a newer one lies there. Nothing is changed."""
    known, there = made_of(root, learner, chapter)
    return known if known and known.clean == there and known.basis == basis(root, chapter) else None


def made_of(root: Path, learner: str, chapter: str) -> tuple[Staged | None, str]:
    """How what stands in a submission's folder was made, and its digest; None if it is not staging's work."""
    known, there = manifest(root, learner, chapter), standing(root, learner, chapter)
    made = known and there and there in (known.clean, known.before)
    # A submission can be just what staging makes of it, and then the digest does not tell which of the two it is.
    put_away = made and (known.refused or os.path.lexists(originals(root, learner, chapter) / known.raw))
    return (known if put_away else None), there


def basis(root: Path, chapter: str) -> str:
    """A digest of what a submission is taken in with: the release and the intake's code."""
    return hashlib.sha256(release_path(root, chapter).read_bytes() + code_of_intake()).hexdigest()


@lru_cache(maxsize=1)
def code_of_intake() -> bytes:
    return b"".join(path.read_bytes() for path in sorted((ROOT / "grading" / "intake").glob("*.py")))


def manifest(root: Path, learner: str, chapter: str) -> Staged | None:
    """How a submission was taken in the last time; None if it never was."""
    path = originals(root, learner, chapter) / MANIFEST
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Staged(**{**known, "notes": tuple(known["notes"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:  # guessing could make a refused submission pass for an empty one
        raise RuntimeError(
            f"{path} is damaged, so nobody knows how this submission was taken in. Copy what was handed in, the "
            f"highest number in {path.parent}, back to {submitted(root, learner, chapter)}, delete the damaged file, "
            "and grade again."
        ) from error


def standing(root: Path, learner: str, chapter: str) -> str:
    """The digest of the notebook in a submission's folder, if that looks as staging leaves it; else nothing."""
    folder = submitted(root, learner, chapter)
    notebook = folder / NOTEBOOK.format(chapter=chapter)
    if folder.is_symlink() or not folder.is_dir() or {path.name for path in folder.iterdir()} - {notebook.name, STAMP}:
        return ""
    plain = notebook.is_file() and not notebook.is_symlink()
    return hashlib.sha256(notebook.read_bytes()).hexdigest() if plain else ""


def recover(root: Path, learner: str, chapter: str) -> None:
    """Finish a staging that was broken off between its two renames."""
    known, kept = manifest(root, learner, chapter), originals(root, learner, chapter)
    folder = submitted(root, learner, chapter)
    if known and (kept / DRAFT).is_dir() and (kept / known.raw).exists() and not os.path.lexists(folder):
        os.rename(kept / DRAFT, folder)
    if os.path.lexists(folder):
        shutil.rmtree(kept / OUTDATED, ignore_errors=True)


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
