"""A verdict in words: for the notebook (HTML), for the terminal (text), for the grader (both)."""

from __future__ import annotations

import builtins
from html import escape

import numpy as np

from utils.checks.answer import Answer
from utils.checks.question import Question
from utils.checks.verdict import Failure, Verdict

COLOURS = {"right": "#009E73", "wrong": "#D55E00", "open": "#777777"}  # also told by ✔ ✘ ○ and by words
LARGEST = 36  # elements of an array that an example still shows
INSTRUCTIONS = ("gradients", "positional", "dtype", "layout", "exact")  # entries of a case that are no argument


class Report(float):
    """The points earned, as a number, with the verdict behind them.

    A float, because the last expression of a graded cell is its partial credit.
    """

    verdict: Verdict
    html: str
    text: str

    def __new__(cls, verdict: Verdict, answer: Answer, hint: int = 1, examples: bool = True):
        report = super().__new__(cls, verdict.points)
        report.verdict = verdict
        lines = describe(verdict, answer, hint, examples)
        report.text = "\n".join(text for _, text in lines)
        report.html = card(verdict, lines)
        return report

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(float(self))}

    def __str__(self) -> str:
        return self.text


def status(verdict: Verdict) -> str:
    return "right" if verdict.right else "wrong" if verdict.done else "open"


def describe(verdict: Verdict, answer: Answer, hint: int, examples: bool) -> list[tuple[str, str]]:
    """The verdict as lines of (kind, text): a headline, aspects, why, an example, hints."""
    question = verdict.question
    if not verdict.done:
        inner = verdict.failures[0].outcome.trouble.detail
        calls = f" It calls {inner}, which is still open: do that one first." if inner else ""
        return [("headline", f"○ {question.name}: not done yet. You are to write {question.signature}.{calls}")]
    if verdict.right:
        lines = [("headline", f"✔ {question.name}: right.")]
        return lines + [("aspect", f"✔ {aspect}: {question.tests[aspect]}") for aspect in question.aspects]
    lines = [("headline", f"✘ {question.name}: {headline(verdict, examples)}")]
    if examples:
        lines.append(("example", example(question, verdict.failures[0], answer, named=verdict.mistake is not None)))
    lines += [
        ("aspect", f"{'✔' if ok else '✘'} {aspect}: {question.tests[aspect]}") for aspect, ok in verdict.passed.items()
    ]
    return lines + hints(verdict, hint, examples)


def headline(verdict: Verdict, examples: bool) -> str:
    """What is wrong, in one sentence: the misconception if it is known, otherwise what was seen."""
    failure = verdict.failures[0]
    if verdict.mistake:
        return ("" if verdict.certain else "this looks as if ") + verdict.mistake.says
    return f"in the aspect “{failure.case.aspect}”, " + (failure.sentence if examples else without_details(failure))


def without_details(failure: Failure) -> str:
    """What was seen, without anything of the case: an error's message is the learner's to write, and could hold it."""
    trouble = failure.outcome.trouble
    if not trouble:
        wanted = " where it should stop with an error" if failure.expected.trouble else ""
        return f"some results are wrong{wanted}."
    known = trouble.type if isinstance(getattr(builtins, trouble.type, None), type) else "error"
    return QUIET[trouble.kind].format(known)


QUIET = {
    "not done": "part of it is not done yet.",
    "error": "your code stops with a {}.",
    "nothing": "nothing comes back. Is there a `return` at the end, and is it reached?",
    "not a tensor": "what comes back is not a tensor.",
    "not an int": "what comes back is not an int.",
    "detached": "a gradient does not arrive.",
    "input changed": "an input is changed in place.",
    "forbidden": "something ready-made does the work.",
    "interface": "the class is not built as nn.Module's are, or lacks its parameters.",
    "not repeatable": "asked twice, it answers differently.",
}


