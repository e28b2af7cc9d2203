"""Boxes on pictures: how two overlap, what a detector found, what a sliding window answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from utils.show.picture import BLUE, GREEN, ORANGE, PALETTE, Picture
from utils.show.sheet import BLACK, GREY, Sheet, number
from utils.show.tiles import GAP, check_gallery, pixels

UNIT = 34  # pixels on the sheet: one unit of the plane on which two boxes lie
SIDE = 10  # units: height and width of that plane
PALE = {BLUE: "#CFE3F2", ORANGE: "#F6D9C6", GREEN: "#8FD3BC"}


def overlap(a: Sequence[float], b: Sequence[float]) -> Picture:
    """Two boxes x1, y1, x2, y2 on a plane of 10 × 10 units, what they have in common, and their IoU worked out.

    Raises
    ------
    ValueError
        If a box is turned inside out.
    """
    from torchvision.ops import box_area, box_iou

    boxes = torch.tensor([list(a), list(b)], dtype=torch.float64)
    for name, box in zip("ab", boxes.tolist(), strict=True):
        if box[0] >= box[2] or box[1] >= box[3]:
            raise ValueError(f"box {name} is turned inside out: x1 must be less than x2, and y1 less than y2.")
    first, second = box_area(boxes).tolist()
    iou = float(box_iou(boxes[:1], boxes[1:]))
    common = iou * (first + second) / (1 + iou)
    left, top = GAP + 24, GAP + 24
    sheet = Sheet(left + SIDE * UNIT + 360, top + SIDE * UNIT + GAP)
    for i in range(SIDE + 1):
        sheet.pen.line((left + i * UNIT, top, left + i * UNIT, top + SIDE * UNIT), fill="#DDDDDD")
        sheet.pen.line((left, top + i * UNIT, left + SIDE * UNIT, top + i * UNIT), fill="#DDDDDD")
        sheet.text(left + i * UNIT, top - 11, str(i), 11, colour=GREY)
        sheet.text(left - 11, top + i * UNIT, str(i), 11, colour=GREY)
    corners = boxes.tolist()

    def draw(box, fill=None, edge: str = BLACK, line: int = 1) -> None:
        x1, y1, x2, y2 = (UNIT * v for v in box)
        sheet.box(left + x1, top + y1, x2 - x1, y2 - y1, fill=fill, edge=edge, line=line)

    for box, colour in zip(corners, (BLUE, ORANGE), strict=True):
        draw(box, PALE[colour], colour)
    if common > 0:  # their common part
        x1, x2 = sorted([corners[0][0], corners[0][2], corners[1][0], corners[1][2]])[1:3]
        y1, y2 = sorted([corners[0][1], corners[0][3], corners[1][1], corners[1][3]])[1:3]
        draw((x1, y1, x2, y2), PALE[GREEN], GREEN)
    for box, colour, name in zip(corners, (BLUE, ORANGE), "ab", strict=True):
        draw(box, edge=colour, line=3)
        x, y = (left + UNIT * box[0] + 13, top + UNIT * box[1] + 14) if name == "a" else (
            left + UNIT * box[2] - 13, top + UNIT * box[3] - 14
        )  # fmt: skip
        sheet.text(x, y, name, 16, colour=colour, bold=True)
    lines = (
        (f"area of a: {number(first)}", BLUE),
        (f"area of b: {number(second)}", ORANGE),
        (f"intersection: {number(common)}", "#00694D"),
        (f"union: {number(first)} + {number(second)} − {number(common)} = {number(first + second - common)}", BLACK),
        (f"IoU: {number(common)} / {number(first + second - common)} = {iou:.3f}", BLACK),
    )
    for i, (words, colour) in enumerate(lines):
        sheet.text(left + SIDE * UNIT + 24, top + 60 + 36 * i, words, 15, "lm", colour, bold=i == len(lines) - 1)
    return sheet.picture(
        f"Two boxes with areas {number(first)} and {number(second)}; they have {number(common)} in common, "
        f"their union is {number(first + second - common)}, so the IoU is {iou:.3f}."
    )


def boxed(
    x: torch.Tensor,
    boxes: Sequence[torch.Tensor],
    labels: Sequence[torch.Tensor],
    classes: Sequence[str],
    *,
    scores: Sequence[torch.Tensor] | None = None,
    truth: Sequence[torch.Tensor] | None = None,
    captions: Sequence[str] = (),
    columns: int = 6,
    size: int = 150,
) -> Picture:
    """Pictures with boxes, each box in the colour of its class; the true boxes in white.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, 3, H, W)
    boxes : for each picture (n, 4), x1, y1, x2, y2 in its pixels
    labels : for each picture (n,), indices into `classes`; −1: no box
    scores : for each picture (n,), written beside the name
    truth : for each picture (m, 4)
    captions : one for each picture, below it
    """
    check_gallery(x)
    if not len(x) == len(boxes) == len(labels):
        raise ValueError(f"{len(x)} pictures need as many lists of boxes and labels; here {len(boxes)}, {len(labels)}.")
    scale = size / x.shape[2]
    wide, high = size * x.shape[3] / x.shape[2] + GAP, size + GAP + (20 if captions else 0)
    columns = min(columns, len(x))
    sheet = Sheet(max(columns * wide, 92 * len(classes)) + GAP, -(-len(x) // columns) * high + GAP + 24)
    for i, (name, colour) in enumerate(zip(classes, PALETTE, strict=False)):
        sheet.box(GAP + 92 * i, GAP - 2, 14, 14, fill=colour, edge=colour)
        sheet.text(GAP + 92 * i + 20, GAP + 5, name, 12, "lm")
    counted = 0
    for i, one in enumerate(x):
        left, top = GAP + i % columns * wide, GAP + 24 + i // columns * high
        sheet.image(left, top, pixels(one), wide - GAP, size)
        for box in truth[i].tolist() if truth is not None else ():
            frame(sheet, left, top, box, scale, "white", 1, (wide - GAP, size))
        for j, (box, label) in enumerate(zip(boxes[i].tolist(), labels[i].tolist(), strict=True)):
            if label < 0:
                continue
            counted += 1
            frame(sheet, left, top, box, scale, PALETTE[label % len(PALETTE)], 3, (wide - GAP, size))
            if scores is not None:
                tag(sheet, left, top, box, scale, f"{float(scores[i][j]):.2f}", (wide - GAP, size))
        if captions:
            sheet.text(left + (wide - GAP) / 2, top + size + 10, captions[i], 12)
    beside = "" if truth is None else ", the true ones in white"
    said = f" Below them: {'; '.join(captions)}." if captions else ""
    return sheet.picture(f"{len(x)} pictures with {counted} boxes, coloured by class{beside}.{said}")


def frame(sheet: Sheet, left: float, top: float, box, scale: float, colour: str, line: int, limits) -> None:
    """A box of a picture, cut off at the picture's edge."""
    x1, x2 = (min(max(scale * v, 0), limits[0] - 1) for v in (box[0], box[2]))
    y1, y2 = (min(max(scale * v, 0), limits[1] - 1) for v in (box[1], box[3]))
    if x2 > x1 and y2 > y1:
        if line > 1:  # a white rim: visible on a ground of the same colour
            sheet.box(left + x1 - 1, top + y1 - 1, x2 - x1 + 2, y2 - y1 + 2, edge="white", line=line + 2)
        sheet.box(left + x1, top + y1, x2 - x1, y2 - y1, edge=colour, line=line)


