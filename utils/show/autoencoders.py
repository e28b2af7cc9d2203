"""Pictures for chapter 08: stamps that add up, rows of rebuilt pictures, and the plane of codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from utils.show.picture import PALETTE, Picture
from utils.show.sheet import GREY, Sheet, tints
from utils.show.tiles import GAP, check_gallery, pixels

CELL, SIGN, HEAD = 30, 30, 30  # pixels: a cell of a matrix, room for a sign, a title above
CUT = "#E4E4E4"  # what padding cuts off
PLANE = 380  # pixels: the edge of the plane of codes


def stamps(
    x: torch.Tensor, weight: torch.Tensor, stride: int = 1, padding: int = 0, output_padding: int = 0, cell: int = CELL
) -> Picture:
    """A transposed convolution as a sum of stamps: each pixel of `x` times the kernel, put where the stride says.

    Parameters
    ----------
    x : (H, W), at most some six pixels
    weight : (kH, kW)
    padding : rows and columns cut off on all sides, grey in the sum
    output_padding : rows and columns of them that stay at the bottom and on the right, or are added there as zeros
    """
    extra = max(output_padding - padding, 0)  # nothing was stamped there
    parts = []
    for place in np.ndindex(*x.shape):
        alone = torch.zeros_like(x)
        alone[place] = x[place]
        parts.append(F.pad(transposed(alone, weight, stride), (0, extra, 0, extra)))
    total = sum(parts)
    height, width = total.shape
    kept = (
        slice(padding, height - extra - padding + output_padding),
        slice(padding, width - extra - padding + output_padding),
    )
    if kept[0].stop <= padding or kept[1].stop <= padding:
        raise ValueError(f"padding={padding} cuts off everything: the stamps cover {height}×{width} pixels in all.")
    shown = [reached(x.shape, weight.shape, place, stride, total.shape) for place in np.ndindex(*x.shape)]
    columns = min(len(parts), 3 if width * cell > 190 else 4)
    rows = -(-len(parts) // columns)
    step = width * cell + SIGN
    top = HEAD + max(height, *x.shape[:1], len(weight)) * cell + HEAD
    wide = max(columns * step, (x.shape[1] + weight.shape[1] + width) * cell + 3 * SIGN + 40)
    sheet = Sheet(wide + GAP, top + rows * (height * cell + SIGN) + GAP)
    left = GAP
    for title, matrix, sign in (("pixels", x, "⋆ᵀ"), ("kernel", weight, "=")):
        sheet.text(left + matrix.shape[1] * cell / 2, HEAD / 2, title)
        sheet.grid(left, HEAD, matrix, cell, colours=tints(matrix))
        left += matrix.shape[1] * cell + SIGN + 14
        sheet.text(left - SIGN / 2 - 7, HEAD + height * cell / 2, sign, 18)
    keep = torch.zeros(height, width, dtype=torch.bool)
    keep[kept] = True
    colours = {place: colour if keep[place] else CUT for place, colour in tints(total).items()}
    sheet.text(left + width * cell / 2, HEAD / 2, f"{total[kept].shape[0]}×{total[kept].shape[1]} pixels")
    sheet.grid(left, HEAD, total, cell, colours=colours)
    y0, x0 = (HEAD + kept[0].start * cell, left + kept[1].start * cell)
    sheet.box(x0, y0, total[kept].shape[1] * cell, total[kept].shape[0] * cell, edge="black", line=3)
    for i, (part, mask) in enumerate(zip(parts, shown, strict=True)):
        at = GAP + i % columns * step, top + i // columns * (height * cell + SIGN)
        colours = {place: colour if mask[place] else "white" for place, colour in tints(part).items()}
        sheet.grid(*at, part, cell, colours=colours, shown=mask)
        if i + 1 < len(parts):  # behind it, so that a sum over two rows reads on
            sheet.text(at[0] + width * cell + SIGN / 2, at[1] + height * cell / 2, "+", 18)
    cut = "" if not padding else f" The border of {padding} is cut off."
    return sheet.picture(
        f"{len(parts)} pixels each stamp a {weight.shape[0]}×{weight.shape[1]} kernel, {stride} apart; the stamps "
        f"add up to {total[kept].tolist()}.{cut}"
    )


def transposed(x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    """torch's transposed convolution of two matrices."""
    return F.conv_transpose2d(x[None, None], weight[None, None], stride=stride)[0, 0]


