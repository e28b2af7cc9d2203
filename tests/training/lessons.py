"""Small data and a small network, on which a training takes a moment."""

import torch
from torch import nn

from utils import data, models


def easy(n=96, seed=0):
    """Pictures of three classes: the red, the green, the blue ones."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    x = torch.rand(n, 3, 8, 8, generator=generator) / 2
    x[torch.arange(n), y] += 0.4
    x = (255 * x).to(torch.uint8)
    half = n // 3
    return data.ImageData(
        "easy", ("red", "green", "blue"), x[half:], y[half:], x[:half], y[:half], False, "made"
    ).split(n // 3)


def small(seed=0, dropout=0.1, classes=3):
    """(B, 3, 8, 8) → (B, classes), with batch norm and dropout: everything that has a state."""
    torch.manual_seed(seed)
    return nn.Sequential(
        models.Standardise((0.5,) * 3, (0.25,) * 3),
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(32, classes),
    )


def same(one, other):
    """Whether two networks have the very same numbers."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
