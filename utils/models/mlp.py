"""The fully connected network: every pixel to every unit, wherever the pixel is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from utils.models.pattern import usual_standardise
from utils.models.standardise import Standardise


class MLP(nn.Module):
    """Flatten, then dense layers with a ReLU between them.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture
    hidden : units of each hidden layer; none gives a linear classifier
    dropout : share of the numbers that are dropped before the last layer in training
    standardise : the first layer; without one, MNIST's numbers for one channel, CIFAR-10's for three
    """

    def __init__(
        self,
        in_shape: Sequence[int] = (1, 28, 28),
        classes: int = 10,
        *,
        hidden: Sequence[int] = (128,),
        dropout: float = 0.0,
        standardise: Standardise | None = None,
    ):
        super().__init__()
        self.standardise = standardise or usual_standardise(in_shape[0])
        sizes = [math.prod(in_shape), *hidden]
        layers: list[nn.Module] = [nn.Flatten()]  # (B, C·H·W)
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]  # (B, outputs)
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], classes))

    @classmethod
    def with_parameters(
        cls,
        wanted: int,
        in_shape: Sequence[int] = (1, 28, 28),
        classes: int = 10,
        *,
        layers: int = 1,
        dropout: float = 0.0,
        standardise: Standardise | None = None,
    ) -> MLP:
        """The MLP with `layers` equal hidden layers whose number of parameters is closest to `wanted`.

        Raises
        ------
        ValueError : if even one unit in each layer needs more than `wanted`, or if there is no hidden layer
        """
        if layers < 1:
            raise ValueError(f"layers={layers}: the width of the hidden layers is what is chosen, so at least 1.")
        inputs = math.prod(in_shape)

        def parameters(width: int) -> int:
            sizes = [inputs, *[width] * layers, classes]
            return sum((a + 1) * b for a, b in pairwise(sizes))

        if parameters(1) > wanted:
            raise ValueError(
                f"{wanted:,} parameters are too few: with one unit in each of {layers} hidden layers, "
                f"an MLP on {inputs:,} inputs has {parameters(1):,} already."
            )
        width = 1
        while parameters(width + 1) <= wanted:
            width += 1
        if parameters(width + 1) - wanted < wanted - parameters(width):
            width += 1
        return cls(in_shape, classes, hidden=[width] * layers, dropout=dropout, standardise=standardise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) in [0, 1] → logits (B, classes)."""
        return self.layers(self.standardise(x))
