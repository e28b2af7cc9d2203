"""The kernels of chapter 01, and torch's cross-correlation under a short name."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

# Written for cross-correlation: what stands top left meets the pixel top left.
KERNELS = {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "box blur": ((1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9)),
    "Gaussian": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "Laplace": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    "Sobel x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Sobel y": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "edges, diagonal": ((1, 0, -1), (0, 0, 0), (-1, 0, 1)),
    "edges, 4 neighbours": ((0, -1, 0), (-1, 4, -1), (0, -1, 0)),
    "edges, 8 neighbours": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
}


def kernel(name: str) -> torch.Tensor:
    """One of `KERNELS` as a float32 tensor (3, 3)."""
    if name not in KERNELS:
        raise ValueError(f"there is no kernel {name!r}; there are: {', '.join(KERNELS)}")
    return torch.tensor(KERNELS[name], dtype=torch.float32)


def correlate(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """torch's cross-correlation of one grey image: (H, W) and (kh, kw) → (H−kh+1, W−kw+1)."""
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


def filtered(image: torch.Tensor, kernel: torch.Tensor, correlate: Callable = correlate) -> torch.Tensor:
    """`correlate(image, kernel)`, where `correlate` may be a learner's own: what comes back is looked at first.

    Raises
    ------
    ValueError
        If the image or the kernel is not a matrix, the kernel does not fit, or `correlate` returns something else
        than a tensor of the valid part's shape.
    """
    for what, matrix in (("image", image), ("kernel", kernel)):
        if matrix.ndim != 2:
            raise ValueError(
                f"the {what} has shape {tuple(matrix.shape)}; (H, W) is wanted: one grey channel, no batch"
            )
    (height, width), (kh, kw) = image.shape, kernel.shape
    if kh > height or kw > width:
        raise ValueError(f"a {kh}×{kw} kernel does not fit into a {height}×{width} image even once")
    result = correlate(image, kernel)
    wanted = (height - kh + 1, width - kw + 1)
    name = getattr(correlate, "__name__", "correlate")
    if not isinstance(result, torch.Tensor):
        raise ValueError(f"{name} returns a {type(result).__name__}; a tensor of shape {wanted} is wanted")
    if tuple(result.shape) != wanted:
        raise ValueError(f"{name} returns shape {tuple(result.shape)}; the valid part has shape {wanted}")
    return result.detach()
