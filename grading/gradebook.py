"""The gradebook as a table: learners down, exercises across, in the order in which the notebooks ask them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from grading.course import chapters, gradebook_url
from grading.records import FAILED, GRADED, REFUSED, TIMED_OUT, of_class, one_line, stands

ABSENT, UNGRADED, BY_HAND, LOOK = "·", "✘", "?", "!"


@dataclass(frozen=True)
class Exercise:
    """A graded cell: where it stands, what it is called in the table, what it is worth."""

    chapter: str
    grade_id: str
    name: str
    points: float


@dataclass(frozen=True)
class Mark:
    """What a learner has for an exercise: a score, or None while nobody, machine or human, has given one.

    `by_hand`: free text that waits for its grade; `look`: a check without a verdict, or with a doubtful one.
    """

    score: float | None
    by_hand: bool = False
    look: bool = False

    def __str__(self) -> str:
        return BY_HAND if self.by_hand else LOOK if self.look else UNGRADED if self.score is None else f"{self.score:g}"


def exercises(root: Path) -> list[Exercise]:
    """The graded cells of the released notebooks, in their order."""
    found = []
    for chapter in chapters(root / "notebooks"):
        nb = nbformat.read(root / "notebooks" / chapter / f"{chapter}.ipynb", as_version=4)
        for cell in nb.cells:
            grading = cell.metadata.get("nbgrader", {})
            if grading.get("grade"):
                check = re.search(r'check\("(\w+)"', cell.source)
                name = check[1] if check else grading["grade_id"]
                found.append(Exercise(chapter, grading["grade_id"], name, grading["points"]))
    return found


def marks(root: Path) -> dict[str, dict[str, Mark]]:
    """By learner and grade_id, what the gradebook holds; a chapter that was not handed in is not in it.

    Raises
    ------
    FileNotFoundError
        If the course has no gradebook yet. (nbgrader would make an empty one.)
    """
    path = root / "grading" / "gradebook.db"
    if not path.is_file():
        raise FileNotFoundError(f"There is no gradebook at {path} yet. `make release` begins one.")
    found: dict[str, dict[str, Mark]] = {}
    with Gradebook(gradebook_url(root)) as gradebook:
        for assignment in gradebook.assignments:
            for submission in assignment.submissions:
                row = found.setdefault(submission.student.id, {})
                for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                    given = grade.manual_score is not None or grade.auto_score is not None
                    waits = grade.needs_manual_grade and grade.manual_score is None
                    text = grade.cell.cell_type == "markdown"
                    row[grade.name] = Mark(grade.score if given else None, waits and text, waits and given and not text)
    return found


def table(root: Path) -> str:
    """The gradebook of the course in `root` as text, and below it every submission that is no plain grade."""
    asked, rows, odd = exercises(root), marks(root), oddities(root)
    failed = {key for key, (sign, _) in odd.items() if sign == UNGRADED}
    head = [["learner", *(e.name for e in asked), "total"], ["", *(e.chapter[:2] for e in asked), ""]]
    head.append(["", *(f"/{e.points:g}" for e in asked), f"/{sum(e.points for e in asked):g}"])
    body = []
    for learner in sorted({*rows, *(name for name, _ in failed)}):
        row = rows.get(learner, {})
        cells = [UNGRADED if (learner, e.chapter) in failed else str(row.get(e.grade_id, ABSENT)) for e in asked]
        counted = [row[e.grade_id] for e in asked if e.grade_id in row and (learner, e.chapter) not in failed]
        total = sum(mark.score or 0 for mark in counted)
        body.append([one_line(learner), *cells, f"{total:g}"])
    lines = [*layout(head, body), "", *legend(body)]
    lines += [f"{sign} {one_line(name)}, {chapter}: {why}" for (name, chapter), (sign, why) in odd.items()]
    return "\n".join(lines)


def oddities(root: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """By learner and chapter, the sign and the sentence for each submission that was not simply graded."""
    found = {}
    for chapter in chapters(root / "notebooks"):
        for learner, record in of_class(root, chapter).items():
            if record is None:
                found[learner, chapter] = UNGRADED, "not graded yet"
            elif not stands(root, record):
                found[learner, chapter] = UNGRADED, "it was examined, but is not in the gradebook: grade again"
            elif record.status != GRADED:
                sign = UNGRADED if record.status in (REFUSED, TIMED_OUT, FAILED) else LOOK
                found[learner, chapter] = sign, f"{record.status}: {one_line(record.why)}"
    return found


def layout(head: list[list[str]], body: list[list[str]]) -> list[str]:
    """Columns under stacked headings: "conv_output_size" takes three short lines."""
    words = [re.findall(r"[^_]+_?", title) for title in head[0]]
    height = max(map(len, words))
    stacked = [[""] * (height - len(word)) + word for word in words]
    upper = [[column[i] for column in stacked] for i in range(height)] + head[1:]
    widths = [max(map(len, column)) for column in zip(*upper, *body, strict=True)]

    def line(row: list[str]) -> str:
        first, *numbers = row
        rest = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        return "  ".join([first.ljust(widths[0]), *rest]).rstrip()

    return [*map(line, upper), "─" * (sum(widths) + 2 * len(widths) - 2), *map(line, body)]


def legend(body: list[list[str]]) -> list[str]:
    """What the signs mean, of those that occur."""
    meanings = {
        BY_HAND: "to be graded by hand, in formgrader",
        LOOK: "needs a look: worth nothing until you have decided, in formgrader",
        ABSENT: "not handed in",
        UNGRADED: "could not be graded: not a zero, but a case for you",
    }
    signs = {cell for row in body for cell in row}
    return [f"{sign} {meaning}" for sign, meaning in meanings.items() if sign in signs]
