"""Checks: is it right, and if not, which misconception is it?

    from utils.checks import check, yours_or_torch
    check("conv2d", Conv2D)             # green, or an AssertionError that names the misconception
    check("conv2d", Conv2D, hint=2)     # the same with a stronger hint
    layer = yours_or_torch("conv2d", Conv2D)

A check is one thing with two halves that never meet beside learner code under grading: `questions` (cases, and how a
target is run on one) and `answers` (torch's answer, and the catalogue of known mistakes).
"""

from __future__ import annotations

from utils.checks import questions
from utils.checks.question import attempt

__all__ = ["CheckFailed", "check", "judged", "yours_or_torch"]


class CheckFailed(AssertionError):
    """A red check. Shows its message without the machinery's traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"AssertionError: {self.args[0].splitlines()[0]}"]


def check(name: str, target, *, hint: int = 1):
    """Check a solution to the exercise `name`.

    Parameters
    ----------
    name : str
        The exercise, for example "conv2d".
    target : callable or class
        What you wrote.
    hint : {1, 2}
        2 adds a stronger hint to a red check.

    Returns
    -------
    Report
        The points, as a number that shows as a card. An exercise not yet begun earns 0 and says so.

    Raises
    ------
    CheckFailed
        An AssertionError whose message names the misconception, with a small failing example.
    """
    report = judged(name, target, hint=hint)
    if report.verdict.done and not report.verdict.right:
        show(report)
        raise CheckFailed(report.text)
    if not in_notebook():
        print(report)
    return report


def judged(name: str, target, *, hint: int = 1, trusted: bool = False):
    """The report on `target`, without showing anything. See `check`; a `trusted` target may use torch's layers."""
    question = questions.find(name)
    if not callable(target):
        kind = type(target).__name__
        raise CheckFailed(
            f"{name}: a {kind} was handed in ({target!r:.60}), but {question.signature} is wanted. "
            f"Hand in the function or class itself, without brackets behind it."
        )
    from utils.checks import answers, verdict
    from utils.checks.report import Report

    cases = list(verdict.learner_cases(name))
    outcomes = [attempt(question, target, case, trusted=trusted) for case in cases]
    answer = answers.find(name)
    return Report(verdict.judge(question, answer, cases, outcomes), answer, hint=hint)


def yours_or_torch(name: str, target):
    """Your own solution if its check passes, otherwise torch's answer, with one sentence that says which.

    So an exercise left open, or not yet right, stops nothing that comes after it.
    """
    try:
        from utils.checks import answers
    except ImportError:  # under grading there are no answers, and nothing to fall back on
        return target
    verdict = judged(name, target).verdict if callable(target) else None
    if verdict and verdict.right:
        tell(f"From here on this notebook computes with your own {getattr(target, '__name__', name)}.")
        return questions.find(name).for_tensors(target)
    state = "not right yet" if verdict and verdict.done else "not finished yet"
    tell(f"Your {getattr(target, '__name__', name)} is {state}, so torch's own takes its place from here on.")
    return answers.find(name).reference


def in_notebook() -> bool:
    """Whether a notebook shows the last expression of a cell."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def show(report) -> None:
    """Show a report where there is a notebook; elsewhere its text travels in the exception."""
    if in_notebook():
        from IPython.display import HTML, display

        display(HTML(report.html))


def tell(sentence: str) -> None:
    """One visible sentence."""
    if in_notebook():
        from IPython.display import Markdown, display

        display(Markdown(f"ℹ️ {sentence}"))
    else:
        print(sentence)
