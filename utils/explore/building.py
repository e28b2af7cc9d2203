"""The explorer of chapter 04: every knob of the pattern, and the network that it makes."""

from __future__ import annotations

import torch

from utils import models, show
from utils.explore.explorer import Explorer
from utils.explore.layers import slider


def pattern() -> Explorer:
    """INPUT → [[CONV → RELU]·N → POOL]·M → [FC → RELU]·K → FC: what the settings make of the shapes and the count."""
    return Explorer(
        draw_pattern,
        {
            "N": slider("N", 1, 1, 3),
            "M": slider("M", 3, 1, 6),
            "K": slider("K", 1, 0, 3),
            "filters": slider("filters", 16, 1, 32),
            "pixels": slider("pixels", 28, 8, 64),
            "units": slider("units", 128, 8, 512),
        },
        columns=3,
    )


def draw_pattern(N: int, M: int, K: int, filters: int, pixels: int, units: int):
    """The blueprint, or the reason why there is no such network; the filters double from block to block."""
    channels = [filters * 2**block for block in range(M)]
    try:
        with torch.device("meta"):  # shapes without numbers: even a huge network is there at once
            network = models.pattern((1, pixels, pixels), channels=channels, convolutions=N, dense=[units] * K)
    except ValueError as error:
        return str(error)
    return show.blueprint(network, (1, pixels, pixels))
