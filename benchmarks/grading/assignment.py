"""What it costs to grade the assignment: `python -m grading autograde assignment_cifar10` on copies of one bundle.

    python benchmarks/grading/assignment.py assignment_cifar10.zip                # 4 submissions, then 100
    python benchmarks/grading/assignment.py assignment_cifar10.zip --sizes 4 20

The bundle is what `assignment.bundle()` wrote, of networks trained on the pictures in `data.folder()`. CPU seconds are
those of all processes, the jails' among them, where a control group can be made to add them up (on Linux, as root);
each worker's start, some six seconds, is in them.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from grading.course import ROOT, found
from grading.release import release

if __package__:
    from benchmarks.grading.throughput import Run, measured
else:
    from throughput import Run, measured

CHAPTER = "assignment_cifar10"


def run(bundle: Path, size: int, jobs: int) -> Run:
    """Grade a fresh class of `size`."""
    with tempfile.TemporaryDirectory() as temporary:
        root = found(Path(temporary) / "course")
        shutil.copytree(ROOT / "solutions" / CHAPTER, root / "solutions" / CHAPTER)
        release(root)
        for number in range(size):
            folder = root / "grading" / "submitted" / f"learner{number:04}" / CHAPTER
            folder.mkdir(parents=True)
            shutil.copy(bundle, folder / f"{CHAPTER}.zip")
        command = [sys.executable, "-m", "grading", "autograde", CHAPTER, "--course", str(root), "--jobs", str(jobs)]
        return measured(command, root, CHAPTER)


def main() -> None:
    program = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    program.add_argument("bundle", type=Path)
    program.add_argument("--sizes", type=int, nargs="+", default=[4, 100], help="of the class; default: 4 100")
    program.add_argument("--jobs", type=int, default=2)
    options = program.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'submissions':>12}{'seconds':>9}{'CPU each':>10}{'peak MiB':>10}{'points each':>13}")
    for size in options.sizes:
        done = run(options.bundle, size, options.jobs)
        each = f"{done.cpu / size:10.1f}{done.memory:10.0f}{done.points / size:13g}"
        print(f"{size:12}{done.seconds:9.1f}{each}", flush=True)


if __name__ == "__main__":
    main()
