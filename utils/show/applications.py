"""Labels of pixels and nearest neighbours, for chapter 09."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from utils.show.picture import GREEN, ORANGE, PALETTE, Picture
from utils.show.sheet import Sheet
from utils.show.tiles import GAP, check_gallery, pixels


def painted(masks: torch.Tensor) -> np.ndarray:
    """Labels (H, W) as colours, uint8 (H, W, 3): 0 light grey, the classes as in the course's palette."""
    colours = ["#E8E8E8", *PALETTE]
    table = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours], np.uint8)
    return table[masks.numpy() % len(colours)]


def segmented(
    x: torch.Tensor,
    rows: dict[str, torch.Tensor],
    classes: Sequence[str],
    *,
    captions: Sequence[str] = (),
    size: int = 96,
) -> Picture:
    """Pictures, and under each the class of every pixel, in one row for each entry of `rows`.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, 3, H, W)
    rows : by name: labels (N, H, W), 0 is ground, c + 1 is `classes[c]`
    captions : one for each picture, at the bottom
    """
    check_gallery(x)
    for name, labels in rows.items():
        if labels.shape != (len(x), *x.shape[2:]):
            raise ValueError(
                f"{name}: labels {(len(x), *x.shape[2:])} expected, one for each pixel; these: {tuple(labels.shape)}."
            )
    left = GAP + 8 * max(map(len, ["picture", *rows]))
    wide = size * x.shape[3] / x.shape[2] + 6
    height = 30 + (len(rows) + 1) * (size + 6)
    sheet = Sheet(max(left + len(x) * wide + GAP, left + 92 * (len(classes) + 1)), height + (24 if captions else 4))
    for i, (name, colour) in enumerate(zip(["ground", *classes], ["#E8E8E8", *PALETTE], strict=False)):
        sheet.box(left + 92 * i, 7, 14, 14, fill=colour, edge="#888888")
        sheet.text(left + 92 * i + 20, 14, name, 12, "lm")
    sheet.text(GAP, 30 + size / 2, "picture", 13, "lm")
    for c, one in enumerate(x):
        sheet.image(left + c * wide, 30, pixels(one), wide - 6, size)
    for r, (name, labels) in enumerate(rows.items(), start=1):
        top = 30 + r * (size + 6)
        sheet.text(GAP, top + size / 2, name, 13, "lm")
        for c, one in enumerate(labels):
            sheet.image(left + c * wide, top, painted(one), wide - 6, size)
    for c, words in enumerate(captions):
        sheet.text(left + c * wide + (wide - 6) / 2, height + 9, words, 12)
    said = f" Below them: {', '.join(captions)}." if captions else ""
    return sheet.picture(f"{len(x)} pictures and the class of every pixel, in rows: {', '.join(rows)}.{said}")


def retrieved(
    queries: torch.Tensor,
    found: dict[str, torch.Tensor],
    right: dict[str, torch.Tensor],
    *,
    names: Sequence[str] = (),
    size: int = 64,
) -> Picture:
    """Each query and the pictures found for it: a green frame where the class is the same, an orange one where not.

    Parameters
    ----------
    queries : uint8, or float in [0, 1], (Q, C, H, W)
    found : by way of comparing: (Q, k, C, H, W)
    right : by way of comparing: bool (Q, k)
    names : what each query is
    """
    check_gallery(queries)
    k = next(iter(found.values())).shape[1]
    step = size + 8
    left = 2 * GAP + size + (8 * max(map(len, names)) + 4 if names else 0)
    wide = k * step + 30
    sheet = Sheet(left + len(found) * wide, 36 + len(queries) * (step + 4))
    counts = {}
    for c, (way, pictures) in enumerate(found.items()):
        x0 = left + c * wide
        counts[way] = int(right[way].sum())
        sheet.text(x0, 16, f"{way}: {counts[way]} of {right[way].numel()} of the same class", 13, "lm", bold=True)
        for q, row in enumerate(pictures):
            for i, one in enumerate(row):
                x, y = x0 + i * step, 34 + q * (step + 4)
                same = bool(right[way][q, i])
                sheet.box(x, y, size + 5, size + 5, fill=GREEN if same else ORANGE, edge=GREEN if same else ORANGE)
                sheet.image(x + 3, y + 3, pixels(one), size, size)
                if not same:  # told apart without colours too
                    sheet.box(x + size - 12, y + size - 12, 15, 15, fill="white", edge="white")
                    sheet.text(x + size - 4, y + size - 4, "✗", 13, colour=ORANGE, bold=True)
    for q, one in enumerate(queries):
        y = 34 + q * (step + 4)
        sheet.image(GAP, y + 3, pixels(one), size, size)
        if names:
            sheet.text(GAP + size + 6, y + size / 2, names[q], 12, "lm")
    told = "; ".join(f"{way}: {count} of {right[way].numel()} of the same class" for way, count in counts.items())
    return sheet.picture(f"Queries: {len(queries)}. Beside each the {k} pictures most like it. {told}.")
