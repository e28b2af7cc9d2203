"""The check in the HIDDEN TESTS regions: the learner's own check with other cases, and with partial credit.

    ### BEGIN HIDDEN TESTS
    from grading.hidden import check
    ### END HIDDEN TESTS
    check("conv2d", Conv2D)

So a released notebook and a graded one differ in one line. Here the cases come from a secret seed and wider ranges,
nothing is raised for a wrong answer, and no case is shown. The Report is a number: the points of the right aspects.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np

from grading.course import ROOT
from utils.checks import CheckFailed, answers, questions
from utils.checks.question import Case, attempt
from utils.checks.report import Report
from utils.checks.verdict import judge


def check(name: str, target, *, hint: int = 1) -> Report:
    """The graded report on `target`: points by aspect, nothing raised for a wrong answer, no case shown.

    It is called as the learner's own check is; `hint` makes no difference to the points.

    Raises
    ------
    CheckFailed
        If `target` cannot be called at all.
    """
    question, answer = questions.find(name), answers.find(name)
    if not callable(target):
        raise CheckFailed(f"{name}: {target!r:.60} was handed in, but {question.signature} is wanted.")
    cases = hidden_cases(name)
    # A warning is no mistake, and nbgrader would take anything on stderr for one.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        outcomes = [attempt(question, target, case) for case in cases]
        return Report(judge(question, answer, cases, outcomes), answer, hint=hint, examples=False)


def hidden_cases(name: str, root: Path = ROOT) -> list[Case]:
    """The cases of the graded check: always the same for one seed, others than the learner's."""
    return list(drawn(name, secret_seed(root)))


@lru_cache(maxsize=64)
def drawn(name: str, seed: str) -> tuple[Case, ...]:
    """A whole class is asked the same: the cases are drawn once."""
    rng = np.random.default_rng([*seed.encode(), *name.encode()])
    return tuple(questions.find(name).cases(rng, wide=True))


def secret_seed(root: Path = ROOT) -> str:
    """The instructor's seed: CNN_COURSE_SEED, or else the file grading/secret_seed, made at random when first wanted.

    Git ignores the file. Keep it for as long as grades may be questioned: with another seed, other cases are asked.
    """
    path = root / "grading" / "secret_seed"
    seed = os.environ.get("CNN_COURSE_SEED") or read_or_make(path)
    if not seed.strip():
        raise ValueError(f"{path} is empty: write any secret line into it, or delete it and a new one is made.")
    return seed.strip()


def read_or_make(path: Path) -> str:
    """The text of `path`; if it is missing it is made, complete from its first moment even if several ask at once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
        draft.chmod(0o600)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="utf-8")
