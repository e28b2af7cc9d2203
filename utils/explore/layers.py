"""The explorers of chapter 02: controls for the pictures of `utils.show`."""

from __future__ import annotations

import torch

from utils import show
from utils.explore.explorer import Explorer

STACK = ((3, 1, 1), (2, 2, 1), (3, 1, 2), (3, 1, 4))  # convolution, pooling, two dilated convolutions


def slider(description: str, value: int, low: int, high: int, width: int = 250):
    """An int slider, narrow enough for three to stand side by side."""
    import ipywidgets

    layout, style = ipywidgets.Layout(width=f"{width}px"), {"description_width": "72px"}
    return ipywidgets.IntSlider(value, low, high, description=description, layout=layout, style=style)


def output_size() -> Explorer:
    """Kernel size, stride, padding and dilation on one picture, with the size formula filled in."""
    return Explorer(
        show.windows,
        {
            "n": slider("n", 7, 1, 16),
            "kernel_size": slider("kernel_size", 3, 1, 7),
            "stride": slider("stride", 3, 1, 5),
            "padding": slider("padding", 0, 0, 4),
            "dilation": slider("dilation", 1, 1, 4),
        },
        columns=3,
    )


def worked_example(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> Explorer:
    """Step through every output number of a small layer; `x` (C, H, W) is already padded."""
    filters, _, k, _ = weight.shape

    def draw(row: int, column: int, filter: int):
        return show.worked_position(x, weight, bias, row, column, filter)

    controls = {
        "row": slider("row", 0, 0, x.shape[1] - k),
        "column": slider("column", 0, 0, x.shape[2] - k),
        "filter": slider("filter", 0, 0, filters - 1),
    }
    return Explorer(draw, controls, columns=3)


def receptive_field(image: torch.Tensor, at: tuple[int, int] | None = None, stack=STACK) -> Explorer:
    """Kernel size, stride and dilation of each layer of a stack, and what one output sees of a photo.

    A layer of kernel size 1 and stride 1 sees nothing more than the layer before it.
    """
    controls = {}
    for depth, (kernel_size, stride, dilation) in enumerate(stack, 1):
        controls[f"kernel_size_{depth}"] = slider(f"{depth}: kernel", kernel_size, 1, 7)
        controls[f"stride_{depth}"] = slider("stride", stride, 1, 4)
        controls[f"dilation_{depth}"] = slider("dilation", dilation, 1, 8)

    def draw(**values: int):
        chosen = list(values.values())
        layers = [tuple(chosen[i : i + 3]) for i in range(0, len(chosen), 3)]
        return show.receptive_field(image, layers, at)

    return Explorer(draw, controls, columns=3)
