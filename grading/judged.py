"""The links that put a verdict into nbgrader's autograding, in place of its own execution of learner code.

`nbgrader autograde`, the formgrader's button and `python -m grading autograde` all pass through here. The last has the
records ready; for the others the submission is examined now, alone.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool

from grading import verdict
from grading.staging import is_clean, manifest
from grading.verdict import Item, Record


class Judge(NbGraderPreprocessor):
    """Autograding: put what the jail heard, and the verdicts, into the cells. No learner code runs in this process."""

    no_jail = Bool(False, help="Run learner code without a jail. Only ever for code of your own.").tag(config=True)

    def preprocess(self, nb, resources):
        root, learner, chapter = where(self, resources)
        staged = manifest(root, learner, chapter)
        if not staged or not is_clean(root, learner, chapter, staged):  # nbgrader only notes that its hook failed
            raise RuntimeError(f"{learner}, {chapter}: the submission was not taken in, so it is not graded.")
        record = verdict.current(root, learner, chapter)
        if record is None:
            record = verdict.examine(root, learner, chapter, no_jail=self.no_jail)
            verdict.save(root, record)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = outputs(cell, record)
        nb.cells[:0] = [preface(record)] if record.notes or record.status != verdict.GRADED else []
        return nb, resources


class Withhold(NbGraderPreprocessor):
    """Autograding, after the scores are saved: what has no verdict, or a doubtful one, waits for a human to decide."""

    def preprocess(self, nb, resources):
        root, learner, chapter = where(self, resources)
        record = verdict.load(root, learner, chapter)
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            for cell in nb.cells:
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                unread = record.status == verdict.REFUSED and is_grade(cell)
                if unread or (name in record.items and record.items[name].look):
                    grade = gradebook.find_grade(name, resources["nbgrader"]["notebook"], chapter, learner)
                    grade.auto_score = 0
                    grade.needs_manual_grade = True
            gradebook.db.commit()
        verdict.entered_path(root, learner, chapter).write_text(record.fingerprint, encoding="utf-8")
        return nb, resources


def where(link: NbGraderPreprocessor, resources) -> tuple[Path, str, str]:
    """The course, the learner and the chapter that nbgrader is at."""
    names = resources["nbgrader"]
    return Path(CourseDirectory(parent=link).root), names["student"], names["assignment"]


def outputs(cell, record: Record) -> list:
    """A cell's outputs: the verdict for a graded check, plain text for what the learner's code wrote, else nothing."""
    if is_grade(cell) and not is_solution(cell):
        item = record.items.get(cell.metadata.nbgrader.grade_id)
        return [shown(item)] if item else []
    ran = record.outputs.get(cell.get("id"), {})
    found = [
        nbformat.v4.new_output("stream", name=name, text=ran[name]) for name in ("stdout", "stderr") if ran.get(name)
    ]
    if ran.get("result"):
        found.append(nbformat.v4.new_output("execute_result", {"text/plain": ran["result"]}, execution_count=None))
    if ran.get("error"):
        name, _, message = ran["error"].partition(": ")
        traceback = (ran.get("traceback") or ran["error"]).splitlines()
        found.append(nbformat.v4.new_output("error", ename=name, evalue=message, traceback=traceback))
    return found


def shown(item: Item):
    """A verdict as the output of its cell: the number that nbgrader reads, and the card that people read."""
    html = item.html or f"<div>{escape(item.text)}</div>"
    if item.look:
        html += (
            '<div style="border-left:6px solid #CC79A7;padding:.4em .8em" role="status"><b>Needs a look.</b> '
            f"An instructor decides about these {item.worth:g} points: {escape(item.look)}</div>"
        )
    data = {"text/plain": repr(item.given), "text/html": html}
    return nbformat.v4.new_output("execute_result", data, execution_count=None)


def preface(record: Record):
    """A cell at the top that says what became of the submission, and how it was understood."""
    lines = []
    if record.status != verdict.GRADED:
        lines.append(f"**This submission: {record.status}.** {escape(record.why)}")
    lines += [f"- {escape(note)}" for note in record.notes]
    return nbformat.v4.new_markdown_cell("\n".join(lines), id="course-status")
