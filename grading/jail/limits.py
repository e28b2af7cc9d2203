"""What one submission may use up."""

from __future__ import annotations

from dataclasses import dataclass

MiB = 2**20
# An interpreter with torch, before any learner code: the memory it touches.
RESIDENT = 768 * MiB


@dataclass(frozen=True)
class Limits:
    """What one submission may use up. Sizes are in bytes, times in seconds.

    Attributes
    ----------
    memory : int
        What learner code may hold beyond the interpreter and torch, all its processes together.
    cpu : int
        CPU time of each process.
    cell, cells : float
        Wall time of one cell, and of all cells together. A cell that takes longer is interrupted; the next one runs.
    check : float
        Wall time of one check.
    start : float
        Wall time until the interpreter and torch are loaded; no learner code runs before that.
    processes, files : int
        Processes and threads at once; open files of each process.
    disk, inodes : int
        What may be written, and in how many files. It lies in memory, and is gone with the jail.
    output : int
        Characters that are kept of what one cell writes.
    message : int
        Everything that comes out of the jail.
    """

    memory: int = 1024 * MiB
    cpu: int = 90
    cell: float = 20
    cells: float = 60
    check: float = 10
    start: float = 120
    processes: int = 64
    files: int = 128
    disk: int = 64 * MiB
    inodes: int = 10_000
    output: int = 20_000
    message: int = 32 * MiB
