"""What goes out: the class's status, its misconceptions, and the grades for the learning platform."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nbgrader.api import Gradebook

from grading import verdict
from grading.course import gradebook_url
from grading.intake.learners import Learners
from grading.staging import handed_in
from grading.verdict import Record

NOT_BEGUN, UNNAMED, RIGHT = "not begun", "another mistake", "right"
PLATFORMS = ("canvas", "moodle", "plain")


def records(root: Path, chapter: str) -> list[Record]:
    """The class's records that are up to date, by learner. Whoever handed in and has none is not graded yet."""
    found = (verdict.current(root, learner, chapter) for learner in handed_in(root, chapter))
    return [record for record in found if record]


def status(root: Path, chapter: str) -> str:
    """Every submission with its status and the reason: none is left out."""
    known = {record.learner: record for record in records(root, chapter)}
    lines, states = [], []
    for learner in handed_in(root, chapter):
        record = known.get(learner)
        states.append(record.status if record else "not graded yet")
        lines.append(f"{learner:<24} {states[-1]:<15} {record.why if record else ''}".rstrip())
    return "\n".join([*lines, "", tally(states, chapter)])


def summary(class_: list[Record], chapter: str) -> str:
    return tally([record.status for record in class_], chapter)


def tally(states: list[str], chapter: str) -> str:
    total = ", ".join(f"{count} {state}" for state, count in Counter(states).most_common())
    return f"{chapter}: {len(states)} submissions: {total or 'none'}."


# ── misconceptions ───────────────────────────────────────────────────────────────────────────────────────────────────


def misconceptions(root: Path, chapter: str) -> dict[str, Counter]:
    """By check, how many of the class made which mistake, were right, had not begun."""
    table: dict[str, Counter] = {}
    for record in records(root, chapter):
        for item in record.items.values():
            table.setdefault(item.check, Counter())[kind(item)] += 1
    return table


def kind(item: verdict.Item) -> str:
    if not item.aspects:
        return "without a verdict"
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
        parts.append(f"<h2>{escape(check)}</h2><table>{rows}</table>")
    return PAGE.format(
        title=f"Misconceptions in {escape(chapter)}", body="".join(parts) or "<p>Nothing is graded yet.</p>"
    )


def bar(name: str, count: int, total: int) -> str:
    colour = {RIGHT: "#009E73", NOT_BEGUN: "#999999"}.get(name, "#D55E00")
    return (
        f'<tr><th scope="row">{escape(name)}</th><td class="n">{count}</td>'
        f'<td><div style="width:{100 * count / total:.1f}%;background:{colour}"></div></td></tr>'
    )


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.4 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }}
table {{ width: 100%; border-collapse: collapse }} th {{ text-align: left; font-weight: normal; width: 18rem }}
td.n {{ text-align: right; width: 3rem; padding-right: .8rem }} td div {{ height: 1rem }} h2 {{ font-size: 1.1rem }}
</style></head><body><h1>{title}</h1>{body}</body></html>
"""


# ── grades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Grade:
    """A learner's score for a chapter, or None and the reason while there is none to be trusted."""

    learner: str
    score: float | None
    worth: float
    status: str


def grades(root: Path, chapter: str) -> list[Grade]:
    """Every submission's score, manual points and late penalty included, if it is finished and up to date.

    A submission that failed, waits for a look or for grading by hand has no score here: never a zero that nobody gave.
    """
    known = {record.learner: record for record in records(root, chapter)}
    found = []
    with Gradebook(gradebook_url(root)) as gradebook:
        entered = {s.student.id: s for s in gradebook.assignment_submissions(chapter)}
        for learner in handed_in(root, chapter):
            record, submission = known.get(learner), entered.get(learner)
            in_book = record and submission and mark(root, record) == record.fingerprint
            if not in_book:
                found.append(Grade(learner, None, 0.0, "not graded yet"))
            elif submission.needs_manual_grade:
                state = record.status if record.status != verdict.GRADED else "to be graded by hand"
                found.append(Grade(learner, None, submission.max_score, state))
            else:
                score = max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
                found.append(Grade(learner, score, submission.max_score, verdict.GRADED))
    return found


def mark(root: Path, record: Record) -> str:
    path = verdict.entered_path(root, record.learner, record.chapter)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def export(root: Path, chapter: str, platform: str) -> str:
    """The grades as CSV for a platform; learners without a finished grade have an empty field, and say why.

    Parameters
    ----------
    platform : {"canvas", "moodle", "plain"}
    """
    found = grades(root, chapter)
    people = known_to_the_platform(root, chapter)
    if platform == "canvas":
        rows = [("Student", "ID", "SIS User ID", "SIS Login ID", "Section", chapter)]
        for g in found:
            person = people.get(g.learner, {})
            rows.append((person.get("name") or g.learner, person.get("number", ""), "", g.learner, "", number(g.score)))
    elif platform == "moodle":
        rows = [("ID number", "Full name", "Email address", "Grade", "Feedback comments")]
        for g in found:
            person = people.get(g.learner, {})
            who = (person.get("number") or g.learner, person.get("name", ""), person.get("email", ""))
            rows.append((*who, number(g.score), "" if g.score is not None else g.status))
    else:
        rows = [("learner", "chapter", "score", "of", "status")]
        rows += [(g.learner, chapter, number(g.score), number(g.worth), g.status) for g in found]
    return as_csv(rows)


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
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not text[1:2].isdigit() else text