def hints(verdict: Verdict, hint: int, examples: bool) -> list[tuple[str, str]]:
    """The first hint; at `hint=2` the stronger one too."""
    name = verdict.question.name
    if not verdict.mistake:
        first, trouble = verdict.failures[0].case.aspect, verdict.failures[0].outcome.trouble
        if trouble and trouble.kind in HINTS:
            return [("hint", f"Hint: {HINTS[trouble.kind]}")]
        right = [aspect for aspect, ok in verdict.passed.items() if ok]
        still = f" What is right already: {', '.join(right)}." if right else ""
        where = "the example above" if examples else "the example that the check in the notebook shows"
        return [("hint", f"Hint: work on “{first}” first, with {where}, on paper.{still}")]
    lines = [("hint", f"Hint: {verdict.mistake.hint}")]
    if hint >= 2:
        return [*lines, ("hint", f"Stronger hint: {verdict.mistake.stronger}")]
    return [*lines, ("more", f'For a stronger hint: check("{name}", …, hint=2)')]


HINTS = {
    "error": "run the example in a cell of your own; the last line of the error says what happened.",
    "nothing": "does the last line begin with `return`, and at the right depth?",
    "not a tensor": "look at what your last line returns: type(...) tells.",
    "not an int": "type(...) of your result tells.",
    "forbidden": "loops, slices, sums, products, F.unfold: all of these are yours to use.",
    "interface": "compare with nn.Conv2d: print its parameters and their shapes.",
}


def example(question: Question, failure: Failure, answer: Answer, named: bool) -> str:
    """A small failing example: what went in, what came out, what should have."""
    if answer.example:
        return answer.example(failure.case.given, failure.expected, failure.outcome)
    lines = [f"For example, {called(question, failure.case.given)}"]
    if failure.outcome.trouble or failure.expected.trouble:
        return "\n".join([*lines, *([failure.sentence] if named else [])])  # otherwise the headline says it
    for name, right in failure.expected.arrays.items():
        mine = failure.outcome.arrays.get(name)
        if mine is None or mine.shape != right.shape or str(mine) != str(right):
            got = "nothing" if mine is None else written(mine)
            lines += [f"your {name}: {got}", f"expected: {written(right)}"]
            break
    return "\n".join(lines)


def called(question: Question, given: dict) -> str:
    """The failing call as the learner would write it, followed by the arrays that went in."""
    plain = {
        k: v
        for k, v in given.items()
        if not isinstance(v, np.ndarray) and k not in INSTRUCTIONS and v is not None and not k.startswith("_")
    }
    arrays = {k: v for k, v in given.items() if isinstance(v, np.ndarray) and not k.startswith("_")}
    form = question.signature.partition(")")[0].removeprefix("class ") + ")"
    name = form.partition("(")[0]
    call = f"{name}({', '.join(f'{k}={v!r}' for k, v in plain.items())})" if plain else form
    precision = f" in {given['dtype']}" if "dtype" in given else ""
    precision += " on an x whose columns lie together in memory, as .permute() leaves it" if "layout" in given else ""
    return f"{call}{precision}" + "".join(f"\n{k} = {written(v)}" for k, v in arrays.items())


def written(value) -> str:
    """A value for reading: whole numbers without a point, large arrays by their shape."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.size > LARGEST:
        return f"an array of shape {value.shape}"
    if value.dtype.kind == "f" and np.isfinite(value).all() and np.allclose(value, np.round(value), atol=1e-9):
        value = np.round(value).astype(int)
    return np.array2string(value, precision=3, separator=", ", suppress_small=True).replace("\n", "\n  ")


def card(verdict: Verdict, lines: list[tuple[str, str]]) -> str:
    """The lines as a card with a coloured edge; readable in light and dark themes, for it sets no text colour."""
    colour = COLOURS[status(verdict)]
    styles = {
        "headline": "font-weight:600",
        "aspect": "margin-left:1em",
        "example": "font-family:monospace;white-space:pre-wrap;margin:.4em 1em",
        "hint": "margin-top:.4em",
        "more": "opacity:.75",
    }
    body = "".join(f'<div style="{styles[kind]}">{escape(text)}</div>' for kind, text in lines)
    return f'<div style="border-left:6px solid {colour};padding:.4em .8em;margin:.3em 0" role="status">{body}</div>'
