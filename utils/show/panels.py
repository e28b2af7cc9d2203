"""Images, signed maps and small matrices side by side."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from utils.show.picture import DIVERGING, Picture, picture
from utils.show.sheet import Sheet, tints


def images(
    panels: dict[str, torch.Tensor],
    alt: str,
    *,
    signed: bool | Collection[str] = (),
    columns: int = 0,
    size: float = 2.6,
) -> Picture:
    """Images side by side, each under its title.

    Parameters
    ----------
    panels : dict of str to tensor
        By title: grey images (H, W), shown from 0 (black) to 1 (white).
    alt : str
    signed : collection of titles, or True for all
        Maps with values of both signs: white is zero, with a scale of their own beside them.
    columns : int
        Panels in a row; 0 puts all into one.
    size : float
        Height of a panel, in inches.
    """
    if not panels:
        raise ValueError("there is no image to show: panels is empty")
    for title, image in panels.items():
        if image.ndim != 2:
            raise ValueError(f"{title} has shape {tuple(image.shape)}; (H, W) is wanted: one grey channel, no batch")
    from matplotlib.figure import Figure

    columns = columns or len(panels)
    rows = -(-len(panels) // columns)
    height, width = next(iter(panels.values())).shape
    panel = min(size * width / height, 9.0)  # a very wide image takes a whole row
    figure = Figure(figsize=(columns * (panel + 0.3), rows * (panel * height / width + 0.35)), layout="constrained")
    for axes, (title, image) in zip(figure.subplots(rows, columns, squeeze=False).flat, panels.items(), strict=False):
        image_panel(axes, image, title, signed is True or (signed is not False and title in signed))
    for axes in figure.axes[len(panels) : rows * columns]:
        axes.set_axis_off()
    return picture(figure, alt)


def image_panel(axes, image: torch.Tensor, title: str = "", signed: bool = False) -> None:
    """One image (H, W) into `axes`: grey from 0 to 1, or, if `signed`, orange below zero and violet above."""
    values = np.asarray(image.detach())
    if signed:
        top = float(np.quantile(np.abs(values), 0.998)) or 1.0  # one stray pixel must not pale all others
        drawn = axes.imshow(values, cmap=DIVERGING, vmin=-top, vmax=top, interpolation="nearest")
        axes.figure.colorbar(drawn, ax=axes, shrink=0.75, aspect=25, ticks=[-top, 0, top], format="%+.2g")
    else:
        axes.imshow(values, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title, fontsize=11)
    axes.set_xticks([])
    axes.set_yticks([])


def grids(panels: dict[str, torch.Tensor], alt: str, *, cell: int = 40, zeros: bool = True) -> Picture:
    """Small matrices of numbers side by side, each under its title; cells tinted by sign and size.

    Parameters
    ----------
    panels : dict of str to tensor (rows, columns)
    cell : int
        Edge of a cell, in pixels.
    zeros : bool
        False leaves cells with a 0 empty: a large sparse matrix is easier to read.
    """
    if not panels:
        raise ValueError("there is no matrix to show: panels is empty")
    widths = [max(matrix.shape[1] * cell, 9 * len(title)) for title, matrix in panels.items()]
    tallest = max(matrix.shape[0] for matrix in panels.values()) * cell
    sheet = Sheet(sum(widths) + 36 * len(widths), tallest + 44)
    x = 18
    for (title, matrix), width in zip(panels.items(), widths, strict=True):
        sheet.text(x + width / 2, 16, title)
        left, top = x + (width - matrix.shape[1] * cell) / 2, 32 + (tallest - matrix.shape[0] * cell) / 2
        sheet.grid(
            left, top, matrix, cell, colours=tints(matrix), shown=matrix != 0 if not zeros else None, size=cell * 2 // 5
        )
        x += width + 36
    return sheet.picture(alt)