def reached(size, kernel, place, stride: int, total) -> torch.Tensor:
    """Where the stamp of the pixel at `place` lies, bool, of the shape `total`."""
    mask = torch.zeros(*total, dtype=torch.bool)
    top, left = (stride * n for n in place)
    mask[top : top + kernel[0], left : left + kernel[1]] = True
    return mask


def rebuilt(rows: dict[str, torch.Tensor], captions: Sequence[str] = (), *, size: int = 64, note: str = "") -> Picture:
    """Rows of pictures, each under its name: originals, and what networks made of them.

    Parameters
    ----------
    rows : by name: uint8, or float, (N, C, H, W), the same N; values outside [0, 1] are cut off, smaller pictures are
        shown as large as the others
    captions : one for each column, below it
    size : height of a picture, in pixels
    note : what the alt text is to say beyond the names
    """
    counts = {len(pictures) for pictures in rows.values()}
    if len(counts) != 1 or (captions and {len(captions)} != counts):
        raise ValueError(f"every row needs as many pictures as there are columns; these have {sorted(counts)}.")
    for pictures in rows.values():
        check_gallery(pictures)
    first = next(iter(rows.values()))
    width = size * first.shape[3] / first.shape[2]
    left = GAP + 8 * max(map(len, rows))
    n, step = len(first), width + 6
    sheet = Sheet(left + n * step + GAP, GAP + len(rows) * (size + 6) + (22 if captions else 6))
    for r, (name, pictures) in enumerate(rows.items()):
        top = GAP + r * (size + 6)
        sheet.text(GAP, top + size / 2, name, 13, "lm")
        for c, one in enumerate(pictures):
            sheet.image(left + c * step, top, pixels(one), width, size)
    for c, words in enumerate(captions):
        sheet.text(left + c * step + width / 2, GAP + len(rows) * (size + 6) + 8, words, 11)
    said = f" {note}" if note else ""
    return sheet.picture(f"{n} pictures in {len(rows)} rows: {', '.join(rows)}.{said}")


def codes(
    decoder, z: torch.Tensor, y: torch.Tensor, point: tuple[float, float] | None = None, *, size: int = 150
) -> Picture:
    """The plane of codes of two numbers: each picture stands where its code lies; beside it what `point` decodes to.

    Parameters
    ----------
    decoder : codes (B, 2) → pictures (B, C, H, W)
    z : (N, 2)
    y : labels (N,), 0 to 9: the sign that is drawn
    point : None decodes nothing
    """
    if z.ndim != 2 or z.shape[1] != 2:
        raise ValueError(f"codes of two numbers, (N, 2), are wanted; these are {tuple(z.shape)}.")
    low, high = limits(z)
    sheet = Sheet(PLANE + 2 * GAP + (size + 3 * GAP if point else 0) + 22, PLANE + 2 * GAP + 34)
    left, top = GAP + 22, GAP
    sheet.box(left, top, PLANE, PLANE)

    def at(code) -> tuple[float, float]:
        share = [(float(v) - float(a)) / float(b - a) for v, a, b in zip(code, low, high, strict=True)]
        return left + PLANE * share[0], top + PLANE * (1 - share[1])

    inside = ((z >= low) & (z <= high)).all(1)
    for code, label in zip(z[inside], y[inside].tolist(), strict=True):
        sheet.text(*at(code), str(label), 12, colour=PALETTE[label % len(PALETTE)])
    for i, name in enumerate(("first number of the code", "second")):
        ends = [f"{float(v):.1f}".replace("-", "−") for v in (low[i], high[i])]
        if i == 0:
            sheet.text(left, top + PLANE + 12, ends[0], 12, "lm", GREY)
            sheet.text(left + PLANE, top + PLANE + 12, ends[1], 12, "rm", GREY)
            sheet.text(left + PLANE / 2, top + PLANE + 12, name, 13)
        else:
            sheet.text(GAP - 4, top + PLANE - 8, ends[0], 11, "lm", GREY)
            sheet.text(GAP - 4, top + 8, ends[1], 11, "lm", GREY)
    alt = f"{len(z)} digits where their codes of two numbers lie."
    if point:
        with torch.no_grad():
            picture = decoder(torch.tensor([point], dtype=torch.float32))[0]
        x, y0 = at(point)
        sheet.box(x - 8, y0 - 8, 16, 16, edge="black", line=3)
        sheet.text(left + PLANE + 2 * GAP + size / 2, top + 12, "decoded", 14)
        sheet.image(left + PLANE + 2 * GAP, top + 28, pixels(picture), size, size)
        sheet.box(left + PLANE + 2 * GAP, top + 28, size, size)
        nearest = int(y[(z - torch.tensor(point)).square().sum(1).argmin()])
        gap = float((z - torch.tensor(point)).square().sum(1).min().sqrt())
        sheet.text(left + PLANE + 2 * GAP, top + 48 + size, f"nearest: a {nearest}", 12, "lm")
        sheet.text(left + PLANE + 2 * GAP, top + 66 + size, f"{gap:.2f} away", 12, "lm")
        alt += f" The point ({point[0]:.1f}, {point[1]:.1f}) is decoded; the nearest code is that of a {nearest}."
    return sheet.picture(alt)


