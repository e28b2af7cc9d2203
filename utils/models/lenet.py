"""LeNet-5 of 1998, as it is usually rebuilt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from utils.models.pattern import usual_standardise
from utils.models.standardise import Standardise


class LeNet5(nn.Module):
    """Two convolutions with pooling, three dense layers: 61,706 parameters on grey pictures, 62,006 on RGB.

    The original differs in its sparse third layer, its trainable pooling and its fixed output units: 60,000 parameters.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture; H = W from 28 to 32, padded with zeros to 32
    modern : ReLU and max pooling, as in [1]'s `Net`, in place of tanh and mean pooling
    standardise : the first layer; without one, MNIST's numbers for one channel, CIFAR-10's for three

    Source: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998.
    """

    def __init__(
        self,
        in_shape: Sequence[int] = (1, 28, 28),
        classes: int = 10,
        *,
        modern: bool = False,
        standardise: Standardise | None = None,
    ):
        super().__init__()
        channels, height, width = in_shape
        if height != width or height not in (28, 30, 32):
            raise ValueError(f"LeNet-5 reads 28×28, 30×30 or 32×32 pixels; yours have {height}×{width}.")
        activation, pooling = (nn.ReLU, nn.MaxPool2d) if modern else (nn.Tanh, nn.AvgPool2d)
        self.standardise = standardise or usual_standardise(channels)
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, kernel_size=5, padding=(32 - height) // 2),  # C1: (B, 6, 28, 28)
            activation(),
            pooling(2),  # S2: (B, 6, 14, 14)
            nn.Conv2d(6, 16, kernel_size=5),  # C3: (B, 16, 10, 10)
            activation(),
            pooling(2),  # S4: (B, 16, 5, 5)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, 400)
            nn.Linear(16 * 5 * 5, 120),  # C5: (B, 120); in the paper a convolution, whose 5×5 window fits once
            activation(),
            nn.Linear(120, 84),  # F6: (B, 84)
            activation(),
            nn.Linear(84, classes),  # (B, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) in [0, 1] → logits (B, classes)."""
        return self.classifier(self.features(self.standardise(x)))
