"""What goes out: the class's status, its misconceptions, and the grades for the learning platform."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nbgrader.api import Gradebook

from grading.course import gradebook_url
from grading.intake.learners import Learners
from grading.records import FAILED, GRADED, Item, Record, of_class, one_line, stands

UNGRADED = "not graded yet"
NOT_BEGUN, UNNAMED, RIGHT, UNJUDGED = "not begun", "another mistake", "right", "without a verdict"
PLATFORMS = ("canvas", "moodle", "plain")


def status(root: Path, chapter: str) -> str:
    """Every submission with its status and the reason: none is left out."""
    found = [(one_line(learner), *state(root, record)) for learner, record in of_class(root, chapter).items()]
    wide = max((len(learner) for learner, _, _ in found), default=0)
    late = {one_line(who) for who, row in known_to_the_platform(root, chapter).items() if row["late"]}
    lines = []
    for learner, name, why in found:
        said = [why] * bool(why) + ["late, as the platform says"] * (learner in late)
        lines.append(f"{learner:<{wide}}  {name:<14}  {'; '.join(said)}".rstrip())
    return "\n".join([*lines, "", tally([name for _, name, _ in found], chapter)])


def state(root: Path, record: Record | None) -> tuple[str, str]:
    """A submission's status and the reason, on one line."""
    if record is None:
        return UNGRADED, ""
    if record.status != FAILED and not stands(root, record):
        return UNGRADED, "it was examined, but is not in the gradebook: grade again"
    return record.status, one_line(record.why)


def summary(class_: list[Record], chapter: str) -> str:
    return tally([record.status for record in class_], chapter)


def tally(states: list[str], chapter: str) -> str:
    total = ", ".join(f"{count} {state}" for state, count in Counter(states).most_common())
    return f"{chapter}: {len(states)} submissions: {total or 'none'}."


# ── misconceptions ───────────────────────────────────────────────────────────────────────────────────────────────────


def misconceptions(root: Path, chapter: str) -> dict[str, Counter]:
    """By check, how many of the class made which mistake, were right, had not begun."""
    table: dict[str, Counter] = {}
    for record in filter(None, of_class(root, chapter).values()):
        for item in record.items.values():
            table.setdefault(item.check, Counter())[kind(item)] += 1
    return table


def kind(item: Item) -> str:
    if not item.aspects:
        return UNJUDGED
    if all(item.aspects.values()):
        return RIGHT
    return item.mistake or (NOT_BEGUN if item.text.startswith("○") else UNNAMED)


def misconceptions_csv(table: dict[str, Counter]) -> str:
    rows = [(check, name, count) for check, counts in table.items() for name, count in counts.most_common()]
    return as_csv([("check", "what", "learners"), *rows])


def misconceptions_page(table: dict[str, Counter], chapter: str) -> str:
    """The table as a page with bars."""
    parts = []
    for check, counts in table.items():
        total = sum(counts.values())
        rows = "".join(bar(name, count, total) for name, count in counts.most_common())
        parts.append(f"<h2>{escape(check)} <small>{total} learners</small></h2><table>{rows}</table>")
    return PAGE.format(
        title=f"Misconceptions in {escape(chapter)}", body="".join(parts) or "<p>Nothing is graded yet.</p>"
    )


def bar(name: str, count: int, total: int) -> str:
    colour = {RIGHT: "#009E73", NOT_BEGUN: "#999999", UNJUDGED: "#CC79A7"}.get(name, "#D55E00")
    return (
        f'<tr><th scope="row">{escape(name)}</th><td class="n">{count}</td>'
        f'<td><div style="width:{100 * count / total:.1f}%;background:{colour}"></div></td></tr>'
    )


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.4 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }}
table {{ width: 100%; border-collapse: collapse }} th {{ text-align: left; font-weight: normal; width: 18rem }}
td.n {{ text-align: right; width: 3rem; padding-right: .8rem }} td div {{ height: 1rem }}
h2 {{ font-size: 1.1rem }} small {{ font-weight: normal }}
</style></head><body><h1>{title}</h1>{body}</body></html>
"""


# ── grades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Grade:
    """A learner's score for a chapter; None while there is none to be trusted, and then the reason."""

    learner: str
    score: float | None
    worth: float
    status: str
    why: str = ""


