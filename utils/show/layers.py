"""Pictures of layers: stacks of number grids, activation maps, padding, connections, pooling."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from utils.show.picture import BLUE, DIVERGING, GREEN, ORANGE, PALETTE, Picture, picture
from utils.show.sheet import Sheet, number

PALE = {BLUE: "#CFE3F2", ORANGE: "#F6D9C6", GREEN: "#C9E9DE"}


def written(value: float) -> str:
    """A number as short as it can be written; infinity as ∞."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return number(value)


def number_grids(
    grids: dict[str, torch.Tensor], alt: str, frames: dict[str, list] | None = None, cell: int = 40
) -> Picture:
    """Arrays of numbers side by side, with windows drawn on them.

    Parameters
    ----------
    grids : dict of title -> Tensor (rows, columns)
    alt : str
    frames : dict of title -> list of (row, column, height, width)
        Each window in a colour of its own.
    cell : int
        Edge of a cell, in pixels.
    """
    gap, top = 34, 40
    widths = [max(grid.shape[1] * cell, 8 * len(title)) for title, grid in grids.items()]
    sheet = Sheet(sum(widths) + gap * (len(grids) + 1), top + max(len(grid) for grid in grids.values()) * cell + 14)
    x = gap
    for (title, grid), width in zip(grids.items(), widths, strict=True):
        left = x + (width - grid.shape[1] * cell) / 2
        sheet.text(x + width / 2, top / 2, title)
        sheet.grid(left, top, grid, cell)
        for count, (row, column, high, wide) in enumerate((frames or {}).get(title, [])):
            inset = 2 + 3 * (count % 2)  # so that neighbours, and windows that overlap, stay apart
            box = (
                left + column * cell + inset,
                top + row * cell + inset,
                wide * cell - 2 * inset,
                high * cell - 2 * inset,
            )
            sheet.box(*box, edge=PALETTE[count % 6], line=3)
        x += width + gap
    return sheet.picture(alt)


def worked_position(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, row: int = 0, column: int = 0, filter: int = 0
) -> Picture:
    """One output number of a convolution layer (stride 1) with all of its arithmetic.

    Parameters
    ----------
    x : Tensor
        (C, H, W), already padded.
    weight, bias : Tensor
        (filters, C, k, k) and (filters,).
    row, column, filter : int
        Which output number: it stands at [filter, row, column].
    """
    C, H, W = x.shape
    k, cell, gap, top = weight.shape[-1], 34, 52, 66
    y = F.conv2d(x[None], weight, bias)[0, filter]
    window = x[:, row : row + k, column : column + k]
    sums = (window * weight[filter]).sum((1, 2))
    taps = [(i, j) for i in range(k) for j in range(k)]
    inside = {(row + i, column + j): PALE[BLUE] for i, j in taps}
    lefts = [gap, gap + W * cell + gap, gap + (W + k) * cell + 2 * gap, gap + (W + 2 * k) * cell + 3 * gap]
    sheet = Sheet(lefts[3] + max(y.shape[1] * cell, 130) + gap, top + C * (H * cell + 30))
    for c in range(C):
        y0 = top + c * (H * cell + 30)
        middle = y0 + (H - k) * cell / 2
        sheet.grid(lefts[0], y0, x[c], cell, colours=inside)
        sheet.grid(lefts[1], middle, weight[filter, c], cell, colours=dict.fromkeys(taps, PALE[ORANGE]))
        sheet.grid(lefts[2], middle, window[c] * weight[filter, c], cell)
        sheet.text(lefts[1] - gap / 2, y0 + H * cell / 2, "×", 20)
        sheet.text(lefts[2] - gap / 2, y0 + H * cell / 2, "=", 20)
        sheet.text(lefts[0] + W * cell / 2, y0 - 12, f"input, channel {c}", 13)
        sheet.text(lefts[1] + k * cell / 2, middle - 12, f"filter {filter}, channel {c}", 13)
        sheet.text(lefts[2] + k * cell / 2, middle - 12, "products", 13)
        sheet.text(lefts[2] + k * cell / 2, middle + k * cell + 14, f"sum {written(float(sums[c]))}", 14, bold=True)
    y0 = top + (C * (H * cell + 30) - 30 - len(y) * cell) / 2
    sheet.grid(lefts[3], y0, y, cell, colours={(row, column): PALE[GREEN]})
    sheet.text(lefts[3] + y.shape[1] * cell / 2, y0 - 12, f"output, channel {filter}", 13)
    terms = " + ".join(f"({written(float(s))})" if s < 0 else written(float(s)) for s in sums)
    offset = written(float(bias[filter]))
    arithmetic = f"{terms} + bias {f'({offset})' if bias[filter] < 0 else offset} = {written(float(y[row, column]))}"
    sheet.text(gap, 22, f"output[{filter}, {row}, {column}]  =  {arithmetic}", 17, anchor="lm", bold=True)
    return sheet.picture(
        f"Filter {filter} at row {row}, column {column}: the sums over the {C} channels and the bias give {arithmetic}."
    )


