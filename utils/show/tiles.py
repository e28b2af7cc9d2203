"""Pictures of a data set in a grid, with what there is to say about each below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from utils.show.picture import Picture
from utils.show.sheet import BLACK, Sheet

GAP, LINE, SMALL = 12, 19, 12  # pixels: between pictures, height of a line of words, size of its letters
PALE = "#D9D9D9"


class Words(NamedTuple):
    """A line below a picture; `share` (0 to 1) draws a bar behind it, of that part of the width."""

    text: str
    colour: str = BLACK
    share: float = 0.0


def gallery(
    x: torch.Tensor,
    y: torch.Tensor | None = None,
    classes: Sequence[str] = (),
    *,
    captions: Sequence[str] | None = None,
    columns: int = 10,
    size: int = 72,
) -> Picture:
    """All pictures of `x` in a grid, each with its class or its caption below.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, C, H, W), C is 1 or 3; at most some hundred, as in x[:20]
    y : labels (N,), optional
    classes : the name of each label
    captions : one for each picture, instead of its class
    size : height of a picture, in pixels
    """
    check_gallery(x)
    names = [] if y is None else [named(int(label), classes) for label in y]
    captions = names if captions is None else list(captions)
    if captions and len(captions) != len(x):
        raise ValueError(f"{len(captions)} captions or labels for {len(x)} pictures: one for each is wanted.")
    lines = [[Words(caption)] for caption in captions] or [[] for _ in x]
    height, width = x.shape[2:]
    shown = ", ".join(f"{count} {name}" for name, count in Counter(names or captions).items())
    return tiles(x, lines, columns, size).picture(
        f"{len(x)} pictures of {height}×{width} pixels in a grid{f': {shown}' if shown else ''}."
    )


def tiles(x: torch.Tensor, lines: list[list[Words]], columns: int, size: int, title: str = "") -> Sheet:
    """A sheet with the pictures of `x` in a grid, and below each its lines of words."""
    width = size * x.shape[3] / x.shape[2]
    longest = max((len(words.text) for each in lines for words in each), default=0)
    step_x = max(width, 0.62 * SMALL * longest + 4) + GAP
    step_y = size + LINE * max(map(len, lines), default=0) + GAP
    columns = min(columns, len(x))
    rows = -(-len(x) // columns)
    top = GAP + (26 if title else 0)
    sheet = Sheet(max(columns * step_x + GAP, 9 * len(title)), top + rows * step_y)
    sheet.text(GAP, 18, title, 14, "lm")
    for i, (picture, words) in enumerate(zip(x, lines, strict=True)):
        left, y = GAP + i % columns * step_x, top + i // columns * step_y
        sheet.image(left + (step_x - GAP - width) / 2, y, pixels(picture), width, size)
        caption(sheet, left, y + size + 2, step_x - GAP, words)
    return sheet


def caption(sheet: Sheet, x: float, y: float, width: float, lines: list[Words]) -> None:
    """Lines of words below a picture, centred over `width` pixels."""
    for i, words in enumerate(lines):
        top = y + i * LINE
        if words.share > 0:
            sheet.box(x, top + 1, width, LINE - 3, fill="white", edge=PALE)
            sheet.box(x, top + 1, max(width * words.share, 1), LINE - 3, fill=PALE, edge=PALE)
        sheet.text(x + width / 2, top + LINE / 2, words.text, SMALL, colour=words.colour)


def pixels(picture: torch.Tensor) -> np.ndarray:
    """A picture (C, H, W), uint8 or float in [0, 1], as uint8 (H, W, 3) or, if grey, (H, W)."""
    picture = picture.detach().cpu()
    if picture.dtype != torch.uint8:
        picture = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return picture[0].numpy() if len(picture) == 1 else np.ascontiguousarray(picture.permute(1, 2, 0).numpy())


def check_gallery(x: torch.Tensor) -> None:
    """Refuse what cannot be shown as a grid of pictures."""
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"pictures (N, C, H, W) with 1 or 3 channels expected; you gave shape {tuple(x.shape)}.")
    if not 0 < len(x) <= 400:
        raise ValueError(f"{len(x):,} pictures: a grid takes 1 to 400. Take a part of them, as in x[:20].")


def named(label: int, classes: Sequence[str]) -> str:
    """The name of a label; its number where the classes have no names."""
    if not len(classes):
        return str(label)
    if not 0 <= label < len(classes):
        raise ValueError(f"label {label} has no name: {len(classes)} classes are numbered 0 to {len(classes) - 1}.")
    return classes[label]
