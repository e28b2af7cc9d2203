"""Intake: whatever a learner handed in → the released notebook with the learner's answers in it, and nothing else.

    take(folder, released, chapter)    one submission: its answers, put into the release; or Refused, with the reason
    open_bundle(folder), take_bundled(…)    the same where the assignment's weights and histories come with the notebook
    unpack(archive, chapter, into)     a ZIP from Moodle, Canvas or Gradescope → one folder for each learner
    refusals(chapter, into)            of whom only something unusable came, and why
    time_told(learner, chapter, …)     when the platform says that it was handed in

No code of a learner's is run, imported or parsed by Python here, and what was handed in is never changed.
"""

from grading.intake.bundle import Opened, open_bundle, take_bundled
from grading.intake.limits import Limits, Refused
from grading.intake.taking import Taken, take
from grading.intake.unpacking import Arrival, refusals, time_told, unpack

__all__ = [
    "Arrival",
    "Limits",
    "Opened",
    "Refused",
    "Taken",
    "open_bundle",
    "refusals",
    "take",
    "take_bundled",
    "time_told",
    "unpack",
]
