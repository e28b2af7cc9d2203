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

from grading.autograde import Submission, autograde, submissions
from grading.course import ROOT, chapters, found
from grading.gradebook import table
from grading.release import release
from grading.sample_class import hand_in, learners

MARK = "nbgrader_config.py"  # a folder that holds it, or nothing at all, may be made anew


def demo(root: Path = ROOT / "demo", jobs: int = os.cpu_count() or 1, say=print) -> list[Submission]:
    """Show it all in the folder `root`; return the submissions, each with its trouble, if it had any.

    Raises
    ------
    FileExistsError
        If `root` holds something that is no course folder of an earlier demo.
    """
    # The real seed stays out of this; and workers share the cores, so that more threads would only quarrel.
    with setenv(CNN_COURSE_SEED="the seed of the demo", CNN_COURSE_FAST="1", OMP_NUM_THREADS="1"):
        return show(root, jobs, say)


def show(root: Path, jobs: int, say) -> list[Submission]:
    """The demo itself, step by step."""
    begin = time.perf_counter()
    lay_out(root)
    release(root)
    say(f"Released {', '.join(chapters(root / 'notebooks'))} into {root / 'notebooks'}.")
    hand_in(root)
    waiting = submissions(root)
    say(f"A sample class has handed in {len(waiting)} notebooks:")
    for learner in learners():
        say(f"  {learner.name:7} {learner.style}")
    say("nbgrader grades them now, with its own autograde and generate_feedback:")
    done = []
    for submission in autograde(root, waiting, jobs):
        done.append(submission)
        state = f"could not be graded: {submission.trouble}" if submission.trouble else "graded"
        say(f"  {len(done):2}/{len(waiting)}  {submission.learner}, {submission.chapter}: {state}")
    troubles = [submission for submission in done if submission.trouble]
    say("\n" + table(root, troubles))
    pages = sorted((root / "grading" / "feedback").rglob("*.html"))
    say(f"\n{len(pages)} feedback pages, for example {pages[0]}" if pages else "\nThere is no feedback page.")
    say(f"Done in {time.perf_counter() - begin:.0f} s. To go on from here: cd {root}, then nbgrader's commands.")
    return done


def lay_out(root: Path) -> None:
    """Make `root` a fresh course folder with the chapters that are graded, and nothing in its gradebook."""
    if root.exists() and any(root.iterdir()) and not (root / MARK).is_file():
        raise FileExistsError(f"{root} is no folder of an earlier demo; name one that is empty or not there yet.")
    shutil.rmtree(root, ignore_errors=True)
    found(root)
    for chapter in {chapter for learner in learners() for chapter in learner.chapters}:
        shutil.copytree(ROOT / "solutions" / chapter, root / "solutions" / chapter)
