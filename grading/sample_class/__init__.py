"""A class of learners who were never born: what each would hand in, and what that should score.

LEARNER/GRADE_ID.py (or .md) is an answer: the text of one cell, put into the released notebook when it is wanted, so
that a change to a chapter does not leave it behind. class.toml says who hands in which chapters, and, exercise by
exercise, what it should score and why. The scores were assigned by hand, from the aspects of each question, before
anything was run.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Learner:
    """One of the class.

    Attributes
    ----------
    name, style : str
        `style` says what the learner stands for.
    scores : dict of str to float
        By check; a check that is missing here is worth 0 to this learner.
    chapters : tuple of str
        What is handed in.
    cut_off : bool
        Whether the upload broke off half-way.
    """

    name: str
    style: str
    scores: dict[str, float]
    chapters: tuple[str, ...]
    cut_off: bool = False

    @property
    def answers(self) -> dict[str, str]:
        """By grade_id, the text of each cell that this learner has filled in."""
        files = [path for path in (HERE / self.name).glob("*") if path.suffix in (".py", ".md")]
        return {path.stem: path.read_text(encoding="utf-8").rstrip("\n") for path in files}


def learners() -> list[Learner]:
    """The whole class."""
    known = tomllib.loads((HERE / "class.toml").read_text(encoding="utf-8"))
    return [
        Learner(name, entry["style"], entry.get("scores", {}), tuple(entry["chapters"]), entry.get("cut_off", False))
        for name, entry in known.items()
    ]


def hand_in(root: Path) -> None:
    """Put every learner's work where nbgrader looks for submissions in the course folder `root`."""
    for learner in learners():
        for chapter in learner.chapters:
            released = root / "notebooks" / chapter / f"{chapter}.ipynb"
            submitted = root / "grading" / "submitted" / learner.name / chapter / released.name
            submitted.parent.mkdir(parents=True, exist_ok=True)
            text = nbformat.writes(filled_in(nbformat.read(released, as_version=4), learner.answers))
            submitted.write_text(text[: len(text) // 2] if learner.cut_off else text, encoding="utf-8")


def filled_in(nb, answers: dict[str, str]):
    """A released notebook with the answers in it."""
    for cell in nb.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("solution") and grading["grade_id"] in answers:
            cell.source = answers[grading["grade_id"]]
    return nb
