"""A whole class: examined by several workers, entered into nbgrader's gradebook by one writer.

Workers take submissions in, lock them up, judge them and leave a record on disk; they never touch the database. The
writer runs nbgrader's own autograder, which finds the record instead of running anything. Both leave marks that survive
a power cut, so that the next run does what is missing and nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde

from grading import verdict
from grading.converters import convert
from grading.course import chapters, gradebook_url
from grading.jail import JailUnavailable, Warm
from grading.staging import handed_in
from grading.verdict import LOOK, Record

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
AHEAD = 2  # submissions that wait at each worker: memory does not grow with the class


def autograde(
    root: Path, chapter: str, jobs: int = CORES, *, again: bool = False, no_jail: bool = False, tell: Callable = print
) -> list[Record]:
    """Grade whatever was handed in for `chapter` and is not graded yet; return the class's records.

    Parameters
    ----------
    again : bool
        Grade all of them anew.
    no_jail : bool
        Run learner code beside everything else. For code that you wrote yourself, and no other.
    tell : callable
        `tell(done, of, record)` after each submission.

    Raises
    ------
    FileNotFoundError
        If the chapter is not released.
    jail.JailUnavailable
        If learner code cannot be locked up on this machine. Then nothing has changed.
    """
    if chapter not in chapters(root / "notebooks"):
        known = ", ".join(chapters(root / "notebooks")) or "none"
        raise FileNotFoundError(
            f"{chapter} is not released. Released are: {known}. `python -m grading release` does it."
        )
    class_ = handed_in(root, chapter)
    waiting = [learner for learner in class_ if again or verdict.current(root, learner, chapter) is None]
    ready = [learner for learner in class_ if learner not in set(waiting)]
    entered = in_gradebook(root, chapter)
    records = []
    for learner in ready:
        record = verdict.load(root, learner, chapter)
        if learner not in entered or mark(root, learner, chapter) != record.fingerprint:
            enter(root, record)
        records.append(record)
    for record in examined(root, chapter, waiting, jobs, no_jail=no_jail):
        verdict.save(root, record)
        enter(root, record)
        records.append(record)
        tell(len(records), len(class_), record)
    return sorted(records, key=lambda record: record.learner)


def examined(root: Path, chapter: str, learners: list[str], jobs: int, *, no_jail: bool = False) -> Iterator[Record]:
    """Examine submissions side by side; yield each record as it is done. No worker touches the gradebook.

    A worker that is killed takes nobody's grade with it: what it was at is tried once more, by another.
    """
    waiting, tries = list(reversed(learners)), dict.fromkeys(learners, 0)
    while waiting:
        with pool(min(jobs, len(waiting))) as workers:
            under_way: dict[Future, str] = {}
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < jobs * AHEAD:
                        learner = waiting.pop()
                        under_way[workers.submit(examine, root, learner, chapter, no_jail)] = learner
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        record = future.result()
                        del under_way[future]
                        yield record
            except BrokenProcessPool:
                for learner in under_way.values():
                    tries[learner] += 1
                    if tries[learner] < 3:
                        waiting.append(learner)
                    else:
                        yield failed(root, learner, chapter, "The grading process was killed three times over this.")
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise


def pool(jobs: int) -> ProcessPoolExecutor:
    """Workers that begin anew, not as copies of this process with its open database."""
    os.environ.update(OMP_NUM_THREADS="1", CNN_COURSE_FAST="1", CNN_COURSE_OFFLINE="1")
    return ProcessPoolExecutor(max(jobs, 1), mp_context=multiprocessing.get_context("spawn"))


def examine(root: Path, learner: str, chapter: str, no_jail: bool) -> Record:
    """One submission, in a worker."""
    try:
        return verdict.examine(root, learner, chapter, warm=None if no_jail else warm(), no_jail=no_jail)
    except JailUnavailable:
        raise
    except Exception as error:  # a fault of the grading itself: one submission's trouble, seen by a human
        return failed(root, learner, chapter, f"Grading failed: {type(error).__name__}: {error}")


@lru_cache(maxsize=1)
def warm() -> Warm:
    """This worker's interpreter with torch loaded, from which the jails of all its submissions are forked."""
    return Warm()


def failed(root: Path, learner: str, chapter: str, why: str) -> Record:
    """A record without verdicts: zero everywhere, and a look at everything."""
    import nbformat

    released = nbformat.read(verdict.release_path(root, chapter), as_version=4)
    return Record(learner, chapter, LOOK, why, items=verdict.without_verdict(released, why))


# ── the one writer ───────────────────────────────────────────────────────────────────────────────────────────────────


def enter(root: Path, record: Record) -> None:
    """Have nbgrader enter a record into the gradebook, in place of whatever was there.

    Raises
    ------
    RuntimeError
        If nbgrader refuses; the submission then counts as not entered, and no score of it is exported.
    """
    trouble = convert(Autograde, root, record.learner, record.chapter)
    if trouble:
        raise RuntimeError(f"{record.learner}, {record.chapter}: nbgrader could not enter the grade: {trouble}")


def mark(root: Path, learner: str, chapter: str) -> str:
    """The fingerprint of the record that stands in the gradebook; empty if none does."""
    path = verdict.entered_path(root, learner, chapter)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def in_gradebook(root: Path, chapter: str) -> set[str]:
    """The learners for whom the gradebook has a submission of `chapter`."""
    with Gradebook(gradebook_url(root)) as gradebook:
        if chapter not in {assignment.name for assignment in gradebook.assignments}:
            return set()
        return {submission.student.id for submission in gradebook.assignment_submissions(chapter)}


# ── what would change ────────────────────────────────────────────────────────────────────────────────────────────────


def changes(
    root: Path, chapter: str, jobs: int = CORES, *, no_jail: bool = False
) -> Iterator[tuple[Record | None, Record]]:
    """Examine the class anew, write nothing, and yield (before, after) where a verdict differs."""
    for after in examined(root, chapter, handed_in(root, chapter), jobs, no_jail=no_jail):
        before = verdict.load(root, after.learner, chapter)
        if before is None or differs(before, after):
            yield before, after


def differs(before: Record, after: Record) -> bool:
    """Whether two records grant different points, for different reasons, or have another status."""
    return before.status != after.status or any(
        (old := before.items.get(name)) is None
        or (old.points, old.look, old.mistake) != (new.points, new.look, new.mistake)
        for name, new in after.items.items()
    )


def explained(before: Record | None, after: Record) -> list[str]:
    """What differs, in lines: the learner, then each check whose verdict is another."""
    if before is None:
        return [f"{after.learner}: not graded before; would be {after.status}, {after.points:g} points"]
    lines = [f"{after.learner}: {before.status}, {before.points:g} points -> {after.status}, {after.points:g} points"]
    for name, new in after.items.items():
        old = before.items.get(name)
        if old and (old.points, old.look, old.mistake) != (new.points, new.look, new.mistake):
            reasons = [reason for reason in (new.mistake, new.look) if reason]
            why = f" ({'; '.join(reasons)})" if reasons else ""
            lines.append(f"    {new.check}: {old.given:g} -> {new.given:g}{why}")
    return lines
