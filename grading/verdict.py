"""The verdict on one submission: intake, jail, judgement, and a record of it all.

Learner code never runs here. This side holds the answers and the secret seed, hands cases to the jail, and decides on
what comes back: arrays and bounded text. Whatever goes wrong on the way, the outcome is a record with a status; an item
without a verdict scores zero *and* asks for a look.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import nbformat

from grading import assignment, jail
from grading.checked import graded_checks, items_asked
from grading.hidden import hidden_cases
from grading.needed import needed
from grading.reading import bindings, suspicion
from grading.records import FAILED, GRADED, LOOK, REFUSED, TIMED_OUT, Item, Record, fingerprint
from grading.staging import bundle, released, stage, taken, taken_in
from utils.assignment.rules import POINTS
from utils.checks import answers, questions
from utils.checks.report import Report
from utils.checks.verdict import judge


def examine(
    root: Path,
    learner: str,
    chapter: str,
    *,
    warm=None,
    no_jail: bool = False,
    keep: bool = True,
    limits: jail.Limits | None = None,
) -> Record:
    """Grade what `learner` handed in for `chapter`. Whatever the submission holds, this returns a record.

    With `keep=False` it is not staged: nothing is changed on disk.

    Raises
    ------
    jail.JailUnavailable
        If learner code cannot be locked up on this machine: then nothing is graded at all.
    """
    try:
        return graded(root, learner, chapter, warm, no_jail, keep, limits)
    except jail.JailUnavailable:
        raise
    except Exception as error:  # a fault of the grading itself: one submission's trouble, seen by a human
        return failed(root, learner, chapter, f"{type(error).__name__}: {error}")


def failed(root: Path, learner: str, chapter: str, why: str) -> Record:
    """A record without verdicts: zero everywhere, and a look at everything. The next run tries it again."""
    try:
        staged = taken_in(root, learner, chapter)
    except RuntimeError:
        staged = None
    mark = fingerprint(root, chapter, staged) if staged else ""
    items = without_verdict(released(root, chapter), "The grading itself failed.")
    return Record(learner, chapter, FAILED, why, items=items, fingerprint=mark)


def graded(root: Path, learner: str, chapter: str, warm, no_jail: bool, keep: bool, limits) -> Record:
    """What `examine` does if nothing goes wrong with the grading itself."""
    if keep:
        stage(root, learner, chapter)
    staged, text = taken(root, learner, chapter)
    release = released(root, chapter)
    mark = fingerprint(root, chapter, staged)
    if staged.refused:
        items = without_verdict(release, "The submission could not be read.")
        return Record(learner, chapter, REFUSED, staged.refused, staged.notes, items, fingerprint=mark)
    notebook = nbformat.reads(text.decode("utf-8"), as_version=4)
    if assignment.is_assignment(release):
        handed_in = bundle(root, learner, chapter, staged)
        heard, items = assignment.examined(root, notebook, release, handed_in, warm, no_jail, limits)
    else:
        heard = confine(root, notebook, release, warm, no_jail, limits)
        items = {
            asked.grade_id: not_begun(asked)
            if is_open(asked, notebook, release, heard)
            else item(root, asked, heard, notebook)
            for asked in graded_checks(release)
        }
    status, why = overall(heard, items)
    outputs = {cell: asdict(ran) for cell, ran in heard.cells.items()}
    return Record(learner, chapter, status, why, staged.notes, items, outputs, mark)


def confine(root: Path, notebook, release, warm, no_jail: bool, limits) -> jail.Heard:
    """Run what the grade depends on in the jail, and ask the checks there."""
    sources = {cell.source.strip() for cell in release.cells if cell.cell_type == "code"}
    wanted = needed(notebook.cells, sources)
    training = [bool(set(cell.metadata.get("tags", ())) & {"training"}) for cell in notebook.cells]
    checks = {asked.grade_id for asked in graded_checks(release)}
    cells = [
        (cell.id, cell.source)
        for cell, want, slow in zip(notebook.cells, wanted, training, strict=True)
        if want and not slow and cell.id not in checks
    ]
    asked = [
        jail.Asked(check.grade_id, check.name, check.target, hidden_cases(check.name, root))
        for check in graded_checks(release)
    ]
    return jail.run(cells, asked, limits, warm=warm, no_jail=no_jail)


def is_open(asked, notebook, release, heard: jail.Heard) -> bool:
    """Whether an exercise was not begun: its target is not there because the cell that defines it is as released."""
    if isinstance(heard.answers.get(asked.grade_id), list):
        return False
    stubs = {cell.id: cell.source for cell in release.cells if defines(cell, asked.target)}
    answers = [cell for cell in notebook.cells if cell.id in stubs]
    if not answers or asked.target in bindings([cell.source for cell in notebook.cells if is_own(cell)]):
        return False
    unchanged = all(cell.source.strip() == stubs[cell.id].strip() for cell in answers)
    raised = [heard.cells[cell.id].error for cell in answers if cell.id in heard.cells]
    return unchanged or (bool(raised) and all(error.startswith("NotImplementedError") for error in raised))


def defines(cell, name: str) -> bool:
    """Whether a released cell is the exercise that defines `name`."""
    solution = cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    return bool(solution and re.search(rf"^(class|def)\s+{re.escape(name)}\b", cell.source, re.M))


def not_begun(asked) -> Item:
    question = questions.find(asked.name)
    text = f"○ {asked.name}: not done yet."
    return Item(asked.name, 0.0, question.points, dict.fromkeys(question.aspects, False), text=text)


def item(root: Path, asked, heard: jail.Heard, notebook) -> Item:
    """The verdict on one check, from what the jail heard and from reading the code."""
    question, answer = questions.find(asked.name), answers.find(asked.name)
    outcomes = heard.answers.get(asked.grade_id, "The jail gave no answer.")
    cases = hidden_cases(asked.name, root)
    if not isinstance(outcomes, list):
        text = f"✘ {asked.name}: {repeatable(outcomes, asked.target, question.signature)}"
        return Item(asked.name, 0.0, question.points, text=text, look=outcomes)
    if len(outcomes) != len(cases):
        why = f"{len(outcomes)} answers came back to {len(cases)} questions."
        return Item(asked.name, 0.0, question.points, text=f"✘ {asked.name}: {why}", look=why)
    verdict = judge(question, answer, cases, outcomes)
    report = Report(verdict, answer, examples=False)
    doubts = [heard.suspicions.get(asked.grade_id, "")]
    doubts += [suspicion(own_sources(notebook), asked.target)] if question.from_scratch and verdict.done else []
    look = "; ".join(doubt for doubt in doubts if doubt) if verdict.points else ""
    return Item(
        asked.name,
        verdict.points,
        question.points,
        verdict.passed,
        verdict.mistake.name if verdict.mistake and verdict.certain else "",
        report.text,
        report.html,
        look,
    )


def repeatable(sentence: str, target: str, signature: str) -> str:
    """Why there is no answer, as far as a learner may be told.

    The words come out of the jail, so they could be of the learner's own making, with a hidden case in them: only such
    as have no room for one are repeated.
    """
    name, loop = re.escape(target), r"\. Is there a loop that never ends\?"
    kinds = "int|float|bool|str|list|tuple|dict|NoneType|Tensor"
    signals = "Killed|Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception"
    known = (
        rf"{name} is not there: NameError: name '{name}' is not defined",
        rf"{name} is a ({kinds}), but {re.escape(signature)} is wanted",
        rf"the check (took longer than \d{{1,3}} s|used up its CPU time){loop}",
        rf"the code crashed the check's process \(({signals})\)",
        r"the code ended the check's process \(exit code \d{1,3}\) instead of returning something",
    )
    return sentence if re.fullmatch("|".join(known), sentence) else "no answer came that can be judged."


def overall(heard, items: dict[str, Item]) -> tuple[str, str]:
    """The status of a submission, and why."""
    if heard.status != "finished":
        return (TIMED_OUT if heard.status == "timed out" else LOOK), heard.why
    looks = [f"{item.check}: {item.look}" for item in items.values() if item.look]
    return (LOOK, "; ".join(looks)) if looks else (GRADED, heard.why)


def without_verdict(release, why: str) -> dict[str, Item]:
    """Zero for every check or item, and a look at every one."""
    worth = {asked.grade_id: (asked.name, questions.find(asked.name).points) for asked in graded_checks(release)}
    worth |= {grade_id: (name, POINTS[name]) for grade_id, name in items_asked(release).items()}
    return {grade_id: Item(name, 0.0, most, text=why, look=why) for grade_id, (name, most) in worth.items()}


def own_sources(notebook) -> list[str]:
    """The code that the learner wrote: the exercises' cells, and cells of their own."""
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and (cell.metadata.get("nbgrader", {}).get("solution") or is_own(cell))
    ]


def is_own(cell) -> bool:
    """Whether a cell is one that the learner added."""
    return bool(cell.metadata.get("course", {}).get("own"))
