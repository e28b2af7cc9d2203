"""What an output sees: the receptive field of a stack of layers, drawn on a photo."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from utils.show.picture import BLUE, PALETTE, Picture, picture


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
    import matplotlib.pyplot as plt

    sizes = [len(paths(layers[:depth])) for depth in range(len(layers) + 1)]
    H, W = image.shape[-2:]
    image = image if image.ndim == 3 else image.expand(3, H, W)
    at = at or (H // 2, W // 2)
    if sizes[-1] > min(H, W):
        return (
            f"After {len(layers)} layers one output sees {sizes[-1]}×{sizes[-1]} pixels: more than this photo's "
            f"{H}×{W}. Take a smaller kernel, stride or dilation to see it drawn."
        )
    figure, (photo, seen, growth) = plt.subplots(
        1, 3, figsize=(10.5, 3.7), width_ratios=(1.1, 1, 1.15), layout="constrained"
    )
    draw_photo(photo, image, sizes, at)
    draw_seen(seen, image, paths(layers), at)
    draw_growth(growth, layers, sizes)
    jumps = ", then ".join(str(size) for size in sizes[1:])
    holes = int((paths(layers) == 0).sum())
    gaps = f" {holes} of its {sizes[-1]} rows and columns are never read." if holes else ""
    return picture(
        figure,
        f"Nested squares on a photo: layer by layer one output sees {jumps} pixels in each direction.{gaps} "
        "Beside it the pixels that the last output sees, fainter where fewer paths lead to it, and the growth as bars.",
    )


def draw_photo(ax, image: torch.Tensor, sizes: list[int], at: tuple[int, int]) -> None:
    """The photo, with a frame for each layer."""
    from matplotlib.patches import Rectangle

    ax.imshow(image.permute(1, 2, 0), vmin=0, vmax=1)
    for depth, size in enumerate(sizes[1:]):
        corner = (at[1] - size // 2 - 0.5, at[0] - size // 2 - 0.5)
        ax.add_patch(Rectangle(corner, size, size, fill=False, edgecolor="white", linewidth=3.4))
        ax.add_patch(Rectangle(corner, size, size, fill=False, edgecolor=PALETTE[depth % len(PALETTE)], linewidth=2))
    ax.set(xticks=[], yticks=[])
    ax.set_title("one output of each layer sees …", fontsize=10)


def draw_seen(ax, image: torch.Tensor, row: torch.Tensor, at: tuple[int, int]) -> None:
    """The pixels in the receptive field: fainter where fewer paths lead to the output, white in the holes."""
    size = len(row)
    margin = size  # so that a receptive field over the edge is cut out as well, grey where there is no photo
    framed = F.pad(image, (margin,) * 4, value=0.5)
    top, left = (margin + middle - size // 2 for middle in at)
    pixels = framed[:, top : top + size, left : left + size]
    reach = torch.outer(row, row)
    opacity = (reach > 0) * (0.3 + 0.7 * (reach / reach.max()) ** 0.35)
    ax.imshow(torch.cat([pixels, opacity[None].to(pixels)]).permute(1, 2, 0), vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(f"{size} × {size} pixels", fontsize=9)
    ax.set_title("… and the last one sees this\n(faint: on few paths; white: not at all)", fontsize=10)


def draw_growth(ax, layers: list[tuple[int, int, int]], sizes: list[int]) -> None:
    names = ["pixel", *(f"{k}×{k}, stride {s}, dil. {d}" for k, s, d in layers)]
    colours = ["#777777", *(PALETTE[depth % len(PALETTE)] for depth in range(len(layers)))]
    bars = ax.barh(range(len(sizes)), sizes, color=colours)
    ax.bar_label(bars, labels=[str(size) for size in sizes], padding=3, fontsize=9)
    ax.set_yticks(range(len(sizes)), names, fontsize=8)
    ax.invert_yaxis()
    ax.set_xlim(0, max(sizes) * 1.2)
    ax.set_xlabel("receptive field (pixels)", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)


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
