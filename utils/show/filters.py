"""A kernel at work on a photograph: input, kernel and result side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from utils import filters
from utils.show.picture import Picture
from utils.show.sheet import GREY, Sheet, diverging, grey_pixels, number, signed_pixels, tints

SIDE, GAP, TOP = 320, 24, 34  # pixels: the longer side of an image, between panels, above them


def filtered(image: torch.Tensor, kernel: torch.Tensor, *, correlate: Callable = filters.correlate) -> Picture:
    """An image, a kernel, and what the kernel makes of the image.

    A kernel whose weights sum to about zero gives a signed map, with its scale; any other result is shown as a grey
    image, clipped to 0 … 1.

    Parameters
    ----------
    image : tensor (H, W), grey, in [0, 1]
    kernel : tensor (kh, kw)
    correlate : callable
        `correlate(image, kernel)` -> the valid part; torch's if none is given.

    Raises
    ------
    ValueError
        As `utils.filters.filtered`.
    """
    result = filters.filtered(image, kernel, correlate)
    signed = abs(float(kernel.sum())) < 1e-4 * max(1.0, float(kernel.abs().sum()))
    low, high = float(result.min()), float(result.max())

    height, width = image.shape
    scale = SIDE / max(height, width)
    cell = 44 if kernel.shape[1] <= 3 else 176 / kernel.shape[1]
    middle = max(kernel.shape[1] * cell, 150)
    sheet = Sheet(2 * width * scale + middle + 4 * GAP + 76 * signed, TOP + height * scale + 34)

    sheet.text(GAP + width * scale / 2, 16, f"input, {height}×{width}")
    sheet.image(GAP, TOP, grey_pixels(image), width * scale, height * scale)

    x = 2 * GAP + width * scale
    sheet.text(x + middle / 2, 16, f"kernel, sum {number(float(kernel.sum()))}")
    top = TOP + (height * scale - kernel.shape[0] * cell) / 2
    sheet.grid(x + (middle - kernel.shape[1] * cell) / 2, top, kernel, cell, colours=tints(kernel))

    x += middle + GAP
    rows, columns = result.shape
    sheet.text(x + columns * scale / 2, 16, f"result, {rows}×{columns}")
    largest = float(np.quantile(result.abs().numpy(), 0.998)) or 1.0  # one stray pixel must not pale all others
    pixels = signed_pixels(result, largest) if signed else grey_pixels(result)
    sheet.image(x, TOP, pixels, columns * scale, rows * scale)
    if signed:
        colour_scale(sheet, x + columns * scale + 12, TOP + 20, rows * scale - 40, largest)
    note = f"values from {number(low)} to {number(high)}"
    if not signed and (low < -1e-6 or high > 1 + 1e-6):
        note += ", shown clipped to 0 … 1"
    sheet.text(x + columns * scale / 2, TOP + height * scale + 14, note, 12, colour=GREY)

    weights = "; ".join(" ".join(number(float(value)) for value in row) for row in kernel)
    kind = "a signed map, white where it is zero" if signed else "a grey image"
    return sheet.picture(
        f"Left a photograph, in the middle the kernel {weights}, right the filtered result, {kind}: {note}."
    )


def colour_scale(sheet: Sheet, x: float, y: float, height: float, largest: float) -> None:
    """The scale of a signed map, from −largest at the bottom to largest at the top."""
    sheet.image(x, y, diverging()[::-1, None], 12, height)
    sheet.box(x, y, 12, height)
    for share, value in ((0, largest), (0.5, 0.0), (1, -largest)):
        sheet.text(x + 18, y + share * height, ("+" if value > 0 else "") + number(value), 12, "lm")
