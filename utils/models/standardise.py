"""The first layer of the course's networks: pictures in [0, 1] become numbers around zero, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2470, 0.2435, 0.2616)  # over all pixels of the original training pictures


class Standardise(nn.Module):
    """(x − mean) / std for each channel. It learns nothing, and is saved with the network that it belongs to.

    Because the network does it, pictures are plain numbers in [0, 1] everywhere else, and nobody can forget it.

    Parameters
    ----------
    mean, std : one number for each channel, in the pictures' own units
    """

    def __init__(self, mean: Sequence[float] = CIFAR10_MEAN, std: Sequence[float] = CIFAR10_STD):
        super().__init__()
        if len(mean) != len(std) or min(std) <= 0:
            raise ValueError(f"one mean and one positive std for each channel; you gave {list(mean)} and {list(std)}.")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1))  # (C, 1, 1)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(-1, 1, 1))

    @classmethod
    def of(cls, pictures: torch.Tensor) -> Standardise:
        """With the means and standard deviations of `pictures`, uint8 (N, C, H, W), over all their pixels.

        Summed in float64: float32 loses count after some millions of pixels.
        """
        if pictures.dtype != torch.uint8 or pictures.ndim != 4:
            raise ValueError(
                f"uint8 pictures (N, C, H, W) expected; you gave {pictures.dtype} {tuple(pictures.shape)}."
            )
        sums = torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in pictures.unbind(1)])
        counts, values = (
            sums.double(),
            torch.arange(256, dtype=torch.float64, device=sums.device) / 255,
        )  # (C, 256), (256,)
        n = counts[0].sum()
        mean = counts @ values / n
        variance = counts @ values**2 / n - mean**2
        return cls(mean.tolist(), variance.sqrt().tolist())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) in [0, 1] → (B, C, H, W) around 0."""
        if x.shape[-3] != len(self.mean):  # one channel would be spread over three without a word
            raise ValueError(f"pictures with {len(self.mean)} channels expected; these are {tuple(x.shape)}.")
        return (x - self.mean) / self.std

    def inverse(self, x: torch.Tensor) -> torch.Tensor:
        """Back to pictures that can be shown."""
        return x * self.std + self.mean

    def extra_repr(self) -> str:
        numbers = [", ".join(f"{v:.4f}" for v in each.flatten().tolist()) for each in (self.mean, self.std)]
        return f"mean=({numbers[0]}), std=({numbers[1]})"