def grades(root: Path, chapter: str) -> list[Grade]:
    """Every submission's score, manual points and late penalty included, if it is finished and up to date.

    A submission that failed, waits for a look or for grading by hand has no score here: never a zero that nobody gave.
    """
    found = []
    entered, worth = in_gradebook(root, chapter)
    for learner, record in of_class(root, chapter).items():
        status, why = state(root, record)
        score, open_ = entered.get(learner, (0.0, True))
        if status == UNGRADED or learner not in entered:
            found.append(Grade(learner, None, worth, status, why))
        elif open_:
            by_hand = ("to be graded by hand", "") if status == GRADED else (status, why)
            found.append(Grade(learner, None, worth, *by_hand))
        else:
            found.append(Grade(learner, score, worth, GRADED))
    return found


def in_gradebook(root: Path, chapter: str) -> tuple[dict[str, tuple[float, bool]], float]:
    """By learner, the score and whether it waits for a human; and what the chapter is worth.

    Raises
    ------
    FileNotFoundError
        If the course has no gradebook yet. (nbgrader would make an empty one.)
    """
    path = root / "grading" / "gradebook.db"
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no gradebook at {path} yet. `python -m grading autograde {chapter}` fills it."
        )
    with Gradebook(gradebook_url(root)) as gradebook:
        if chapter not in {assignment.name for assignment in gradebook.assignments}:
            return {}, 0.0
        rows = {
            s.student.id: (max(0.0, s.score - (s.late_submission_penalty or 0.0)), bool(s.needs_manual_grade))
            for s in gradebook.assignment_submissions(chapter)
        }
        return rows, gradebook.find_assignment(chapter).max_score


def export(root: Path, chapter: str, platform: str) -> str:
    """The grades as CSV for a platform; learners without a finished grade have an empty field.

    Canvas: "Import" in its gradebook. Moodle: "Upload grading worksheet" in the assignment, with "Allow updating
    records that have been modified more recently" ticked. Both leave an empty grade alone.

    Parameters
    ----------
    platform : {"canvas", "moodle", "plain"}
    """
    return as_csv({"canvas": canvas, "moodle": moodle, "plain": plain}[platform](root, chapter))


def plain(root: Path, chapter: str) -> list[tuple]:
    rows = [(g.learner, chapter, number(g.score), number(g.worth), g.status, g.why) for g in grades(root, chapter)]
    return [("learner", "chapter", "score", "of", "status", "why"), *rows]


def canvas(root: Path, chapter: str) -> list[tuple]:
    """As Canvas exports and imports its gradebook. It knows a learner by ID, else by login, else by name."""
    people, found = known_to_the_platform(root, chapter), grades(root, chapter)
    rows = [("Student", "ID", "SIS User ID", "SIS Login ID", "Section", chapter)]
    rows.append(("Points Possible", "", "", "", "", number(found[0].worth) if found else ""))
    for g in found:
        person = people.get(g.learner, {})
        of_canvas = person.get("number", "") if person.get("lms") == "canvas" else ""
        login = "" if of_canvas else g.learner
        rows.append((person.get("name") or g.learner, of_canvas, "", login, "", number(g.score)))
    return rows


def moodle(root: Path, chapter: str) -> list[tuple]:
    """As Moodle's grading worksheet. It knows a learner by the number in the folder names of its ZIP, and no other way.

    The reason is left out: a learner is not to be told of a suspicion, and its words may be a stranger's.
    """
    people = known_to_the_platform(root, chapter)
    rows = [("Identifier", "Full name", "Email address", "Status", "Grade", "Last modified (grade)")]
    for g in grades(root, chapter):
        person = people.get(g.learner, {})
        of_moodle = person.get("number", "") if person.get("lms") == "moodle" else ""
        who = (f"Participant {of_moodle}" if of_moodle else g.learner, person.get("name", ""), person.get("email", ""))
        rows.append((*who, g.status, number(g.score), ""))
    return rows


def known_to_the_platform(root: Path, chapter: str) -> dict[str, dict[str, str]]:
    """By learner, the name, number and address under which the platform's ZIP had them."""
    rows = Learners.read(root / "grading" / "received" / "learners.csv").rows
    return {row["learner"]: row for row in rows if row["chapter"] == chapter}


def number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def as_csv(rows: list[tuple]) -> str:
    """Rows as CSV, quoted as RFC 4180 has it; no text can pass for a spreadsheet's formula."""
    out = io.StringIO()
    csv.writer(out).writerows([[harmless(field) for field in row] for row in rows])
    return out.getvalue()


def harmless(field) -> str:
    text = str(field)
    formula = text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and not re.fullmatch(r"[+-]?\d+(\.\d+)?", text)
    return "'" + text if formula else text
