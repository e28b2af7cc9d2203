"""The verdict: records of what a target answered, held against what is right.

Pure functions of data. Learner code never runs here, so the learner's own check, the test suite and the grader can all
use the same verdict, the grader in a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from utils.checks.answer import Answer, Mistake
from utils.checks.question import Case, Outcome, Question, attempt

# What each kind of trouble means, and what to do about it. `{}` is the detail.
TROUBLES = {
    "not done": "not done yet: replace `raise NotImplementedError` by your own lines, then run both cells again.",
    "error": "your code stops with an error. {}",
    "nothing": "nothing comes back: {}. Is there a `return` at the end, and is it reached?",
    "not a tensor": "{}, not a tensor. Collect the numbers in a torch.Tensor and return that.",
    "not an int": "{}.",
    "detached": "the gradient does not reach {}. Something on the way leaves autograd: .item(), .detach(), .data, "
    ".numpy(), torch.tensor(...) around a tensor, or torch.no_grad().",
    "input changed": "{} is changed in place: whoever called you still needs it. Work on a copy (.clone(), for a list "
    ".copy()).",
    "forbidden": "{} does the work here. Using a ready-made one is not allowed: that is what you are to build.",
    "interface": "{}",
    "not repeatable": "{}",
}


@dataclass(frozen=True)
class Failure:
    """One case that went wrong, in words for the learner."""

    case: Case
    outcome: Outcome
    expected: Outcome
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What became of each aspect, and why.

    Attributes
    ----------
    passed : dict of str to bool
        By aspect, in the question's order.
    failures : tuple of Failure
        Every failed case, those of the first failing aspect first, the smallest first.
    mistake : Mistake or None
        The known misconception that explains the answers.
    certain : bool
        Whether the mistake explains every case; otherwise only the failed ones of the first failing aspect.
    done : bool
        False if the exercise was not begun (it raises NotImplementedError).
    """

    question: Question
    passed: dict[str, bool]
    failures: tuple[Failure, ...]
    mistake: Mistake | None
    certain: bool
    done: bool

    @property
    def right(self) -> bool:
        return all(self.passed.values())

    @property
    def points(self) -> float:
        return float(sum(self.question.aspects[aspect] for aspect, ok in self.passed.items() if ok))


def judge(question: Question, answer: Answer, cases: list[Case], outcomes: list[Outcome]) -> Verdict:
    """Decide, from records alone, which aspects are right and which misconception explains the rest.

    Parameters
    ----------
    cases, outcomes : lists of equal length
        What was asked, and what came of each.
    """
    if len(cases) != len(outcomes):
        raise ValueError(f"{len(cases)} cases but {len(outcomes)} outcomes: each case needs exactly one")
    expected = [attempt(question, answer.reference, case, trusted=True) for case in cases]
    differences = [
        difference(outcome, right, tolerance_for(case, answer))
        for case, outcome, right in zip(cases, outcomes, expected, strict=True)
    ]
    wrong = wrong_aspects(cases, differences)
    if any(outcome.trouble and outcome.trouble.kind == "forbidden" for outcome in outcomes):
        wrong = set(question.aspects)  # nothing was built, whichever cases it was seen in
    order = {aspect: i for i, aspect in enumerate(question.aspects)}
    failures = sorted(
        (
            Failure(case, outcome, right, d)
            for case, outcome, right, d in zip(cases, outcomes, expected, differences, strict=True)
            if d
        ),
        key=lambda f: (f.case.aspect not in wrong, order[f.case.aspect], bool(f.case.needs), size_of(f.case)),
    )
    done = any(not (outcome.trouble and outcome.trouble.kind == "not done") for outcome in outcomes)
    mistake, certain = None, False
    if failures and done:
        mistake, certain = explain(question, answer, cases, outcomes, failures)
    passed = {aspect: aspect not in wrong for aspect in question.aspects}
    return Verdict(question, passed, tuple(failures), mistake, certain, done)


def wrong_aspects(cases: list[Case], differences: list[str]) -> set[str]:
    """The aspects to blame: those wrong by themselves, then those wrong only in combination."""
    wrong = {case.aspect for case, d in zip(cases, differences, strict=True) if d and not case.needs}
    for case, d in zip(cases, differences, strict=True):
        if d and not wrong.intersection(case.needs):
            wrong.add(case.aspect)
    return wrong


