"""nbgrader's own autograding and feedback, one submission at a time and several side by side.

Each submission is its own run of nbgrader's converters, so that one that cannot be graded stops no other, and says why.
A worker serves many submissions: starting nbgrader anew for each would cost more than most of them need.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from grading.course import config, gradebook_url


@dataclass(frozen=True)
class Submission:
    """What a learner handed in for a chapter, and, once it was tried, why it could not be graded (or nothing)."""

    chapter: str
    learner: str
    trouble: str = ""


def submissions(root: Path) -> list[Submission]:
    """Every submission in `root`/grading/submitted, as nbgrader lays them out: LEARNER/CHAPTER/CHAPTER.ipynb."""
    found = sorted((root / "grading" / "submitted").glob("*/*/"))
    return [Submission(path.name, path.parent.name) for path in found]


def autograde(root: Path, waiting: list[Submission], jobs: int = os.cpu_count() or 1) -> Iterator[Submission]:
    """Grade submissions and write their feedback pages; yield each as it is done, in the order in which they finish.

    The chapters must have been released into the course's gradebook before.
    """
    with Gradebook(gradebook_url(root)) as gradebook:  # two workers that both meet a new learner would quarrel
        for learner in {submission.learner for submission in waiting}:
            gradebook.update_or_create_student(learner)
    with ProcessPoolExecutor(max(1, min(jobs, len(waiting)))) as workers:
        for done in as_completed([workers.submit(grade, root, submission) for submission in waiting]):
            yield done.result()


def grade(root: Path, submission: Submission) -> Submission:
    """Let nbgrader grade one submission and write its feedback page."""
    trouble = convert(Autograde, root, submission) or convert(GenerateFeedback, root, submission)
    return Submission(submission.chapter, submission.learner, trouble)


def convert(kind: type, root: Path, submission: Submission) -> str:
    """Run one of nbgrader's converters on one submission; return why it failed, or nothing."""
    settings = config(root)
    course = CourseDirectory(
        config=settings, assignment_id=submission.chapter, student_id=submission.learner.replace("[", "[[]")
    )
    converter = kind(coursedir=course, config=settings, force=True)
    converter.log, heard = listener()
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # kernels complain there about being stopped
            converter.start()
    except NbGraderException as error:
        return reason("\n".join(heard) or str(error))
    return ""


def reason(log: str) -> str:
    """The error that stands last in a traceback, or else the first line of nbgrader's log."""
    errors = re.findall(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|JSON)\w*: .+)$", log, re.M)
    return errors[-1] if errors else log.strip().splitlines()[0]


def listener() -> tuple[logging.Logger, list[str]]:
    """A log that keeps nbgrader's warnings and errors to itself, and the list they go to."""
    heard: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    log = logging.Logger("nbgrader", level=logging.WARNING)
    log.addHandler(Keep())
    return log, heard
