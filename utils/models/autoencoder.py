"""Networks whose answer is a picture: autoencoders with a code of a few numbers, a denoiser, ×2 super-resolution.

Pictures are (B, C, H, W) with values around [0, 1], in and out; what sticks out is cut off where a picture is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

UPSAMPLING = ("kernel 3", "kernel 4", "resize")


def upsample(channels: int, filters: int, how: str = "kernel 4") -> nn.Module:
    """A layer that doubles height and width: (B, channels, H, W) → (B, filters, 2H, 2W).

    Parameters
    ----------
    how : "kernel 3" or "kernel 4": a transposed convolution of stride 2 with that kernel_size;
        "resize": each pixel repeated 2×2 times, then an ordinary 3×3 convolution whose border repeats the edge

    Source: Odena, Dumoulin, Olah, Deconvolution and Checkerboard Artifacts, Distill 2016
    """
    if how == "kernel 3":
        return nn.ConvTranspose2d(channels, filters, 3, stride=2, padding=1, output_padding=1)
    if how == "kernel 4":
        return nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1)
    if how == "resize":
        larger = nn.Upsample(scale_factor=2, mode="nearest")
        return nn.Sequential(larger, nn.Conv2d(channels, filters, 3, padding=1, padding_mode="replicate"))
    raise ValueError(f"how={how!r} is not known; there are: {', '.join(UPSAMPLING)}.")


class Autoencoder(nn.Module):
    """An encoder to a code of a few numbers, and a decoder back to a picture.

    Attributes
    ----------
    encoder : (B, C, H, W) → (B, code)
    decoder : (B, code) → (B, C, H, W)
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        return self.decoder(self.encoder(x))


def dense_autoencoder(in_shape: Sequence[int] = (1, 28, 28), code: int = 16, hidden: Sequence[int] = ()) -> Autoencoder:
    """Dense layers alone, with a ReLU between them; without `hidden` one layer there and one back.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture
    code : how many numbers stand for a picture
    hidden : units of the layers before the code; after it the same, in reverse
    """
    sizes = [math.prod(in_shape), *hidden, code]
    return Autoencoder(
        nn.Sequential(nn.Flatten(), *dense(sizes)),  # (B, C·H·W) → (B, code)
        nn.Sequential(*dense(sizes[::-1]), nn.Unflatten(1, tuple(in_shape))),  # → (B, C, H, W)
    )


def dense(sizes: Sequence[int]) -> list[nn.Module]:
    """Linear layers from each size to the next, a ReLU between any two."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers[:-1]


def conv_autoencoder(
    in_shape: Sequence[int] = (1, 28, 28),
    code: int = 16,
    channels: tuple[int, int] = (16, 32),
    how: str = "kernel 4",
) -> Autoencoder:
    """Two convolutions of stride 2, a dense layer to the code, and the same way back.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture; H and W are multiples of 4
    code : how many numbers stand for a picture
    channels : of the two convolutions
    how : `upsample` in the decoder
    """
    c, h, w = in_shape
    if h % 4 or w % 4:
        raise ValueError(f"in_shape={tuple(in_shape)}: height and width are halved twice, so they are multiples of 4.")
    few, many = channels
    small = (many, h // 4, w // 4)
    encoder = nn.Sequential(
        *(nn.Conv2d(c, few, 3, stride=2, padding=1), nn.ReLU()),  # (B, few, H/2, W/2)
        *(nn.Conv2d(few, many, 3, stride=2, padding=1), nn.ReLU()),  # (B, many, H/4, W/4)
        *(nn.Flatten(), nn.Linear(math.prod(small), code)),  # (B, code)
    )
    decoder = nn.Sequential(
        *(nn.Linear(code, math.prod(small)), nn.ReLU(), nn.Unflatten(1, small)),  # (B, many, H/4, W/4)
        *(upsample(many, few, how), nn.ReLU()),  # (B, few, H/2, W/2)
        upsample(few, c, how),  # (B, C, H, W)
    )
    return Autoencoder(encoder, decoder)


def denoiser(channels: int = 1, width: int = 16) -> nn.Sequential:
    """An autoencoder whose code is a stack of small maps: (B, C, H, W) → (B, width, H/2, W/2) → (B, C, H, W)."""
    return nn.Sequential(
        *(nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()),  # (B, width, H/2, W/2)
        *(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()),
        upsample(width, channels),  # (B, C, H, W)
    )


class SuperResolution(nn.Module):
    """Twice the height and width: bilinear interpolation, and a network that says what to add to it.

    Parameters
    ----------
    channels : of the pictures
    width : channels inside
    how : `upsample` at the end
    """

    def __init__(self, channels: int = 3, width: int = 16, how: str = "kernel 4"):
        super().__init__()
        self.details = nn.Sequential(
            *(nn.Conv2d(channels, width, 3, padding=1, padding_mode="replicate"), nn.ReLU()),  # (B, width, H, W)
            *(nn.Conv2d(width, width, 3, padding=1, padding_mode="replicate"), nn.ReLU()),
            upsample(width, channels, how),  # (B, C, 2H, 2W)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) → (B, C, 2H, 2W)."""
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False) + self.details(x)
