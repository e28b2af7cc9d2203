"""Augmentation of a whole batch at once, on whatever device it lies: each picture is changed in its own way.

An augmentation is any function (x, generator) → x with x float (B, C, H, W) in [0, 1]; a list of them is applied in its
order. Random numbers are drawn on the CPU, from the generator that is given: the same on every device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


def uniform(n: int, generator: torch.Generator, like: torch.Tensor) -> torch.Tensor:
    """`n` numbers in [0, 1) on the device of `like`."""
    return torch.rand(n, generator=generator).to(like.device)


@dataclass(frozen=True)
class Crop:
    """Move each picture by up to `padding` pixels: pad it, and cut the old size out anywhere.

    Attributes
    ----------
    padding : int
        In pixels, on every side.
    mode : str
        What the border is made of: "constant" (black, as torchvision's RandomCrop does), "reflect" or "replicate".
    """

    padding: int = 4
    mode: str = "constant"

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        B, _, H, W = x.shape
        padded = F.pad(x, (self.padding,) * 4, mode=self.mode).permute(0, 2, 3, 1)  # (B, H+2p, W+2p, C)
        top, left = torch.randint(2 * self.padding + 1, (2, B, 1, 1), generator=generator).to(x.device)
        rows = top + torch.arange(H, device=x.device).view(1, H, 1)
        columns = left + torch.arange(W, device=x.device).view(1, 1, W)
        picture = torch.arange(B, device=x.device).view(B, 1, 1)
        return padded[picture, rows, columns].permute(0, 3, 1, 2)  # (B, C, H, W)


@dataclass(frozen=True)
class Flip:
    """Mirror each picture, left for right, with probability `p`."""

    p: float = 0.5

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        chosen = uniform(len(x), generator, x) < self.p
        return torch.where(chosen.view(-1, 1, 1, 1), x.flip(3), x)


@dataclass(frozen=True)
class Cutout:
    """Paint a grey square of `size` × `size` pixels over each picture, anywhere.

    Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017
    """

    size: int = 8

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        inside = True
        for axis in (2, 3):
            length = x.shape[axis]
            middle = (uniform(len(x), generator, x) * length).floor().view(-1, 1)
            away = torch.arange(length, device=x.device) - middle + self.size // 2  # 0 at the square's first pixel
            covered = (away >= 0) & (away < self.size)  # (B, length)
            inside = inside & covered.view(len(x), 1, *((length, 1) if axis == 2 else (1, length)))
        return x.masked_fill(inside, 0.5)
