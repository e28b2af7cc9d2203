"""The instructor's work end to end, on a sample class: release, collect, grade, table, feedback pages.

Everything happens in a course folder of its own, made anew each time; the real gradebook is not touched. It is a course
folder like any other: nbgrader's commands and formgrader can be tried in it afterwards.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from nbgrader.utils import setenv

from grading.batch import autograde
from grading.course import ROOT, chapters, found
from grading.feedback import feedback
from grading.gradebook import table
from grading.jail import JailUnavailable
from grading.records import Record
from grading.release import release
from grading.sample_class import hand_in, learners

MARK = "nbgrader_config.py"  # a folder that holds it, or nothing at all, may be made anew


def demo(root: Path = ROOT / "demo", jobs: int = os.cpu_count() or 1, say=print) -> list[Record]:
    """Show it all in the folder `root`; return the records of the class.

    Raises
    ------
    FileExistsError
        If `root` holds something that is no course folder of an earlier demo.
    """
    with setenv(CNN_COURSE_FAST="1", OMP_NUM_THREADS="1"):  # workers share the cores: more threads would only quarrel
        return show(root, jobs, say)


def show(root: Path, jobs: int, say) -> list[Record]:
    """The demo itself, step by step."""
    begin = time.perf_counter()
    lay_out(root)
    release(root)
    graded = chapters(root / "notebooks")
    say(f"Released {', '.join(graded)} into {root / 'notebooks'}.")
    hand_in(root)
    say("A sample class has handed in its notebooks:")
    for learner in learners():
        say(f"  {learner.name:7} {learner.style}")
    say("They are graded now. Learner code runs in a jail; the verdict falls outside it.")
    records = [record for chapter in graded for record in grade(root, chapter, jobs, say)]
    say("\n" + table(root))
    pages = [page for chapter in graded for page in feedback(root, chapter, jobs)]
    say(f"\n{len(pages)} feedback pages, for example {pages[0]}")
    say(f"Done in {time.perf_counter() - begin:.0f} s. To go on from here: cd {root}, then nbgrader's commands.")
    return records


def grade(root: Path, chapter: str, jobs: int, say) -> list[Record]:
    """Grade a chapter in the jail, or, where there is none, say so and do without: this class is the course's own."""

    def tell(done: int, of: int, record: Record) -> None:
        why = f": {record.why}" if record.why else ""
        say(f"  {done:2}/{of}  {record.learner}, {chapter}: {record.status}{why}")

    try:
        return autograde(root, chapter, jobs, tell=tell)
    except JailUnavailable as reason:
        say(f"\nNO JAIL ON THIS MACHINE: {reason}")
        say("The sample class belongs to the course, so it is graded WITHOUT A JAIL. Never do that with a real one.\n")
        return autograde(root, chapter, jobs, no_jail=True, tell=tell)


def lay_out(root: Path) -> None:
    """Make `root` a fresh course folder with the chapters that are graded, and nothing in its gradebook."""
    if root.exists() and any(root.iterdir()) and not (root / MARK).is_file():
        raise FileExistsError(f"{root} is no folder of an earlier demo; name one that is empty or not there yet.")
    shutil.rmtree(root, ignore_errors=True)
    found(root)
    (root / "grading").mkdir(exist_ok=True)
    (root / "grading" / "secret_seed").write_text("the seed of the demo\n")  # the real one stays out of this
    for chapter in {chapter for learner in learners() for chapter in learner.chapters}:
        shutil.copytree(ROOT / "solutions" / chapter, root / "solutions" / chapter)
