"""A class for the small chapter, and a stand-in for the jail where a test is not about the jail.

The stand-in runs the class's cells right here, without importing torch anew for each: they are the tests' own.
"""

from __future__ import annotations

import contextlib
import io
from concurrent.futures import Future

import nbformat
from courses import CHAPTER, SOLUTION, released

from grading.checked import graded_checks
from grading.hidden import hidden_cases
from grading.jail import Heard, Ran
from utils.checks import questions
from utils.checks.question import attempt

RIGHT = SOLUTION.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", "")
PARTLY = "def conv_output_size(n, kernel_size, **settings):\n    return n - kernel_size + 1"  # stride 1 only: 1 point
MOSTLY = """\
def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    if dilation * (kernel_size - 1) >= n + 2 * padding:
        raise ValueError
    return -(-(n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1  # rounded up: 4 points"""
CLASS = {"ada": (RIGHT, 5), "bob": (PARTLY, 1), "cleo": (MOSTLY, 4), "dora": (None, 0)}


def hand_in(root, learner, solution=None, essay=None, name=CHAPTER, raw: bytes | None = None):
    """Put a file where nbgrader looks for submissions; return its path."""
    nb = released(root)
    for grade_id, text in (("size", solution), ("why", essay)):
        if text is not None:
            next(cell for cell in nb.cells if cell.id == grade_id).source = text
    path = root / "grading" / "submitted" / learner / CHAPTER / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(nbformat.writes(nb).encode() if raw is None else raw)
    return path


def hand_in_all(root):
    for learner, (solution, _) in CLASS.items():
        hand_in(root, learner, solution)


def tame(root, notebook, release, warm=None, no_jail=False, limits=None) -> Heard:
    """In place of `verdict.confine`: the cells are run here."""
    names, cells, answers = {}, {}, {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id not in ("setup", "picture", "check-size"):
            out, error = io.StringIO(), ""
            try:
                with contextlib.redirect_stdout(out):
                    exec(cell.source, names)
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
            cells[cell.id] = Ran(stdout=out.getvalue(), error=error)
    for asked in graded_checks(release):
        question = questions.find(asked.name)
        if asked.target in names:
            cases = hidden_cases(asked.name, root)
            answers[asked.grade_id] = [attempt(question, names[asked.target], case) for case in cases]
        else:
            answers[asked.grade_id] = f"{asked.target} is not there: NameError: name '{asked.target}' is not defined"
    return Heard("finished", cells=cells, answers=answers)


class Here:
    """In place of `batch.pool`: the work is done in this process, as it is handed out."""

    def __init__(self, jobs=1):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, work, *arguments) -> Future:
        future = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **_):
        pass
