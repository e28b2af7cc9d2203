"""The links that put a verdict into nbgrader's autograding, in place of its own execution of learner code.

`nbgrader autograde`, the formgrader's button and `python -m grading autograde` all pass through here. The last has the
records ready; for the others the submission is examined now, alone.
"""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import determine_grade, is_grade, is_solution
from traitlets import Bool

from grading import records, verdict
from grading.course import gradebook_url
from grading.records import FAILED, GRADED, LOOK, REFUSED, Entry, Item, Record
from grading.staging import taken_in

UNDECIDED = "course-undecided"  # the cell that says so


class Judge(NbGraderPreprocessor):
    """Autograding: put what the jail heard, and the verdicts, into the cells. No learner code runs in this process."""

    no_jail = Bool(False, help="Run learner code without a jail. Only ever for code of your own.").tag(config=True)
    retry = Bool(True, help="Whether a submission is tried again at which the grading itself failed.").tag(config=True)

    def preprocess(self, nb, resources):
        root, learner, chapter = where(self, resources)
        before = records.entry(root, learner, chapter)
        records.note_entry(root, learner, chapter, Entry(clean=before.clean))  # from now on until it is all there
        try:
            record = self.record(root, learner, chapter)
        except Exception:
            take_back(root, learner, chapter)
            raise
        resources["course"] = {"record": record, "same": taken_in(root, learner, chapter).clean == before.clean}
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = outputs(cell, record)
        nb.cells[:0] = preface(record)
        return nb, resources

    def record(self, root: Path, learner: str, chapter: str) -> Record:
        """What is known about the submission; if nothing is, it is examined."""
        if not taken_in(root, learner, chapter):  # nbgrader only notes that its hook failed
            raise RuntimeError(f"{learner}, {chapter}: the submission was not taken in, so it is not graded.")
        record = records.current(root, learner, chapter)
        if record is None or (record.status == FAILED and self.retry):
            record = verdict.examine(root, learner, chapter, no_jail=self.no_jail)
            records.save(root, record)
        return record


class SaveGrades(SaveAutoGrades):
    """Autograding: scores into the gradebook; what has no verdict, or a doubtful one, waits for a human to decide.

    nbgrader has every score that was given by hand looked at again after each run. Here that of a submission which is
    still the same stands, unless the machine has come to another score since.
    """

    def preprocess(self, nb, resources):
        self.record, self.same = resources["course"]["record"], resources["course"]["same"]
        return super().preprocess(nb, resources)

    def _add_score(self, cell, resources):
        name = cell.metadata.nbgrader.grade_id
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        look = self.record.status in (REFUSED, FAILED) or (name in self.record.items and self.record.items[name].look)
        score = 0 if look else determine_grade(cell, self.log)[0]
        by_hand = grade.manual_score is not None
        decided = by_hand and self.same and not grade.needs_manual_grade and grade.auto_score == score
        grade.auto_score = score
        grade.needs_manual_grade = not decided and (bool(look) or by_hand or score is None)
        self.gradebook.db.commit()


class ForLearners(NbGraderPreprocessor):
    """Feedback: leave out what is for the instructor alone, and what the instructor has decided since."""

    def preprocess(self, nb, resources):
        _, learner, chapter = where(self, resources)
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(resources["nbgrader"]["notebook"], chapter, learner)
            waiting = {grade.name for grade in notebook.grades if grade.needs_manual_grade}
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                if "learner" in output.get("metadata", {}):
                    open_ = cell.metadata.nbgrader.grade_id in waiting
                    output.data["text/html"] = output.metadata.learner + (
                        look(output.metadata.withheld) if open_ else ""
                    )
        nb.cells = [cell for cell in nb.cells if waiting or cell.get("id") != UNDECIDED]
        return nb, resources


def after_autograde(assignment: str, student: str, notebooks: list[str]) -> None:
    """nbgrader's hook after it has graded a submission: note that the gradebook has all of its record.

    Which submission it is at stands only in `notebooks`, as in `staging.before_autograde`.
    """
    folder = Path(os.path.abspath(notebooks[0])).parent
    root, learner, chapter = folder.parents[3], folder.parent.name, folder.name
    record, staged = records.load(root, learner, chapter), taken_in(root, learner, chapter)
    records.note_entry(root, learner, chapter, Entry(record.fingerprint, staged.clean))


def take_back(root: Path, learner: str, chapter: str) -> None:
    """Void what the gradebook has of a submission that cannot be entered: no score of an earlier one stands for it."""
    with Gradebook(gradebook_url(root)) as gradebook:
        try:
            submission = gradebook.find_submission(chapter, learner)
        except MissingEntry:
            return
        for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
            grade.auto_score, grade.needs_manual_grade = None, True
        gradebook.db.commit()


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
    """A verdict as the output of its cell: the number that nbgrader reads, and the card that people read.

    Why somebody must look is the instructor's business: the words may come from learner code that saw the cases.
    """
    card = item.html or f"<div>{escape(item.text)}</div>"
    data = {"text/plain": repr(item.given), "text/html": card + (look(item.worth, item.look) if item.look else "")}
    metadata = {"learner": card} | ({"withheld": item.worth} if item.look else {})
    return nbformat.v4.new_output("execute_result", data, execution_count=None, metadata=metadata)


def look(worth: float, why: str = "") -> str:
    return (
        '<div style="border-left:6px solid #CC79A7;padding:.4em .8em" role="status"><b>Needs a look.</b> '
        f"An instructor decides about these {worth:g} points{': ' if why else '.'}{escape(why)}</div>"
    )


def preface(record: Record) -> list:
    """Cells at the top that say what became of the submission, and how it was understood. Learners read them too."""
    cells, known = [], {LOOK: "An instructor decides about part of it.", FAILED: "An instructor looks after it."}
    if record.status != GRADED:
        text = f"**This submission: {record.status}.** {verbatim(known.get(record.status, record.why))}"
        cells.append(nbformat.v4.new_markdown_cell(text, id=UNDECIDED if record.status in known else "course-status"))
    if record.notes:
        text = "\n".join(f"- {verbatim(note)}" for note in record.notes)
        cells.append(nbformat.v4.new_markdown_cell(text, id="course-notes"))
    return cells


def verbatim(text: str) -> str:
    """Text as it is, in Markdown: a learner may have chosen some of its words, and a picture's address among them."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$<>:-])", r"\\\1", escape(text, quote=False).replace("&amp;", "&"))
