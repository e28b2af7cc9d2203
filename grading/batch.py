"""A whole class: examined by several workers, entered into nbgrader's gradebook by one writer.

Workers take submissions in, lock them up, judge them and leave a record on disk; they never touch the database. The
writer runs nbgrader's own autograder, which finds the record instead of running anything. Both leave marks that survive
a power cut, so that the next run does what is missing and nothing else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from traitlets.config import Config

from grading import judged, records, release, verdict
from grading.converters import convert
from grading.course import gradebook_url
from grading.jail import JailUnavailable, Limits, Warm
from grading.records import FAILED, Record
from grading.staging import handed_in

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
AHEAD = 2  # submissions that wait at each worker: memory does not grow with the class


def autograde(
    root: Path,
    chapter: str,
    jobs: int = CORES,
    *,
    again: bool = False,
    no_jail: bool = False,
    limits: Limits | None = None,
    tell: Callable = print,
) -> list[Record]:
    """Grade whatever was handed in for `chapter` and is not graded yet; return the class's records, without outputs.

    Parameters
    ----------
    again : bool
        Grade all of them anew.
    no_jail : bool
        Run learner code beside everything else. For code that you wrote yourself, and no other.
    limits : Limits, optional
        What each submission may use up.
    tell : callable
        `tell(done, of, record)` after each submission.

    Raises
    ------
    jail.JailUnavailable
        If learner code cannot be locked up on this machine. Then nothing is graded.
    RuntimeError
        If another run is at work on this course.
    """
    with alone(root):
        class_ = handed_in(root, chapter)
        entered = in_gradebook(root, chapter)
        waiting, done = [], []
        for learner in class_:
            record = None if again else records.current(root, learner, chapter)
            if record is None or record.status == FAILED:
                waiting.append(learner)
            elif learner in entered and records.stands(root, record):
                done.append(replace(record, outputs={}))
            else:
                done.append(enter(root, record))
        for record in examined(root, chapter, waiting, jobs, no_jail=no_jail, limits=limits):
            records.save(root, record)
            done.append(enter(root, record))
            tell(len(done), len(class_), done[-1])
        return sorted(done, key=lambda record: record.learner)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep a second run away; the lock ends with this process, however that ends."""
    import fcntl  # not on Windows, where there is no jail either

    (root / "grading").mkdir(exist_ok=True)
    with (root / "grading" / ".grading").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"Another run is grading in {root} at this moment. Wait until it is through.") from None
        yield


def examined(root: Path, chapter: str, learners: list[str], jobs: int, **how) -> Iterator[Record]:
    """Examine submissions side by side; yield each record as it is done. No worker touches the gradebook.

    `how` goes to `verdict.examine`: no_jail, keep, limits.
    A worker that is killed takes nobody's grade with it: whatever was under way is tried again, one at a time, so that
    a submission which kills workers harms no other.
    """
    task = partial(examine, root, chapter, **how)
    jobs, waiting = max(jobs, 1), list(reversed(learners))
    while waiting:
        under_way: dict[Future, str] = {}
        with pool(min(jobs, len(waiting))) as workers:
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < jobs * AHEAD:
                        learner = waiting.pop()
                        under_way[workers.submit(task, learner)] = learner
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        record = future.result()
                        del under_way[future]
                        yield record
            except BrokenProcessPool:
                pass
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise
        yield from one_by_one(root, chapter, list(under_way.values()), task)


def one_by_one(root: Path, chapter: str, learners: list[str], task: Callable) -> Iterator[Record]:
    """Examine submissions with nobody beside them; one that kills its worker twice more has failed."""
    waiting, tries = list(reversed(learners)), Counter()
    while waiting:
        with contextlib.suppress(BrokenProcessPool), pool(1) as worker:
            while waiting:
                record = worker.submit(task, waiting[-1]).result()
                waiting.pop()
                yield record
        if waiting:
            tries[waiting[-1]] += 1
            if tries[waiting[-1]] == 2:
                why = "The grading process was killed three times over this submission."
                yield verdict.failed(root, waiting.pop(), chapter, why)


def pool(jobs: int) -> ProcessPoolExecutor:
    """Workers that begin anew, not as copies of this process with its open database."""
    os.environ.update(OMP_NUM_THREADS="1", CNN_COURSE_FAST="1", CNN_COURSE_OFFLINE="1")
    return ProcessPoolExecutor(max(jobs, 1), mp_context=multiprocessing.get_context("spawn"), initializer=begin_work)


def begin_work() -> None:
    """In a worker: end at once when the user presses Ctrl-C, or when the process that hands out the work is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def examine(root: Path, chapter: str, learner: str, *, no_jail: bool = False, **how) -> Record:
    """One submission, in a worker."""
    if no_jail:
        return verdict.examine(root, learner, chapter, no_jail=True, **how)
    try:
        return verdict.examine(root, learner, chapter, warm=warm(), **how)
    except JailUnavailable:  # the quick way is gone, or there is none here: the plain one is as good
        if warm():
            warm().close()
            warm.cache_clear()
        return verdict.examine(root, learner, chapter, **how)


@lru_cache(maxsize=1)
def warm() -> Warm | None:
    """This worker's interpreter with torch loaded, from which the jails of all its submissions are forked."""
    try:
        return Warm()
    except JailUnavailable:
        return None


# ── the one writer ───────────────────────────────────────────────────────────────────────────────────────────────────


def enter(root: Path, record: Record) -> Record:
    """Have nbgrader enter a record into the gradebook, in place of whatever was there; return it, without outputs.

    If nbgrader refuses, that comes back as its status; no other score stands in the gradebook then, none is exported,
    and the next run tries it again. So it is with a submission that could not even be taken in.
    """
    learner, chapter = record.learner, record.chapter
    settings = Config({"Judge": {"retry": False}})
    trouble = convert(Autograde, root, learner, chapter, settings) if record.fingerprint else record.why
    if trouble:
        judged.take_back(root, learner, chapter)
        records.note_entry(root, learner, chapter, records.Entry(clean=records.entry(root, learner, chapter).clean))
        why = record.why if record.status == FAILED else f"nbgrader could not enter the grade: {trouble}"
        return replace(record, status=FAILED, why=why, outputs={})
    return replace(record, outputs={})


def in_gradebook(root: Path, chapter: str) -> set[str]:
    """The learners for whom the gradebook has a submission of `chapter`; it is told of the chapter if it knows none."""
    with Gradebook(gradebook_url(root)) as gradebook:
        if chapter in {assignment.name for assignment in gradebook.assignments}:
            return {submission.student.id for submission in gradebook.assignment_submissions(chapter)}
    with tempfile.TemporaryDirectory() as elsewhere:
        release.generate(root, chapter, Path(elsewhere), gradebook=True)
    return set()


# ── what would change ────────────────────────────────────────────────────────────────────────────────────────────────


def changes(
    root: Path, chapter: str, jobs: int = CORES, *, no_jail: bool = False
) -> Iterator[tuple[Record | None, Record]]:
    """Examine the class anew, write nothing, and yield (before, after) where a verdict differs."""
    for after in examined(root, chapter, handed_in(root, chapter), jobs, no_jail=no_jail, keep=False):
        before = records.load(root, after.learner, chapter)
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
