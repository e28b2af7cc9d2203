"""Pictures before and after something was done to them, and what a network says to either."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from utils import evaluation
from utils.data.batches import as_pictures
from utils.show.classification import two_guesses
from utils.show.picture import Picture
from utils.show.sheet import Sheet, signed_pixels
from utils.show.tiles import GAP, LINE, Words, caption, check_gallery, named, pixels

WIDE = 150  # pixels, of a picture's column: room for a guess in words
SIGN = 26  # pixels between two columns


def before_and_after(
    model: nn.Module,
    x: torch.Tensor,
    changed: torch.Tensor,
    y: torch.Tensor,
    classes: Sequence[str],
    *,
    difference: bool = False,
    size: int = 110,
    title: str = "",
) -> Picture:
    """Each picture with the network's two best guesses, before and after a change; one row for each.

    Parameters
    ----------
    x, changed : uint8, or float in [0, 1], (N, C, H, W), at most some twenty
    y : labels (N,)
    difference : True shows between the two what was added, magnified: orange what got darker, violet what got lighter
        (the mean over the channels)
    size : height of a picture, in pixels
    """
    check_gallery(x)
    if changed.shape != x.shape or len(y) != len(x):
        raise ValueError(
            f"pictures {tuple(x.shape)}, changed ones {tuple(changed.shape)} and {len(y)} labels: one of each is "
            f"wanted."
        )
    answers = [evaluation.logits(model, pictures) for pictures in (x, changed)]
    guesses = [two_guesses(y, logits, classes) for logits in answers]
    step = (as_pictures(changed) - as_pictures(x)).mean(1)  # (N, H, W)
    largest = float((as_pictures(changed) - as_pictures(x)).abs().max())
    columns = 3 if difference else 2
    top, row = GAP + 24 * (1 + bool(title)), size + 3 * LINE + GAP
    sheet = Sheet(GAP + columns * (WIDE + SIGN), top + len(x) * row)
    sheet.text(GAP, 14, title, 14, "lm")
    heads = ["before", *([f"added{magnified(largest)}"] if difference else []), "after"]
    for column, head in enumerate(heads):
        sheet.text(left_of(column) + WIDE / 2, top - 14, head, 13)
    for i, label in enumerate(y):
        y0 = top + i * row
        for column, pictures, said in ((0, x, guesses[0]), (columns - 1, changed, guesses[1])):
            draw(sheet, column, y0, pixels(pictures[i]), x.shape, size)
            lines = [Words(f"is: {named(int(label), classes)}"), *said[i]]
            caption(sheet, left_of(column), y0 + size + 2, WIDE, lines)
        if difference:
            draw(sheet, 1, y0, signed_pixels(step[i], largest or 1.0), x.shape, size)
            for sign, column in (("+", 1), ("=", 2)):
                sheet.text(left_of(column) - SIGN / 2, y0 + size / 2, sign, 18)
    return sheet.picture(told(answers, y, classes, largest))


def left_of(column: int) -> float:
    return GAP + column * (WIDE + SIGN)


def draw(sheet: Sheet, column: int, y: float, image, shape, size: int) -> None:
    """A picture in the middle of its column."""
    width = size * shape[3] / shape[2]
    sheet.image(left_of(column) + (WIDE - width) / 2, y, image, width, size)


def magnified(largest: float) -> str:
    """How much larger than it is a step is drawn."""
    return f", × {1 / largest:.0f}" if largest > 0 else ": nothing"


def told(answers: list[torch.Tensor], y: torch.Tensor, classes: Sequence[str], largest: float) -> str:
    """What there is to see, in words."""
    before, after = (logits.argmax(1) for logits in answers)
    right = [int((guess == y.cpu()).sum()) for guess in (before, after)]
    first = f"The first, of class {named(int(y[0]), classes)}, is called {named(int(before[0]), classes)} before"
    pictures = "1 picture" if len(y) == 1 else f"{len(y)} pictures"
    return (
        f"{pictures} before and after a change of at most {largest:.3g} in a pixel (white is 1): {right[0]} right "
        f"before, {right[1]} after. {first}, {named(int(after[0]), classes)} after."
    )
