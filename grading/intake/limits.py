"""How much of anything the intake accepts, and how it says no."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Generous for work, tight for mischief. Sizes are in bytes where nothing else is said.

    Attributes
    ----------
    notebook : int
        Of one notebook file, its outputs included.
    structures : int
        Objects and lists in a notebook's JSON: small in a file, large in memory.
    cells, lines, text : int
        Cells of a notebook, and lines and characters in all of them together.
    entries, depth : int
        Files and folders of one submission, and how deep they may lie.
    notebooks : int
        How many notebooks of one submission are read to find the chapter's.
    archive_entries, archive : int
        Of a ZIP with a class in it: its entries, and what they inflate to.
    file, learner : int
        What one file and all files of one learner inflate to.
    ratio, ratio_from : int
        Beyond `ratio_from` bytes, a file must not inflate to more than `ratio` times its size in the ZIP. A notebook
        within its own limit may: endless output of one line shrinks to almost nothing.
    """

    notebook: int = 50 * MB
    structures: int = 2_000_000
    cells: int = 2_000
    lines: int = 200_000
    text: int = 10_000_000
    entries: int = 2_000
    depth: int = 20
    notebooks: int = 10
    archive_entries: int = 100_000
    archive: int = 20_000 * MB
    file: int = 200 * MB
    learner: int = 400 * MB
    ratio: int = 200
    ratio_from: int = 60 * MB


class Refused(Exception):
    """A submission that cannot be taken. Its text tells the learner what was wrong, where, and what to do."""


def shown(name: object, longest: int = 80) -> str:
    """A name that a stranger chose, fit for a sentence: in quotation marks, printable and short."""
    text = "".join(c if c.isprintable() and unicodedata.category(c) not in HIDDEN else "�" for c in str(name))
    return f"“{text if len(text) <= longest else text[: longest - 1] + '…'}”"


HIDDEN = ("Cf", "Cs", "Co")  # they turn a text around, or cannot be written


def megabytes(size: int) -> str:
    return f"{size / MB:.0f} MB" if size >= 10 * MB else f"{size / MB:.1f} MB"
