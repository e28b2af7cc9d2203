"""A white sheet to draw on, for pictures that must follow a slider: some ten times faster than a matplotlib figure."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from utils.show.picture import DIVERGING, Picture

BLACK, GREY = "#000000", "#666666"


class Sheet:
    """White paper, `width` × `height` pixels. Positions are (x, y) from the top left, in pixels."""

    def __init__(self, width: float, height: float):
        from PIL import Image, ImageDraw

        self.paper = Image.new("RGB", (round(width), round(height)), "white")
        self.pen = ImageDraw.Draw(self.paper)

    def text(self, x: float, y: float, words: str, size: int = 14, anchor: str = "mm", colour: str = BLACK, bold=False):
        """Words at (x, y); `anchor` as in Pillow: "mm" centres them, "lm" starts there, "lt" hangs them below."""
        self.pen.text((x, y), words, fill=colour, font=font(size, bold), anchor=anchor)

    def image(self, x: float, y: float, pixels: np.ndarray, width: float, height: float) -> None:
        """An image, uint8 (H, W) or (H, W, 3), stretched to `width` × `height` without smoothing its pixels."""
        from PIL import Image

        stretched = Image.fromarray(pixels).resize((round(width), round(height)), Image.Resampling.NEAREST)
        self.paper.paste(stretched, (round(x), round(y)))

    def box(self, x: float, y: float, width: float, height: float, fill=None, edge: str = GREY, line: int = 1) -> None:
        """A rectangle."""
        self.pen.rectangle((x, y, x + width, y + height), fill=fill, outline=edge, width=line)

    def grid(
        self, x: float, y: float, values: torch.Tensor, cell: float, *, colours=None, shown=None, size: int = 15
    ) -> None:
        """A matrix of numbers in square cells.

        Parameters
        ----------
        values : tensor (rows, columns)
        cell : edge of a cell, in pixels
        colours : dict of (row, column) to colour, optional
        shown : bool tensor (rows, columns), optional: which numbers are written
        """
        rows, columns = values.shape
        for r in range(rows):
            for c in range(columns):
                self.box(
                    x + c * cell, y + r * cell, cell, cell, fill=(colours or {}).get((r, c), "white"), edge="#888888"
                )
                if shown is None or shown[r, c]:
                    words = number(float(values[r, c]))
                    fitting = min(size, int(1.5 * cell / max(len(words), 1)))
                    self.text(x + (c + 0.5) * cell, y + (r + 0.5) * cell, words, fitting)

    def picture(self, alt: str) -> Picture:
        """The sheet as a `Picture`."""
        buffer = io.BytesIO()
        self.paper.save(buffer, format="png", compress_level=1)  # a third larger, five times faster
        return Picture(buffer.getvalue(), " ".join(alt.split()))


@lru_cache
def font(size: int, bold: bool = False):
    """DejaVu Sans, which matplotlib brings along: the same on every machine."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def number(value: float) -> str:
    """A number as short as it can be written, with a true minus sign: 3, −4, 0.11, 12.5."""
    whole = abs(value - round(value)) < 1e-6
    short = f"{value:.0f}" if whole else f"{value:.{2 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".")
    return "0" if float(short) == 0 else short.replace("-", "−")


@lru_cache
def diverging() -> np.ndarray:
    """The course's colours for signed values, uint8 (256, 3): orange below zero, white at zero, violet above."""
    from matplotlib import colormaps

    return (colormaps[DIVERGING](np.linspace(0, 1, 256))[:, :3] * 255).round().astype(np.uint8)


def grey_pixels(image: torch.Tensor) -> np.ndarray:
    """A grey image (H, W) as uint8; what is below 0 becomes black, above 1 white."""
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def signed_pixels(image: torch.Tensor, largest: float) -> np.ndarray:
    """A signed map (H, W) as colours, uint8 (H, W, 3), from −largest to largest."""
    level = (image.detach() / largest).clamp(-1, 1) * 127.5 + 127.5
    return diverging()[level.round().to(torch.uint8).numpy()]


def tints(values: torch.Tensor) -> dict[tuple[int, int], tuple[int, int, int]]:
    """A light colour for every cell of a matrix, by sign and size: numbers stay readable on it."""
    largest = float(values.detach().abs().max()) or 1.0
    colours = signed_pixels(values.detach().double() * 0.5, largest)
    rows, columns = values.shape
    return {(r, c): tuple(int(v) for v in colours[r, c]) for r in range(rows) for c in range(columns)}
