"""A kernel stepping across a small matrix, with the arithmetic of the position it stands on."""

from __future__ import annotations

from collections.abc import Callable

import torch

from utils import filters
from utils.show.picture import BLUE, GREEN, ORANGE, Picture
from utils.show.sheet import GREY, Sheet, number, tints

CELL, GAP, TOP, LINE = 46, 34, 40, 26  # pixels
WINDOW = (255, 236, 179)  # a light yellow


def step(
    image: torch.Tensor, kernel: torch.Tensor, position: int = 0, *, correlate: Callable = filters.correlate
) -> Picture:
    """Where the kernel stands, the products it forms there, and the output so far.

    Parameters
    ----------
    image : tensor (H, W), small
    kernel : tensor (kh, kw)
    position : int
        Which output, counted row by row from 0.
    correlate : callable
        `correlate(image, kernel)` -> the valid part. The output is filled in from it; should it differ from the
        sum that is written out, the picture says so.

    Raises
    ------
    ValueError
        As `utils.filters.filtered`; also if there is no such position.
    """
    image, kernel = image.double(), kernel.double()
    result = filters.filtered(image, kernel, correlate)
    rows, columns = result.shape
    if not 0 <= position < rows * columns:
        raise ValueError(f"there is no position {position}: the output has {rows * columns}, counted from 0")
    r, c = divmod(position, columns)
    kh, kw = kernel.shape
    window = image[r : r + kh, c : c + kw]
    total, answer = float((window * kernel).sum()), float(result[r, c])
    right = abs(total - answer) < 1e-6 * max(1.0, abs(total))

    lines = arithmetic(window, kernel)
    widths = [image.shape[1] * CELL, max(kw * CELL, 80), max(columns * CELL, 80)]
    tall = image.shape[0] * CELL
    sheet = Sheet(
        max(sum(widths) + 4 * GAP, 11 * max(map(len, lines)) + 2 * GAP, 480), TOP + tall + 24 + LINE * (len(lines) + 2)
    )

    x = GAP
    sheet.text(x + widths[0] / 2, 20, "input")
    touched = {(i, j): WINDOW for i in range(r, r + kh) for j in range(c, c + kw)}
    sheet.grid(x, TOP, image, CELL, colours=touched)
    sheet.box(x + c * CELL, TOP + r * CELL, kw * CELL, kh * CELL, edge=BLUE, line=4)

    x += widths[0] + GAP
    sheet.text(x + widths[1] / 2, 20, "kernel")
    sheet.grid(x + (widths[1] - kw * CELL) / 2, TOP + (tall - kh * CELL) / 2, kernel, CELL, colours=tints(kernel))

    x += widths[1] + GAP
    sheet.text(x + widths[2] / 2, 20, "output")
    done = torch.arange(rows * columns).reshape(rows, columns) <= position
    left = x + (widths[2] - columns * CELL) / 2
    top = TOP + (tall - rows * CELL) / 2
    sheet.grid(left, top, result, CELL, colours={(r, c): WINDOW}, shown=done)
    sheet.box(left + c * CELL, top + r * CELL, CELL, CELL, edge=GREEN if right else ORANGE, line=4)

    y = TOP + tall + 24
    sheet.text(GAP, y, f"output row {r}, column {c}:", 14, "lm", colour=GREY)
    y += LINE
    for line in lines:
        sheet.text(GAP, y, line, 16, "lm")
        y += LINE
    verdict = f"= {number(total)}"
    if not right:
        verdict += f"   but {getattr(correlate, '__name__', 'the function')} says {number(answer)} here"
    sheet.text(GAP, y, verdict, 16, "lm", colour=GREEN if right else ORANGE, bold=True)
    return sheet.picture(
        f"A {kh}×{kw} kernel on a {image.shape[0]}×{image.shape[1]} matrix. At output row {r}, column {c}: "
        f"{' '.join(lines)} {verdict}."
    )


def arithmetic(window: torch.Tensor, kernel: torch.Tensor) -> list[str]:
    """The products of a window and a kernel written out, one line for each row."""
    lines = []
    for pixels, weights in zip(window.tolist(), kernel.tolist(), strict=True):
        lines.append(" + ".join(f"{bracketed(p)}·{bracketed(w)}" for p, w in zip(pixels, weights, strict=True)))
    return [("+ " if i else "   ") + line for i, line in enumerate(lines)]


def bracketed(value: float) -> str:
    """A factor in a product: 3, (−4)."""
    return f"({number(value)})" if value < 0 else number(value)


def node_graph(height: int, width: int, kernel: torch.Tensor) -> Picture:
    """A filter as connections between nodes: every pixel a node, every weight a line, the first two windows in colour.

    Parameters
    ----------
    height, width : int
        Size of the input; its nodes stand in one column, row by row.
    kernel : tensor (kh, kw)
    """
    (kh, kw), pitch, radius = kernel.shape, 38, 13
    rows, columns = height - kh + 1, width - kw + 1
    if rows < 1 or columns < 1:
        raise ValueError(f"a {kh}×{kw} kernel does not fit into a {height}×{width} image even once")
    tall, left, right = height * width * pitch, 120, 460
    sheet = Sheet(right + 120, tall + 50)
    sheet.text(left, 16, "input pixels")
    sheet.text(right, 16, "output pixels")

    def source(i: int, j: int) -> float:
        return 48 + (i * width + j) * pitch

    def target(n: int) -> float:
        return 48 + tall * (n + 0.5) / (rows * columns) - pitch / 2

    for n in reversed(range(rows * columns)):  # the coloured lines last, so that they lie on top
        r, c = divmod(n, columns)
        for i in range(kh):
            for j in range(kw):
                colour, line = {0: (BLUE, 3), 1: (GREEN, 3)}.get(n, ("#BBBBBB", 1))
                start = (left + radius, source(r + i, c + j))
                sheet.pen.line((*start, right - radius, target(n)), fill=colour, width=line)
    for n, (i, j) in enumerate((i, j) for i in range(height) for j in range(width)):
        sheet.pen.ellipse(
            (left - radius, source(i, j) - radius, left + radius, source(i, j) + radius), "white", "#444444", 2
        )
        sheet.text(left - 52, 48 + n * pitch, f"({i}, {j})", 13, colour=GREY)
    for n in range(rows * columns):
        edge = {0: BLUE, 1: GREEN}.get(n, "#444444")
        sheet.pen.ellipse((right - radius, target(n) - radius, right + radius, target(n) + radius), "white", edge, 3)
        sheet.text(right + 52, target(n), f"({n // columns}, {n % columns})", 13, colour=GREY)
    weights = sorted({number(float(w)) for w in kernel.flatten()})
    sheet.text((left + right) / 2, 16, "every line weighs " + " or ".join(weights), 13, colour=GREY)
    return sheet.picture(
        f"{height * width} input nodes on the left, {rows * columns} output nodes on the right. Each output is joined "
        f"to only {kh * kw} inputs, the pixels of its window; those of the first two windows are blue and green. "
        f"The same weights, {' and '.join(weights)}, are used by all."
    )