def difference(got: Outcome, expected: Outcome, tolerance: float) -> str:
    """What is wrong with an outcome, as a sentence; empty if nothing is."""
    if got.trouble or expected.trouble:
        return trouble_difference(got, expected)
    for name, right in expected.arrays.items():
        mine = got.arrays.get(name)
        label = LABELS.get(name, name)
        if mine is None:
            return f"{label} is missing"
        if mine.dtype.kind == "c" and right.dtype.kind != "c":
            return f"{label} is complex; real numbers are wanted (`.real` takes them out of a Fourier transform)"
        if mine.shape != right.shape:
            return f"{label} has shape {mine.shape}; expected {right.shape}"
        if right.dtype.kind in "US" or mine.dtype.kind not in "fiub":
            if str(mine) != str(right):
                return f"{label} is {mine}; expected {right}"
            continue
        if np.isnan(mine).any() and not np.isnan(right).any():
            return f"{label} contains NaN (not a number): a division by zero, a negative root, memory never filled"
        if not np.allclose(mine, right, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"{label} has wrong values" if right.ndim else f"{label} is {mine}; expected {right}"
    return ""


LABELS = {
    "y": "the output",
    "y2": "the output for a second batch of another size",
    "size": "the result",
    "grad_x": "the gradient with respect to the input",
    "grad_weight": "the gradient with respect to the weight",
    "grad_bias": "the gradient with respect to the bias",
    "dtype": "the output's dtype",
}


def trouble_difference(got: Outcome, expected: Outcome) -> str:
    """The difference where either side has no arrays: an error may be right (a kernel that does not fit)."""
    if expected.trouble and got.trouble:
        alike = got.trouble.kind == "error" and got.trouble.type == expected.trouble.type
        return "" if alike else f"expected a {expected.trouble.type}, but " + say(got)
    if expected.trouble:
        values = ", ".join(str(a) if a.ndim == 0 else f"shape {a.shape}" for a in got.arrays.values())
        return f"expected a {expected.trouble.type} ({expected.trouble.detail}), but got {values}"
    return say(got)


def say(outcome: Outcome) -> str:
    """A trouble as a sentence."""
    return TROUBLES[outcome.trouble.kind].format(outcome.trouble.detail)


def tolerance_for(case: Case, answer: Answer) -> float:
    """How closely a case is compared: an "exact" one to nine digits, so that lost precision costs one aspect only."""
    return 1e-9 if case.given.get("exact") else answer.tolerance


def size_of(case: Case) -> int:
    """How much there is to read in a case: the number of array elements in it."""
    return sum(value.size for value in case.given.values() if isinstance(value, np.ndarray))


def explain(question, answer, cases, outcomes, failures) -> tuple[Mistake | None, bool]:
    """The mistake that answers as the learner did: on every case, or else on the failed ones of the first aspect.

    Where several explain those, the one that explains most of the others. Where the learner's code stopped there, its
    own message says more than a guess would. If nothing fits, precision is left out of account: a kernel that is
    flipped *and* computed in single precision is still flipped.
    """
    strictly, certain = closest(question, answer, cases, outcomes, failures, lambda case: tolerance_for(case, answer))
    if strictly:
        return strictly, certain
    loosely, _ = closest(question, answer, cases, without_dtype(outcomes), failures, lambda case: 1e-4)
    return loosely, False


def without_dtype(outcomes: list[Outcome]) -> list[Outcome]:
    return [
        replace(outcome, arrays={name: array for name, array in outcome.arrays.items() if name != "dtype"})
        for outcome in outcomes
    ]


def closest(question, answer, cases, outcomes, failures, tolerance) -> tuple[Mistake | None, bool]:
    """The mistake whose answers are the outcomes, within `tolerance(case)`; see `explain`."""
    failed = {id(failure.case) for failure in failures}
    first = [i for i, case in enumerate(cases) if id(case) in failed and case.aspect == failures[0].case.aspect]
    others = [i for i in range(len(cases)) if i not in first]
    best, most = None, -1
    for mistake in answer.mistakes:

        def same(i, mistake=mistake):
            theirs = attempt(question, mistake.target, cases[i], trusted=True)
            return alike(outcomes[i], theirs, tolerance(cases[i]))

        if all(same(i) for i in first):
            explained = sum(same(i) for i in others)
            if explained == len(others):
                return mistake, True
            if explained > most and not any(outcomes[i].trouble for i in first):
                best, most = mistake, explained
    return best, False


def alike(got: Outcome, other: Outcome, tolerance: float) -> bool:
    """Whether two outcomes are the same: equal arrays, or the same kind of trouble."""
    if got.trouble and other.trouble:
        # An error's wording is the learner's own; every other trouble's detail says what it is about.
        same_kind = (got.trouble.kind, got.trouble.type) == (other.trouble.kind, other.trouble.type)
        return same_kind and (got.trouble.kind == "error" or got.trouble.detail == other.trouble.detail)
    # Only what both have is compared: the dtype may have been left out.
    other = replace(other, arrays={name: array for name, array in other.arrays.items() if name in got.arrays})
    return not difference(got, other, tolerance) and not (got.arrays and not other.arrays)


@lru_cache(maxsize=64)
def learner_cases(question_name: str) -> tuple[Case, ...]:
    """The cases of a learner's own check: always the same, so that an example seen once can be worked on."""
    from utils.checks import questions

    rng = np.random.default_rng(list(question_name.encode()))
    return tuple(questions.find(question_name).cases(rng, wide=False))
