"""Where a sliding window lands: kernel size, stride, padding and dilation on one picture."""

from __future__ import annotations

from itertools import product

import torch

from utils.show.picture import BLUE, ORANGE, Picture
from utils.show.sheet import Sheet

PADDED, UNREAD = "#D4D4D4", "#F8D5C2"
TOP, STAIR, LINE = 100, 46, 22  # pixels: above the drawings, from the row to its first window, per window


def landings(n: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> torch.Tensor:
    """The cells that each window reads, counted from the first cell of the padded row: (windows, kernel_size).

    Found by sliding a real window over a real row (`Tensor.unfold`), not by a formula.

    Raises
    ------
    ValueError
        If the kernel does not fit into the padded row even once.
    """
    row = torch.arange(-padding, n + padding)
    span = int(torch.arange(0, kernel_size * dilation, dilation)[-1]) + 1  # from the first tap to the last
    if span > len(row):
        raise ValueError(refusal(n, kernel_size, padding, dilation, span))
    return row.unfold(0, span, stride)[:, ::dilation] + padding


def refusal(n: int, kernel_size: int, padding: int, dilation: int, span: int) -> str:
    """Why a kernel does not fit, and what would make it fit."""
    spread = f", spread out by dilation {dilation}," if dilation > 1 else ""
    around = f" with {padding} cells of padding at each end" if padding else ""
    short = span - n - 2 * padding
    return (
        f"Impossible: a kernel of {kernel_size}{spread} spans {span} cells, but {n} cells{around} make only "
        f"{n + 2 * padding}. PyTorch refuses too. It fits with {-(-short // 2)} more padding at each end, with "
        f"{short} more input cells, or with a smaller kernel{' or dilation' if dilation > 1 else ''}."
    )


def windows(n: int = 7, kernel_size: int = 3, stride: int = 1, padding: int = 0, dilation: int = 1) -> Picture | str:
    """Draw every place where a kernel lands, what is left over at the end, and the size formula filled in.

    Parameters
    ----------
    n : int
        Cells in a row of the input; the image is n×n.
    kernel_size, stride, padding, dilation : int
        As in `torch.nn.Conv2d`.

    Returns
    -------
    Picture, or str
        A str says why the setting is impossible.
    """
    try:
        cells = landings(n, kernel_size, stride, padding, dilation)
    except ValueError as impossible:
        return str(impossible)
    total = n + 2 * padding
    left = total - 1 - int(cells.max())
    skipped = int(cells.max()) + 1 - len(cells.unique())
    sheet = Sheet(980, TOP + max(300, STAIR + LINE * len(cells)) + 20)
    sheet.text(490, 20, formula(n, kernel_size, stride, padding, dilation, total, cells), 17, bold=True)
    sheet.text(490, 48, remark(left, stride, skipped), 15)
    draw_image(sheet, cells, total, padding)
    draw_stairs(sheet, cells, total, padding)
    return sheet.picture(alt_text(n, kernel_size, stride, padding, dilation, cells, left))


def formula(n, kernel_size, stride, padding, dilation, total, cells) -> str:
    """The size formula with the numbers filled in."""
    room = total - 1 - int(cells[0, -1])
    steps = f"⌊{room / stride:.4g}⌋" if room % stride else f"{room // stride}"
    return (
        f"⌊({n} + 2·{padding} − {dilation}·({kernel_size} − 1) − 1) / {stride}⌋ + 1"
        f"  =  ⌊{room} / {stride}⌋ + 1  =  {steps} + 1  =  {len(cells)}"
    )


def remark(left: int, stride: int, skipped: int) -> str:
    """What becomes of the cells that no window reads."""
    fall = "cell falls" if skipped == 1 else "cells fall"
    holes = f"; {skipped} {fall} between the taps and never count" if skipped else ""
    if not left:
        return f"the last window ends exactly at the last cell{holes}"
    return (
        f"{left} {'cell is' if left == 1 else 'cells are'} left over: the next step of {stride} would run out of the "
        f"row, so PyTorch stops (it rounds down){holes}"
    )


def alt_text(n, kernel_size, stride, padding, dilation, cells, left) -> str:
    size = len(cells)
    return (
        f"A {n}×{n} image, kernel {kernel_size}×{kernel_size}, stride {stride}, padding {padding}, dilation {dilation}"
        f": the kernel lands {size} times in each direction, so the output is {size}×{size}; "
        f"{left} {'cell' if left == 1 else 'cells'} at the end of each row left over."
    )


def colours_of(total: int, padding: int) -> list[str]:
    """The colour of each cell of a padded row: white, or grey where it is padding."""
    return ["white" if padding <= j < total - padding else PADDED for j in range(total)]


def draw_image(sheet: Sheet, cells: torch.Tensor, total: int, padding: int) -> None:
    """The image with its padding, the first window's taps, and the cells that no window reads."""
    read, first = set(cells.flatten().tolist()), set(cells[0].tolist())
    row = colours_of(total, padding)
    cell = min(40, 300 / total)
    sheet.text(170, TOP - 18, "input, padding grey" if padding else "input", 14)
    for i, j in product(range(total), repeat=2):
        colour = PADDED if PADDED in (row[i], row[j]) else "white"
        colour = UNREAD if i not in read or j not in read else colour
        colour = BLUE if i in first and j in first else colour
        sheet.box(170 + (j - total / 2) * cell, TOP + i * cell, cell, cell, fill=colour, edge="#888888")


def draw_stairs(sheet: Sheet, cells: torch.Tensor, total: int, padding: int) -> None:
    """One row of the image, and below it every window in its place."""
    read, row = set(cells.flatten().tolist()), colours_of(total, padding)
    cell, x = min(46, 500 / total), 370
    sheet.text(x, TOP - 18, "one row, and below it each place where the kernel lands", 14, anchor="lm")
    for j in range(total):
        unread = j not in read
        sheet.box(x + j * cell, TOP, cell, 30, fill=UNREAD if unread else row[j], edge="#888888")
        words = "✗" if unread else "" if row[j] == PADDED else str(j - padding)
        sheet.text(
            x + (j + 0.5) * cell, TOP + 15, words, min(14, int(cell * 0.6)), colour=ORANGE if unread else "black"
        )
    for number, taps in enumerate(cells.tolist()):
        y = TOP + STAIR + number * LINE
        sheet.box(x + taps[0] * cell, y + LINE / 2 - 2, (taps[-1] - taps[0] + 1) * cell, 2, fill=BLUE, edge=BLUE)
        for j in taps:
            sheet.box(x + j * cell, y, cell, LINE - 6, fill=BLUE, edge="white")
        sheet.text(x + total * cell + 12, y + LINE / 2 - 3, f"→ output {number}", 13, anchor="lm")
    if len(read) < total:
        sheet.text(x, TOP + STAIR + len(cells) * LINE + 8, "✗ read by no window", 13, anchor="lm", colour=ORANGE)
