"""Things for these tests: limits, an exercise, and who is in jail."""

import contextlib
import os
import time
from pathlib import Path

import numpy as np

from grading.jail import Asked, Limits
from utils.checks.question import Case

SHORT = Limits(memory=256 * 2**20, cpu=20, cell=1.5, cells=10, check=1.5, processes=24, disk=8 * 2**20, inodes=500)
IMAGE = np.arange(6.0).reshape(2, 3)
INVERT = "def invert(image):\n    return 255 - image"


def members(namespaces: list[int]) -> list[str]:
    """The processes that still live in one of these process namespaces."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            dead = "State:\tZ" in (path / "status").read_text()  # and waits to be buried
            if not dead and (path / "ns" / "pid").stat().st_ino in namespaces:
                found.append((path / "cmdline").read_text().replace("\0", " "))
    return found


def left(namespaces: list[int], seconds: float = 20) -> list[str]:
    """Who stays in these namespaces. The kernel gives a number to a new jail once the old one is gone, a test's that
    runs beside this one, say; that one ends soon, and only those who stay are left over."""
    end = time.monotonic() + seconds
    while (found := members(namespaces)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def open_files() -> set[tuple[str, str]]:
    """Number and name of each file that this process holds open."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists the others
            found.add((path.name, os.readlink(path)))
    return found


def asked(target="invert", grade_id="check") -> Asked:
    """The practice check with one small case."""
    return Asked(grade_id, "practice", target, [Case("values", {"image": IMAGE})])


def right(answer) -> bool:
    """Whether an answer to `asked()` is the right one."""
    return isinstance(answer, list) and len(answer) == 1 and np.array_equal(answer[0].arrays.get("y"), 255 - IMAGE)
