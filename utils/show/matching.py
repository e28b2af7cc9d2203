"""Detections drawn on a picture, and precision against recall."""

from __future__ import annotations

import torch

from utils import matching
from utils.show.picture import GREEN, ORANGE, PALETTE, PINK, Picture, picture
from utils.show.sheet import BLACK, Sheet, grey_pixels


def detections(
    image: torch.Tensor, score: torch.Tensor, boxes: torch.Tensor, threshold: float, *, scale: float = 1.5
) -> Picture:
    """What is found where `score` exceeds `threshold`: right, wrong, and missed, drawn into the image.

    Parameters
    ----------
    image : tensor (H, W)
    score : tensor (H−h+1, W−w+1)
        How well the template fits at each place of its top left corner.
    boxes : int tensor (N, 4)
        The true places: top, left, bottom, right.
    threshold : float
    scale : float
        Screen pixels per pixel of the image.
    """
    height, width = int(boxes[0, 2] - boxes[0, 0]), int(boxes[0, 3] - boxes[0, 1])
    found = matching.peaks(score, threshold)
    result = matching.precision_recall(found, boxes)
    right, wrong = int(result.hits.sum()), int((~result.hits).sum())
    missed = boxes[[not near(box, found[result.hits]) for box in boxes]]

    sheet = Sheet(image.shape[1] * scale, image.shape[0] * scale + 64)
    sheet.image(0, 64, grey_pixels(image), image.shape[1] * scale, image.shape[0] * scale)

    def mark(row: int, column: int, colour: str, line: int) -> None:
        sheet.box(
            column * scale - 3, 64 + row * scale - 3, width * scale + 5, height * scale + 5, edge=colour, line=line
        )

    for row, column, *_ in missed.tolist():
        mark(row, column, PINK, 1)
    for (row, column), hit in zip(found.tolist(), result.hits.tolist(), strict=True):
        mark(row, column, GREEN if hit else ORANGE, 3)
    x = 8
    for words, colour, line in (
        (f"right: {right}", GREEN, 3),
        (f"wrong: {wrong}", ORANGE, 3),
        (f"missed: {len(missed)}", PINK, 1),
    ):
        sheet.box(x, 12, 16, 14, edge=colour, line=line)
        sheet.text(x + 24, 19, words, 14, "lm")
        x += 150
    sheet.text(8, 46, f"threshold {threshold:.3g}: {result}", 15, "lm", colour=BLACK, bold=True)
    return sheet.picture(
        f"The image with boxes round what scores above {threshold:.3g}: {right} right, {wrong} wrong, "
        f"{len(missed)} missed; {result}."
    )


def near(box: torch.Tensor, corners: torch.Tensor, tolerance: int = 2) -> bool:
    """Whether one of the corners (K, 2) lies at the top left of `box`."""
    return bool(len(corners)) and bool(((corners - box[:2]).abs().amax(dim=1) <= tolerance).any())


def precision_recall(curves: dict[str, list[tuple[float, float]]]) -> Picture:
    """Precision against recall as the threshold moves, one line for each method.

    Parameters
    ----------
    curves : dict of str to list of (precision, recall)
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for i, (name, points) in enumerate(curves.items()):
        precision, recall = zip(*points, strict=True)
        axes.plot(recall, precision, color=PALETTE[i], marker="osD^v"[i % 5], markersize=5, alpha=0.85, label=name)
    axes.set(xlabel="recall (share of the letters found)", ylabel="precision (share of finds right)")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.05))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    best = {name: max(2 * p * r / (p + r) if p + r else 0.0 for p, r in points) for name, points in curves.items()}
    return picture(
        figure,
        "Precision against recall, one line for each way of matching. Best balance of the two (F1): "
        + ", ".join(f"{name} {value:.2f}" for name, value in best.items()),
    )