def tag(sheet: Sheet, left: float, top: float, box, scale: float, words: str, limits) -> None:
    """A few words at the upper edge of a box."""
    x = min(max(scale * box[0], 0), limits[0] - 30)
    y = min(max(scale * box[1] - 13, 0), limits[1] - 14)
    sheet.box(left + x, top + y, 29, 13, fill="white", edge="white")
    sheet.text(left + x + 15, top + y + 7, words, 11)


def slid(picture: torch.Tensor, answers: torch.Tensor, threshold: float, step: int, classes: Sequence[str]) -> Picture:
    """A large picture, the windows in which something was found, and how sure each window is that something is there.

    Parameters
    ----------
    picture : (3, H, W)
    answers : logits (classes + 1, rows, columns) of windows `step` pixels apart; the first class is "nothing"
    """
    from utils.applications import windows

    boxes, _, labels = windows.found(answers, threshold, step)
    sure = answers.softmax(0)[1:].amax(0)  # (rows, columns)
    rows, columns = sure.shape
    scale, size = 2.6, picture.shape[1] * 2.6
    wide = picture.shape[2] * scale
    sheet = Sheet(2 * wide + 3 * GAP, size + 72)
    for i, (name, colour) in enumerate(zip(classes, PALETTE, strict=False)):
        sheet.box(GAP + 92 * i, GAP - 2, 14, 14, fill=colour, edge=colour)
        sheet.text(GAP + 92 * i + 20, GAP + 5, name, 12, "lm")
    sheet.image(GAP, 30, pixels(picture), wide, size)
    for box, label in zip(boxes.flip(0).tolist(), labels.flip(0).tolist(), strict=True):  # the surest on top
        middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
        around = [middle[0] - step / 2, middle[1] - step / 2, middle[0] + step / 2, middle[1] + step / 2]
        frame(sheet, GAP, 30, around, scale, PALETTE[label % len(PALETTE)], 2, (wide, size))
    if len(boxes):
        frame(sheet, GAP, 30, boxes[0].tolist(), scale, PALETTE[int(labels[0]) % len(PALETTE)], 3, (wide, size))
    sheet.box(2 * GAP + wide, 30, wide, size)
    margin = scale * windows.SIZE / 2 - scale * step / 2  # where the middle of the first window's cell begins
    level = pixels(sure[None])
    sheet.image(2 * GAP + wide + margin, 30 + margin, level, scale * step * columns, scale * step * rows)
    words = f"{rows} × {columns} = {rows * columns} windows, {step} pixels apart; {len(boxes)} above {threshold:.2f}"
    sheet.text(GAP, size + 46, words, 14, "lm", bold=True)
    sheet.text(2 * GAP + wide, 17, "how sure each window is that something is there", 12, "lm")
    return sheet.picture(
        f"A picture and its {rows}×{columns} windows, {step} pixels apart. Surer than {threshold:.2f} that something "
        f"is there: {len(boxes)}{'; the surest is drawn in full' if len(boxes) else ''}."
    )
