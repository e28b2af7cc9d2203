"""The network of the tutorial «Convolution & Deep Learning» [0], layer by layer as it stands there."""

from __future__ import annotations

import torch
from torch import nn

from utils.models.standardise import Standardise


class CifarCNN(nn.Module):
    """Three blocks of two convolutions, then three dense layers: 5,852,170 parameters, 4.7 million of them dense.

    Source: [0], where it reached 84.95 % of CIFAR-10's test pictures after 20 epochs of Adam at 1e-4.
    """

    def __init__(self, classes: int = 10, standardise: Standardise | None = None):
        super().__init__()
        self.standardise = standardise or Standardise()
        self.features = nn.Sequential(
            *block(3, 32, 64),  # (B, 3, 32, 32) → (B, 64, 16, 16)
            *block(64, 128, 128),  # → (B, 128, 8, 8)
            nn.Dropout2d(0.05),  # drops whole maps
            *block(128, 256, 256),  # → (B, 256, 4, 4)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, 4096)
            nn.Dropout(0.1),
            nn.Linear(4096, 1024),
            nn.ReLU(inplace=True),
            nn.Linear(1024, 512),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Linear(512, classes),  # (B, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, 32, 32) in [0, 1] → logits (B, classes)."""
        return self.classifier(self.features(self.standardise(x)))


def block(inputs: int, between: int, outputs: int) -> list[nn.Module]:
    """Two convolutions that keep height and width, and a pooling that halves them. Only the first is normalised."""
    return [
        nn.Conv2d(inputs, between, kernel_size=3, padding=1),
        nn.BatchNorm2d(between),
        nn.ReLU(inplace=True),
        nn.Conv2d(between, outputs, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    ]
