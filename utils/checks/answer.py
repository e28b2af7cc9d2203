"""An answer: what torch says, and the ways in which learners go wrong.

Nothing here solves an exercise. The reference *asks* torch (a size is the shape of a real layer's output), and each
known mistake bends what torch says. Both have the form of the learner's own target, so that one `run` serves all three,
and so that the mistakes are also the mutants that prove the check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One known way of going wrong.

    Attributes
    ----------
    name : str
        Short and stable, for tables: "kernel flipped".
    says : str
        What the learner is told: the misconception by its name, then what is so.
    hint, stronger : str
        Where to look; and, on request, what to do there. Never the solution.
    target : callable
        Answers as somebody with this mistake would.
    twins : tuple of str
        Names of mistakes that answer alike on every case and so cannot be told apart from this one.
    """

    name: str
    says: str
    hint: str
    stronger: str
    target: Callable
    twins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What is right, and the catalogue of what is wrong.

    Attributes
    ----------
    reference : callable
        A target that is right because torch itself answers.
    mistakes : tuple of Mistake
    tolerance : float
        Absolute and relative, for results computed in float64.
    example : callable or None
        `example(given, expected, got)` -> str, a small failing example in words; None for the general one.
    """

    reference: Callable
    mistakes: tuple[Mistake, ...]
    tolerance: float = 1e-9
    example: Callable | None = None
