"""A learning-rate finder: one short training whose learning rate rises until it goes wrong."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class LRCurve:
    """Losses of single batches by learning rate.

    Attributes
    ----------
    lrs : the learning rate of each step, rising by a constant factor
    losses : the loss at that step, before it was taken
    smooth : the same, averaged over neighbouring steps
    """

    lrs: list[float]
    losses: list[float]
    smooth: list[float]

    @property
    def steepest(self) -> float:
        """The learning rate, below `lowest`, at which the smoothed loss falls fastest."""
        before = range(2, max(3, self.lrs.index(self.lowest)))
        return self.lrs[min(before, key=lambda i: self.smooth[i + 1] - self.smooth[i - 2])]

    @property
    def lowest(self) -> float:
        """The learning rate at which the smoothed loss is smallest: beyond it, steps do harm."""
        return self.lrs[min(range(len(self.smooth)), key=self.smooth.__getitem__)]


def find_lr(
    model: nn.Module,
    batches: Iterable,
    *,
    low: float = 1e-5,
    high: float = 1.0,
    steps: int = 100,
    optimizer: Callable = torch.optim.Adam,
    seed: int = 0,
) -> LRCurve:
    """Train a *copy* of the model with a learning rate that rises from `low` to `high`, and note the losses.

    Parameters
    ----------
    batches : of (x, y); gone through again and again
    steps : how many; it stops sooner when the loss is no number, or four times what it was at best

    Raises
    ------
    ValueError : if low and high are not 0 < low < high, or there are fewer than 10 steps

    Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017
    """
    if not 0 < low < high:
        raise ValueError(f"learning rates rise from low to high, 0 < low < high; you gave low={low}, high={high}.")
    if steps < 10:
        raise ValueError(f"steps={steps}: at least 10 are needed to see a curve.")
    model = copy.deepcopy(model).train()
    learner = optimizer(model.parameters(), lr=low)
    lrs, losses = [], []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for step, (x, y) in enumerate(itertools.islice(endless(batches), steps)):
            lr = low * (high / low) ** (step / (steps - 1))
            learner.param_groups[0]["lr"] = lr
            error = F.cross_entropy(model(x), y)
            value = float(error.detach())
            if not math.isfinite(value) or value > 4 * min([value, *losses]):
                break
            lrs, losses = [*lrs, lr], [*losses, value]
            learner.zero_grad()
            error.backward()
            learner.step()
    return LRCurve(lrs, losses, smoothed(losses))


def endless(batches: Iterable):
    while True:
        yield from batches


def smoothed(values: list[float], width: int = 3) -> list[float]:
    """The mean of each value and its `width` neighbours on either side; fewer at the ends."""
    parts = [values[max(0, i - width) : i + width + 1] for i in range(len(values))]
    return [sum(part) / len(part) for part in parts]
