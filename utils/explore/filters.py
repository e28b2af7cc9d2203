"""The explorers of chapter 01. Each can run on the learner's own function."""

from __future__ import annotations

from collections.abc import Callable

import torch

from utils import filters
from utils.explore.explorer import Explorer
from utils.show import Picture
from utils.show.filters import filtered
from utils.show.matching import detections
from utils.show.stepping import step as drawn_step


def kernel(photo: torch.Tensor, start: str = "Sobel x", *, correlate: Callable = filters.correlate) -> Explorer:
    """Edit a 3×3 kernel and see at once what it makes of a photograph.

    Parameters
    ----------
    photo : tensor (H, W), grey, in [0, 1]; about 200×200 follows every keystroke
    start : one of `utils.filters.KERNELS`
    correlate : callable
        Your own `correlate(image, kernel)` -> the valid part; torch's if none is given. One written with loops
        wants a small photograph.
    """
    from utils.explore.controls import KernelEditor

    filters.kernel(start)  # an unknown name is refused here, with the list of known ones

    def draw(kernel: tuple) -> Picture | str:
        weights = torch.tensor(kernel, dtype=photo.dtype).reshape(3, 3)
        return told(lambda: filtered(photo, weights, correlate=correlate))

    return Explorer(draw, {"kernel": KernelEditor(filters.KERNELS, start)}, columns=1)


def step(image: torch.Tensor, kernel: torch.Tensor, *, correlate: Callable = filters.correlate) -> Explorer:
    """Step a kernel across a small matrix, with the arithmetic of the current position written out.

    Parameters
    ----------
    image : tensor (H, W), at most about 8×8
    kernel : tensor (kh, kw)
    correlate : callable
        Your own; the output is filled in from it, and compared with the sum that is written out.
    """
    from utils.explore.controls import Position

    rows, columns = filters.filtered(image.double(), kernel.double()).shape
    if rows * columns > 100:
        raise ValueError(
            f"an output of {rows}×{columns} is too large to step through; take a corner, as in image[:6, :6]"
        )

    def draw(position: int) -> Picture | str:
        return told(lambda: drawn_step(image, kernel, position, correlate=correlate))

    return Explorer(draw, {"position": Position(rows, columns)}, columns=1)


def threshold(image: torch.Tensor, score: torch.Tensor, boxes: torch.Tensor, start: float | None = None) -> Explorer:
    """Move the threshold of a detector and see what is found, what is missed, precision and recall.

    Parameters
    ----------
    image : tensor (H, W)
    score : tensor (H−h+1, W−w+1), by top left corner
    boxes : int tensor (N, 4): top, left, bottom, right
    start : float, optional; three quarters of the way to the largest score if not given
    """
    import ipywidgets

    top = float(score.max())
    slider = ipywidgets.FloatSlider(
        value=0.75 * top if start is None else start,
        min=0.2 * top,
        max=top,
        step=top / 200,
        description="threshold",
        readout_format=".3g",
        layout=ipywidgets.Layout(width="460px"),
    )
    return Explorer(lambda threshold: detections(image, score, boxes, threshold), {"threshold": slider}, columns=1)


def told(draw: Callable[[], Picture]) -> Picture | str:
    """The picture, or what went wrong in the learner's own function: in a callback an exception would go unseen."""
    try:
        return draw()
    except NotImplementedError:
        return "The function is not finished yet: it raises NotImplementedError."
    except ValueError as error:
        return str(error)
    except Exception as error:
        return f"The function stopped with {type(error).__name__}: {error}"
