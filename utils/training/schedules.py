"""How the learning rate changes: functions from the fraction of the training that is done to a factor of `lr`.

fit(..., lr=0.01, schedule=training.triangle(peak=0.2))
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def constant(done: float) -> float:
    """The same learning rate all the time."""
    return 1.0


def triangle(peak: float = 0.2, start: float = 0.2, end: float = 0.0) -> Schedule:
    """Up in a straight line until `peak` (a fraction of the training), then down to `end` (a factor)."""
    if not 0 <= peak < 1:
        raise ValueError(f"peak is a fraction of the training, 0 ≤ peak < 1; you gave {peak}.")

    def factor(done: float) -> float:
        if done < peak:
            return start + (1 - start) * done / peak
        return 1 + (end - 1) * (done - peak) / (1 - peak)

    factor.__qualname__ = f"triangle(peak={peak}, start={start}, end={end})"
    return factor


def cosine(warmup: float = 0.0, end: float = 0.0) -> Schedule:
    """Up in a straight line during `warmup` (a fraction), then down to `end` along half a cosine wave.

    Source: Loshchilov and Hutter, SGDR, 2017
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is a fraction of the training, 0 ≤ warmup < 1; you gave {warmup}.")

    def factor(done: float) -> float:
        if done < warmup:
            return done / warmup
        return end + (1 - end) * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))) / 2

    factor.__qualname__ = f"cosine(warmup={warmup}, end={end})"
    return factor