def activation_maps(image: torch.Tensor, maps: torch.Tensor, names: list[str]) -> Picture:
    """A photo and what each filter of a layer makes of it.

    Parameters
    ----------
    image : Tensor
        (3, H, W) or (1, H, W), in [0, 1].
    maps : Tensor
        (filters, H', W').
    names : list of str
        One for each filter.
    """
    import matplotlib.pyplot as plt

    columns = math.ceil((len(maps) + 1) / 2) if len(maps) > 4 else len(maps) + 1
    rows = math.ceil((len(maps) + 1) / columns)
    size = (2.6 * columns, 2.75 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    photo, *others = axes.flat
    photo.imshow(image.permute(1, 2, 0).squeeze(-1), cmap="gray", vmin=0, vmax=1)
    photo.set_title(f"input {tuple(image.shape)}", fontsize=10)
    for ax, map_, name in zip(others, maps, names, strict=False):
        limit = max(float(map_.abs().quantile(0.995)), 1e-6)
        ax.imshow(map_, cmap=DIVERGING, vmin=-limit, vmax=limit)
        ax.set_title(name, fontsize=10)
    for ax in axes.flat:
        ax.axis("off")
    return picture(
        figure,
        f"A photo and {len(maps)} activation maps, one for each filter: {', '.join(names)}. "
        "White is zero, the two colours are positive and negative answers.",
    )


def padding_modes(image: torch.Tensor, width: int, modes=("constant", "replicate", "reflect", "circular")) -> Picture:
    """The same photo continued over its edge in each of PyTorch's ways.

    Parameters
    ----------
    image : Tensor
        (3, H, W), in [0, 1].
    width : int
        Pixels added on every side.
    modes : sequence of str
        As `torch.nn.functional.pad` names them ("constant" is zero padding).
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    figure, axes = plt.subplots(1, len(modes), figsize=(2.7 * len(modes), 2.9), layout="constrained")
    for ax, mode in zip(axes, modes, strict=True):
        ax.imshow(F.pad(image[None], (width,) * 4, mode=mode)[0].permute(1, 2, 0), vmin=0, vmax=1)
        ax.add_patch(Rectangle((width, width), *image.shape[:0:-1], fill=False, edgecolor="white", linewidth=1.5))
        ax.set_title("zeros" if mode == "constant" else mode, fontsize=10)
        ax.axis("off")
    names = ", ".join("zeros" if mode == "constant" else mode for mode in modes)
    return picture(figure, f"One photo with {width} pixels of padding, inside a white frame, continued by: {names}.")


def columns(x: torch.Tensor, kernel_size: int) -> Picture:
    """Windows of an image, and the same windows standing upright as the columns of a matrix.

    Parameters
    ----------
    x : Tensor
        (H, W), small.
    """
    k, cell, gap, top = kernel_size, 36, 70, 44
    matrix = F.unfold(x[None, None], k)[0]  # (k·k, positions)
    last = matrix.shape[1] - 1
    corner = divmod(last, x.shape[1] - k + 1)
    tint = [PALE[BLUE], *["white"] * (last - 1), PALE[ORANGE]]
    picked = {(i, j): PALE[BLUE] for i in range(k) for j in range(k)}
    picked |= {(corner[0] + i, corner[1] + j): PALE[ORANGE] for i in range(k) for j in range(k)}
    height = max(len(matrix), len(x)) * cell
    left = 30 + x.shape[1] * cell + gap
    sheet = Sheet(left + matrix.shape[1] * cell + 30, top + height + 14)
    sheet.text(30 + x.shape[1] * cell / 2, 20, "image")
    sheet.grid(30, top + (height - len(x) * cell) / 2, x, cell, colours=picked)
    sheet.text(left - gap / 2, top + height / 2, "→", 26)
    sheet.text(left + matrix.shape[1] * cell / 2, 20, f"its {matrix.shape[1]} windows, upright")
    every = {(i, p): tint[p] for i in range(len(matrix)) for p in range(matrix.shape[1])}
    sheet.grid(left, top + (height - len(matrix) * cell) / 2, matrix, cell, colours=every)
    return sheet.picture(
        f"An image of {x.shape[0]}×{x.shape[1]} numbers; each of its {matrix.shape[1]} windows of {k}×{k}, read row by "
        f"row, stands upright as one column of a {len(matrix)}×{matrix.shape[1]} matrix. "
        "The first is blue, the last orange."
    )


def connections(n: int, kernel_size: int) -> Picture:
    """Which input is connected to which output, n×n image: dense, local with weights of its own, and convolution.

    The same colour is the same weight; white is no connection.
    """
    import matplotlib.pyplot as plt

    taps = torch.arange(1.0, kernel_size**2 + 1).view(1, 1, kernel_size, kernel_size)
    basis = torch.eye(n * n).view(n * n, 1, n, n)
    shared = F.conv2d(basis, taps).flatten(1).T  # (outputs, inputs): which tap joins them, 0 for none
    generator = torch.Generator().manual_seed(0)
    dense = 0.1 + torch.rand(shared.shape, generator=generator)
    colour = torch.cat([torch.zeros(1), 0.1 + torch.randperm(kernel_size**2, generator=generator) / kernel_size**2])
    kinds = {
        "fully connected": dense,
        "local, each window its own weights": torch.where(shared > 0, dense, 0),
        "convolution: local and shared": colour[shared.long()],
    }
    counts = [dense.numel(), int((shared > 0).sum()), kernel_size**2]
    figure, axes = plt.subplots(3, 1, figsize=(8, 0.62 * 3 * len(shared) * 8 / n**2 + 1.6), layout="constrained")
    for ax, (name, matrix), count in zip(axes, kinds.items(), counts, strict=True):
        ax.imshow(torch.where(matrix > 0, matrix, torch.nan), cmap="viridis")
        ax.set(xticks=[], yticks=[], ylabel=f"{len(shared)} outputs")
        ax.set_title(f"{name}: {count} weights", fontsize=10)
    axes[-1].set_xlabel(f"{n * n} inputs")
    return picture(
        figure,
        f"Three connection matrices of {len(shared)} outputs and {n * n} inputs: fully connected with {counts[0]} "
        f"different weights, local with {counts[1]}, and convolution, in which {counts[2]} weights repeat "
        "along diagonals.",
    )


def bars(values: dict[str, float], label: str, alt: str, log: bool = True) -> Picture:
    """Horizontal bars with their values, on a logarithmic axis unless told otherwise."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(8, 0.42 * len(values) + 0.9), layout="constrained")
    drawn = ax.barh(list(values), list(values.values()), color=BLUE, height=0.65)
    texts = [f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}" for value in values.values()]
    ax.bar_label(drawn, labels=texts, padding=4, fontsize=9)
    ax.invert_yaxis()
    ax.set_xlabel(label)
    low, high = min(values.values()), max(values.values())
    if log:
        ax.set_xscale("log")
        ax.set_xlim(low / 3, high * (high / low) ** 0.15 * 2)
    else:
        ax.set_xlim(0, high * 1.15)
    ax.spines[["top", "right"]].set_visible(False)
    return picture(figure, alt)


def curves(x, lines: dict, xlabel: str, ylabel: str, alt: str) -> Picture:
    """Lines over a common x, told apart by colour, marker and a label at each line's end."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
    for (name, y), colour, marker in zip(lines.items(), PALETTE, "osD^vPX", strict=False):
        ax.plot(x, y, color=colour, marker=marker, markersize=4, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(figure, alt)
