"""nbgrader's own converters, run on one submission at a time in this process.

One that nbgrader cannot convert stops no other, and says why. nbgrader's commands cost seconds to start; this does not.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
from pathlib import Path

from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.course import config

# What nbgrader looks for files by, and so finds those of another learner or none; no command of the course names a
# folder so.
PATTERN = re.compile(r"[\[\]*?\n]")


def convert(kind: type, root: Path, learner: str, chapter: str, more: Config | None = None) -> str:
    """Run one of nbgrader's converters on one submission; return why it failed, or nothing. `more`: settings."""
    if PATTERN.search(learner):
        return (
            "nbgrader takes a name with [, ], *, ? or a line break in it for a pattern that may fit other learners. "
            f"Rename the folder {learner!r} in grading/submitted, and grade again."
        )
    settings = config(root)
    settings.merge(more or {})
    course = CourseDirectory(config=settings, assignment_id=chapter, student_id=learner)
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
