"""What an output sees: the receptive field of a stack of layers, drawn on a photo."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from utils.show.picture import BLUE, PALETTE, Picture, picture
from utils.show.sheet import Sheet

TOP, SIDE = 56, 310  # pixels: above the drawings, and their edge


def paths(layers: list[tuple[int, int, int]]) -> torch.Tensor:
    """On how many paths each pixel of a row reaches one output, through a stack of (kernel_size, stride, dilation).

    A 1 at the output is sent back through the layers, each with weights of 1: a transposed convolution is what
    backpropagation does to a convolution. The length of the answer is the receptive field; a 0 is a hole in it.
    """
    row = torch.ones(1, 1, 1, dtype=torch.float64)
    for kernel_size, stride, dilation in reversed(layers):
        row = F.conv_transpose1d(row, torch.ones(1, 1, kernel_size, dtype=row.dtype), stride=stride, dilation=dilation)
    return row[0, 0]


def receptive_field(
    image: torch.Tensor, layers: list[tuple[int, int, int]], at: tuple[int, int] | None = None
) -> Picture | str:
    """Draw the receptive field of one output, growing layer by layer.

    Parameters
    ----------
    image : Tensor
        (3, H, W) or (H, W), in [0, 1].
    layers : list of (kernel_size, stride, dilation)
        From the input to the output.
    at : (row, column), optional
        The pixel in the middle of the receptive field; by default the middle of the image.

    Returns
    -------
    Picture, or str
        A str says that the receptive field is larger than the image.
    """
    sizes = [len(paths(layers[:depth])) for depth in range(len(layers) + 1)]
    H, W = image.shape[-2:]
    image = image if image.ndim == 3 else image.expand(3, H, W)
    at = at or (H // 2, W // 2)
    if sizes[-1] > min(H, W):
        return (
            f"After {len(layers)} layers one output sees {sizes[-1]}×{sizes[-1]} pixels: more than this photo's "
            f"{H}×{W}. Take a smaller kernel, stride or dilation to see it drawn."
        )
    sheet = Sheet(1010, 400)
    draw_photo(sheet, image, sizes, at)
    draw_seen(sheet, image, paths(layers), at)
    draw_growth(sheet, layers, sizes)
    jumps = ", then ".join(str(size) for size in sizes[1:])
    holes = int((paths(layers) == 0).sum())
    gaps = f" {holes} of its {sizes[-1]} rows and columns are never read." if holes else ""
    return sheet.picture(
        f"Nested squares on a photo: layer by layer one output sees {jumps} pixels in each direction.{gaps} "
        "Beside it the pixels that the last output sees, fainter where fewer paths lead to it, and the growth as bars."
    )


def colour_pixels(image: torch.Tensor):
    """A colour image (3, H, W) as uint8 (H, W, 3)."""
    return (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def draw_photo(sheet: Sheet, image: torch.Tensor, sizes: list[int], at: tuple[int, int]) -> None:
    """The photo, with a frame for each layer."""
    H, W = image.shape[-2:]
    scale = SIDE / max(H, W)
    sheet.text(20 + SIDE / 2, 26, "one output of each layer sees …", 14)
    sheet.image(20, TOP, colour_pixels(image), W * scale, H * scale)
    for depth, size in enumerate(sizes[1:]):
        x, y = 20 + (at[1] - size // 2) * scale, TOP + (at[0] - size // 2) * scale
        sheet.box(x - 2, y - 2, size * scale + 4, size * scale + 4, edge="white", line=6)
        sheet.box(x, y, size * scale, size * scale, edge=PALETTE[depth % len(PALETTE)], line=3)


def draw_seen(sheet: Sheet, image: torch.Tensor, row: torch.Tensor, at: tuple[int, int]) -> None:
    """The pixels in the receptive field: fainter where fewer paths lead to the output, white in the holes."""
    size = len(row)
    framed = F.pad(image, (size,) * 4, value=0.5)  # grey where the receptive field hangs over the edge
    top, left = (size + middle - size // 2 for middle in at)
    reach = torch.outer(row, row)
    opacity = (reach > 0) * (0.3 + 0.7 * (reach / reach.max()) ** 0.35)
    pixels = 1 - opacity * (1 - framed[:, top : top + size, left : left + size])  # on white paper
    x = 40 + SIDE
    sheet.text(x + SIDE / 2, 18, "… and the last one sees this", 14)
    sheet.text(x + SIDE / 2, 38, "(faint: on few paths; white: not at all)", 13)
    sheet.image(x, TOP, colour_pixels(pixels), SIDE, SIDE)
    sheet.box(x, TOP, SIDE, SIDE)
    sheet.text(x + SIDE / 2, TOP + SIDE + 18, f"{size} × {size} pixels", 14)


def draw_growth(sheet: Sheet, layers: list[tuple[int, int, int]], sizes: list[int]) -> None:
    """A bar for each layer."""
    x, line = 80 + 2 * SIDE, min(60, SIDE / len(sizes))
    sheet.text(x, 26, "receptive field, in pixels", 14, anchor="lm")
    names = ["one pixel", *(f"{k}×{k}, stride {s}, dilation {d}" for k, s, d in layers)]
    colours = ["#777777", *(PALETTE[depth % len(PALETTE)] for depth in range(len(layers)))]
    for i, (name, colour, size) in enumerate(zip(names, colours, sizes, strict=True)):
        y, long = TOP + i * line, max(3, 200 * size / max(sizes))
        sheet.text(x, y + 9, name, 13, anchor="lm")
        sheet.box(x, y + 20, long, max(8, line - 32), fill=colour, edge=colour)
        sheet.text(x + long + 8, y + 20 + max(8, line - 32) / 2, str(size), 15, anchor="lm", bold=True)


def influence(gradient: torch.Tensor, size: int) -> Picture:
    """How strongly each pixel moved one output: |gradient|, (H, W), with the receptive field as a frame.

    Parameters
    ----------
    gradient : Tensor
        (H, W), of one output with respect to the input.
    size : int
        Side of the receptive field in pixels.
    """
    import matplotlib.pyplot as plt

    strength = gradient.abs() / gradient.abs().max()
    figure, (map_, profile) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(1, 1.5), layout="constrained")
    map_.imshow(strength, cmap="viridis_r")
    map_.set(xticks=[], yticks=[], xlabel=f"{size} × {size} pixels")
    columns = strength.sum(0) / strength.sum(0).max()
    profile.bar(torch.arange(len(columns)) - len(columns) // 2, columns, color=BLUE, width=1)
    profile.set(xlabel="distance from the middle (pixels)", ylabel="influence (largest = 1)")
    profile.spines[["top", "right"]].set_visible(False)
    return picture(
        figure,
        f"Influence of each pixel on one output: a bright blob in the middle of the {size}×{size} receptive field, "
        "fading to almost nothing towards its edges.",
    )
