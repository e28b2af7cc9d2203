"""Submissions graded per minute: `python -m grading autograde`, jail included, against stock `nbgrader autograde`.

    python benchmarks/grading/throughput.py            # 100 submissions each way, then 25, 100 and 400 for growth
    python benchmarks/grading/throughput.py --size 20 --growth 10 20

Both grade the same class in one run on one machine: two exercises of chapter 02 (conv_output_size and Conv2D) with the
sample class's answers, right and wrong, in a notebook that imports torch and holds nothing else, so that stock
nbgrader, which runs every cell, runs no more of them than the jail does. Stock means nbgrader's own list of
preprocessors, one submission after the other, as its command does it. With --repeat, the two take turns and the median
counts. The points are those of the whole class; the two differ where a learner uses a ready-made convolution, or writes
to stderr, which costs stock nbgrader's learners their points. Peak memory is the largest sum over the process tree,
looked at every two seconds, of proportional set sizes: a page that n processes share counts 1/n for each.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from grading.course import ROOT, found, gradebook_url
from grading.release import release
from grading.sample_class import filled_in, learners

CHAPTER = "98_benchmark"
EXERCISES = {"conv_output_size": 5, "Conv2D": 10}
IMPORTS = (
    "import math\nimport torch\nimport torch.nn.functional as F\nfrom itertools import product\nfrom torch import nn"
)
PAIR = "def pair(value):\n    return (value, value) if isinstance(value, int) else tuple(value)"
STOCK = """
from nbgrader.converters import Autograde
c.Autograde.autograde_preprocessors = list(Autograde.autograde_preprocessors.default_args[0])
c.Autograde.pre_convert_hook = c.Autograde.post_convert_hook = None
"""
PAUSE = 2  # seconds between two looks at the memory: to look costs time that is being measured


def chapter():
    """The two exercises, without the rest of their chapter."""
    source = nbformat.read(ROOT / "solutions/02_convolution_layers/02_convolution_layers.ipynb", as_version=4)
    cells = {cell.id: cell for cell in source.cells}
    found = [cells["setup"]]
    for name, text in (("imports", IMPORTS), ("pair", PAIR)):
        found.append(new_code_cell(text, id=name))
    for name in EXERCISES:
        exercise = cells[name]
        exercise.source = (
            exercise.source.rpartition("### END SOLUTION")[0] + "### END SOLUTION"
        )  # without trying it out
        found += [exercise, cells[f"check-{name}"]]
    return new_notebook(cells=found)


def class_of(size: int, root: Path, stock: bool) -> Path:
    """A course folder with `size` submissions."""
    found(root)
    if stock:
        with (root / "nbgrader_config.py").open("a") as file:
            file.write(STOCK)
    (root / "solutions" / CHAPTER).mkdir(parents=True)
    nbformat.write(chapter(), root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb")
    release(root)
    released = nbformat.read(root / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
    answers = [learner.answers for learner in learners() if EXERCISES.keys() <= learner.answers.keys()]
    for number in range(size):
        path = root / "grading" / "submitted" / f"learner{number:04}" / CHAPTER / f"{CHAPTER}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(filled_in(nbformat.from_dict(released), answers[number % len(answers)]), path)
    return root


@dataclass(frozen=True)
class Run:
    """Seconds, the process tree's peak memory in MiB, the points that were given, and CPU seconds of the whole tree."""

    seconds: float
    memory: float
    points: float
    cpu: float


def measured(command: list[str], folder: Path, chapter: str = CHAPTER) -> Run:
    """Run a command in a course folder."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CNN_COURSE_OFFLINE": "1", "CNN_COURSE_FAST": "1"}
    group = accounting()
    begin, before, peak = time.perf_counter(), cpu(group), 0.0
    joined = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"), *command] if group else command
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(joined, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PAUSE)
    seconds, used = time.perf_counter() - begin, cpu(group) - before
    if group:
        group.rmdir()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(folder / 'log').read_text()[-2000:]}")
    with Gradebook(gradebook_url(folder)) as gradebook:
        points = sum(submission.score for submission in gradebook.assignment_submissions(chapter))
    return Run(seconds, peak, points, used)


def accounting() -> Path | None:
    """A control group of our own, whose members' CPU time the kernel adds up; None where we may not make one."""
    for parent in (Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup")):  # versions 1 and 2
        group = parent / f"cnn-course-benchmark-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            return group
    return None


def cpu(group: Path | None) -> float:
    """CPU seconds of a control group; without one, of the processes that were waited for, so without killed jails."""
    if group and (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e9
    if group:
        return int(re.search(r"usage_usec (\d+)", (group / "cpu.stat").read_text())[1]) / 1e6
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident(pid: int) -> float:
    """The proportional set sizes of a process and all its descendants, in MiB."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        waiting += children.get(each, [])
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{each}/smaps_rollup").read_text(), re.M)
            total += int(found[1]) if found else 0
    return total / 1024


def run(size: int, stock: bool, jobs: int) -> Run:
    """Grade a fresh class of `size`."""
    with tempfile.TemporaryDirectory() as temporary:
        root = class_of(size, Path(temporary) / "course", stock)
        ours = [sys.executable, "-m", "grading", "autograde", CHAPTER, "--course", str(root), "--jobs", str(jobs)]
        theirs = [sys.executable, "-m", "nbgrader", "autograde", CHAPTER]
        result = measured(theirs if stock else ours, root)
        shutil.rmtree(root)
    return result


def main() -> None:
    program = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    program.add_argument("--size", type=int, default=100, help="of the class for the comparison; 0: none; default: 100")
    program.add_argument("--repeat", type=int, default=1, help="how often each way is measured; default: once")
    program.add_argument("--growth", type=int, nargs="*", default=[25, 100, 400], help="sizes; default: 25 100 400")
    program.add_argument("--jobs", type=int, default=2)
    options = program.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'':18}{'submissions':>12}{'seconds':>9}{'a minute':>10}{'peak MiB':>10}{'points':>8}")

    def row(name: str, size: int, stock: bool) -> float:
        done = run(size, stock, options.jobs)
        rate = 60 * size / done.seconds
        print(f"{name:18}{size:12}{done.seconds:9.1f}{rate:10.1f}{done.memory:10.0f}{done.points:8g}", flush=True)
        return done.seconds

    if options.size:
        turns = range(options.repeat)
        times = [
            [row("stock nbgrader", options.size, True), row("jail and verdict", options.size, False)] for _ in turns
        ]
        theirs, ours = (median(column) for column in zip(*times, strict=True))
        print(f"ratio: {theirs / ours:.2f}", flush=True)
    for size in options.growth:
        row("jail and verdict", size, False)


if __name__ == "__main__":
    main()
