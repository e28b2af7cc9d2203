"""Where a sliding window lands: kernel size, stride, padding and dilation on one picture."""

from __future__ import annotations

import torch

from utils.show.picture import BLUE, ORANGE, Picture, picture

PADDED, UNREAD = "#DDDDDD", "#F6C9B0"


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
    import matplotlib.pyplot as plt

    total = n + 2 * padding
    figure, (image, stairs) = plt.subplots(
        1, 2, figsize=(10, 0.9 + max(3.0, 0.24 * (len(cells) + 3))), width_ratios=(1, 1.9), layout="constrained"
    )
    draw_image(image, cells, total, padding)
    draw_stairs(stairs, cells, total, padding)
    left = total - 1 - int(cells.max())
    skipped = int(cells.max()) + 1 - len(cells.unique())
    title = formula(n, kernel_size, stride, padding, dilation, total, cells)
    figure.suptitle(f"{title}\n{remark(left, stride, skipped)}", fontsize=11)
    return picture(figure, alt_text(n, kernel_size, stride, padding, dilation, cells, left))


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


def draw_image(ax, cells: torch.Tensor, total: int, padding: int) -> None:
    """The image with its padding, the first window's taps, and the cells that no window reads."""
    read = set(cells.flatten().tolist())
    first = set(cells[0].tolist())
    for i in range(total):
        for j in range(total):
            outside = not (padding <= i < total - padding and padding <= j < total - padding)
            taps = i in first and j in first
            unread = not (i in read and j in read)
            colour = BLUE if taps else UNREAD if unread else PADDED if outside else "white"
            ax.add_patch(rectangle(j, i, colour, hatch="//" if outside and not taps else None))
    ax.set(xlim=(-0.2, total + 0.2), ylim=(total + 0.2, -0.2), aspect="equal", xticks=[], yticks=[])
    ax.set_title(f"input{' with padding (hatched)' if padding else ''}, first window blue", fontsize=9)
    ax.axis("off")


def draw_stairs(ax, cells: torch.Tensor, total: int, padding: int) -> None:
    """One row of the image, and below it every window in its place."""
    read = set(cells.flatten().tolist())
    for j in range(total):
        outside = not padding <= j < total - padding
        colour = PADDED if outside else "white"
        ax.add_patch(rectangle(j, 0, UNREAD if j not in read else colour, hatch="//" if outside else None))
        ax.text(j + 0.5, 0.5, "" if outside else str(j - padding), ha="center", va="center", fontsize=8)
    for number, taps in enumerate(cells.tolist()):
        y = 1.6 + number
        ax.plot((taps[0] + 0.5, taps[-1] + 0.5), (y + 0.4, y + 0.4), color=BLUE, linewidth=1)
        for j in taps:
            ax.add_patch(rectangle(j, y, BLUE, height=0.8))
        ax.text(total + 0.4, y + 0.4, f"→ output {number}", va="center", fontsize=8)
    for j in sorted(set(range(total)) - read):
        ax.text(j + 0.5, -0.3, "✗", ha="center", va="center", fontsize=9, color=ORANGE)
    ax.set(xlim=(-0.2, total + 3.2), ylim=(len(cells) + 2, -0.8))
    ax.set_title("one row, and each place where the kernel lands  (✗: read by no window)", fontsize=9)
    ax.axis("off")


def rectangle(x: float, y: float, colour: str, height: float = 1.0, hatch: str | None = None):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 1, height, facecolor=colour, edgecolor="#777777", linewidth=0.6, hatch=hatch)
