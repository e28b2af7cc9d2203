"""Augmentations that know how far the training is: `training.fit` tells them before each batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F


@dataclass
class Grow:
    """Train on smaller pictures at first: a picture of half the height and width costs a quarter.

    Attributes
    ----------
    stages : tuple of (until, size)
        Until that fraction of the training is done, pictures are shrunk to `size` × `size`; after the last stage they
        keep their size. ((0.3, 24),) shrinks them for the first 30 %.

    Source: Howard, Training Imagenet in 3 hours for $25, 2018 (fast.ai), who called it progressive resizing.
    """

    stages: tuple[tuple[float, int], ...] = ((0.3, 24),)
    done: float = field(default=0.0, repr=False)

    def __post_init__(self):
        fractions = [until for until, _ in self.stages]
        if fractions != sorted(fractions) or not all(0 < until <= 1 for until in fractions):
            raise ValueError(f"stages are (fraction of the training, size), with fractions rising to 1: {self.stages}.")

    def set_progress(self, done: float) -> None:
        """Which fraction of the training is done."""
        self.done = done

    def __call__(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """(B, C, H, W) → (B, C, size, size)."""
        size = next((size for until, size in self.stages if self.done < until), None)
        if size is None or size == x.shape[-1]:
            return x
        return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)  # averages, drops no pixel
