"""A small network that learns CIFAR-10 in a coffee break on two CPU cores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from utils.models.standardise import Standardise


class FastCNN(nn.Module):
    """Convolutions only, after a first layer that is computed from the pictures instead of learned.

    - The first layer separates the colours and edges of 2×2 pixels (`whitening_filters`). It is frozen, so no gradient
      is computed at the highest resolution in training.
    - Most pixels meet few channels: every block halves height and width *before* it normalises, and only the last ones
      are wide.
    - Batch norm, GELU, and kernels that begin as "copy the input" (Dirac) let it start with large learning rates.

    433,504 parameters. Measured: 84.1 % of the test pictures of a JPEG copy of CIFAR-10, 85.4 % with mirror images
    (means of three seeds), by recipe "kernels not in pairs" in benchmarks/time_to_accuracy, which prints its seconds.

    Parameters
    ----------
    pictures : uint8 (N, 3, H, W), for the first layer; without them it waits for `load_weights`
    widths, convolutions : channels and number of convolutions of each block
    standardise : default: CIFAR-10's numbers

    Source: Keller Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024; made narrower for CPUs.
    """

    def __init__(
        self,
        pictures: torch.Tensor | None = None,
        classes: int = 10,
        *,
        widths: Sequence[int] = (32, 64, 128),
        convolutions: Sequence[int] = (1, 2, 3),
        standardise: Standardise | None = None,
    ):
        super().__init__()
        self.standardise = standardise or Standardise()
        self.whiten = nn.Conv2d(3, 24, kernel_size=2, bias=False).requires_grad_(False)
        if pictures is not None:
            filters = whitening_filters(pictures, self.standardise)  # (12, 3, 2, 2)
            self.whiten.weight.copy_(torch.cat([filters, -filters]))  # GELU lets pass what is positive: both signs
        channels = [24, *widths]  # B, 24, 31, 31 → B, 32, 15, 15 → B, 64, 7, 7 → B, 128, 3, 3
        self.features = nn.Sequential(*map(block, channels, widths, convolutions))
        self.classifier = nn.Linear(widths[-1], classes, bias=False)  # (B, 128) → (B, classes)
        nn.init.normal_(self.classifier.weight, std=1 / widths[-1])  # begin with all classes about equally likely

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [0, 1] → logits (B, classes). 32×32 pixels, or others from 16×16 on."""
        x = nn.functional.gelu(self.whiten(self.standardise(x)))  # (B, 24, 31, 31)
        x = self.features(x).amax(dim=(2, 3))  # (B, 128, 3, 3) → (B, 128): the strongest answer anywhere
        return self.classifier(x)


def block(inputs: int, outputs: int, convolutions: int) -> nn.Sequential:
    """Convolutions of 3×3; after the first, pooling halves height and width, so that the rest costs a quarter."""
    layers: list[nn.Module] = []
    for i in range(convolutions):
        convolution = nn.Conv2d(inputs if i == 0 else outputs, outputs, kernel_size=3, padding=1, bias=False)
        nn.init.dirac_(convolution.weight[: convolution.in_channels])  # the first maps begin as copies of the input
        norm = nn.BatchNorm2d(outputs, momentum=0.4)  # few steps: the running means must follow quickly
        norm.weight.requires_grad_(False)  # a scale that the next layer would undo
        layers += [convolution, *([nn.MaxPool2d(2)] if i == 0 else []), norm, nn.GELU()]
    return nn.Sequential(*layers)


def whitening_filters(pictures: torch.Tensor, standardise: Standardise | None = None, size: int = 2) -> torch.Tensor:
    """The filters that make patches of `size` × `size` pixels uncorrelated, each answer with variance 1.

    They are the eigenvectors of the patches' covariance, each divided by its standard deviation: strong, smooth colours
    are turned down, weak edges turned up. Those of large variance come first.

    Parameters
    ----------
    pictures : uint8 (N, C, H, W); the first 5,000 are looked at
    standardise : what the network does to the pictures before

    Returns
    -------
    float32 (C·size², C, size, size)
    """
    if pictures.dtype != torch.uint8 or pictures.ndim != 4:
        raise ValueError(f"uint8 pictures (N, C, H, W) expected; you gave {pictures.dtype} {tuple(pictures.shape)}.")
    x = (standardise or Standardise())(pictures[:5000].cpu() / 255)
    patches = nn.functional.unfold(x, size).transpose(1, 2).flatten(0, 1).double()  # (N·places, C·size²)
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))  # in rising order; columns
    filters = (directions / (variances + 5e-4).sqrt()).T.flip(0)  # 5e-4: do not turn up what is only noise
    return filters.float().view(-1, pictures.shape[1], size, size)
