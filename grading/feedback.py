"""Feedback pages: each learner's own work with verdicts and hints, as HTML. No hidden case is in them, nor the seed."""

from __future__ import annotations

from pathlib import Path

from nbgrader.converters import GenerateFeedback

from grading.batch import CORES, pool
from grading.converters import convert


def feedback(root: Path, chapter: str, jobs: int = CORES) -> list[Path]:
    """Write a page for every graded submission of `chapter`; return the pages.

    Raises
    ------
    RuntimeError
        If nbgrader could not write one of them; the others are written all the same.
    """
    graded = sorted(path.parent.parent.name for path in (root / "grading" / "autograded").glob(f"*/{chapter}/*.ipynb"))
    with pool(min(jobs, len(graded))) as workers:
        under_way = {name: workers.submit(convert, GenerateFeedback, root, name, chapter) for name in graded}
        troubles = {name: future.result() for name, future in under_way.items() if future.result()}
    if troubles:
        raise RuntimeError("; ".join(f"{name}, {chapter}: no feedback: {why}" for name, why in troubles.items()))
    return [root / "grading" / "feedback" / name / chapter / f"{chapter}.html" for name in graded]