def limits(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The corner values of a plane that holds all codes but a few far ones."""
    low, high = torch.quantile(z.detach().float(), torch.tensor([0.01, 0.99]), dim=0)
    edge = 0.08 * (high - low).clamp(min=1e-3)
    return low - edge, high + edge


def decoded_plane(decoder, z: torch.Tensor, steps: int = 13, size: int = 30) -> Picture:
    """What the codes on a grid over the plane decode to; the grid spans the codes `z` (N, 2)."""
    low, high = limits(z)
    rows = torch.linspace(float(high[1]), float(low[1]), steps)
    columns = torch.linspace(float(low[0]), float(high[0]), steps)
    grid = torch.cartesian_prod(rows, columns).flip(1)  # (steps², 2): row by row from the top
    with torch.no_grad():
        pictures = decoder(grid)
    sheet = Sheet(steps * size + 2 * GAP, steps * size + 2 * GAP)
    for i, one in enumerate(pictures):
        sheet.image(GAP + i % steps * size, GAP + i // steps * size, pixels(one), size, size)
    return sheet.picture(
        f"What {steps}×{steps} codes on a grid decode to: digits that turn into one another from place to place."
    )


def by_levels(result, note: str = "") -> Picture:
    """Recorded denoisers: PSNR at each level of noise, with the standard deviation over the seeds."""
    from matplotlib.figure import Figure

    from utils.show.picture import picture

    levels = [float(column[3:]) for column in result.rows[0] if column.startswith("at ")]
    figure = Figure(figsize=(7.5, 3.8), layout="constrained")
    axes = figure.subplots()
    for i, (row, marker) in enumerate(zip(result.rows, "osD^vPX", strict=False)):
        values, spread = ([row[f"{kind} {level:g}"] for level in levels] for kind in ("at", "sd"))
        known = row["trained"] if row["trained"] in ("none", "smoothing") else f"trained at {row['trained']}"
        axes.errorbar(levels, values, spread, color=PALETTE[i], marker=marker, capsize=3, label=known)
    axes.set(xlabel="standard deviation of the noise (white is 1)", ylabel="PSNR (dB)", xticks=levels)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    said = "; ".join(
        f"{row['trained']}: {', '.join(str(row[f'at {level:g}']) for level in levels)} dB" for row in result.rows
    )
    return picture(figure, f"PSNR at noise of {', '.join(map(str, levels))}, by what was trained on. {said}. {note}")
