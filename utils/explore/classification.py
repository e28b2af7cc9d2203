"""The explorers of chapter 05: a confusion matrix that opens its pictures, and feature maps layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from utils import evaluation, show
from utils.explore.explorer import Explorer
from utils.explore.filters import told
from utils.show import Picture


def confusion(
    y: torch.Tensor,
    logits: torch.Tensor,
    x: torch.Tensor,
    classes: Sequence[str],
    start: tuple[int, int] | None = None,
    *,
    n: int = 24,
) -> Explorer:
    """Press a cell of the confusion matrix and see the pictures in it, with the two best guesses for each.

    Parameters
    ----------
    y : labels (N,)
    logits : (N, classes), as `evaluation.logits(model, x)` gives them
    x : the pictures, uint8, or float in [0, 1], (N, C, H, W)
    classes : at most twenty names
    start : (actual, guessed), the labels of the cell that is open at first; the most frequent mistake if not given
    n : how many pictures are shown at most
    """
    if len(classes) > 20:
        raise ValueError(f"{len(classes)} classes make too many buttons; look at show.confusion and show.confused.")
    from utils.explore.matrix import ConfusionMatrix

    matrix = evaluation.confusion(y, logits, classes)

    def draw(cell: tuple[int, int]) -> Picture | str:
        return told(lambda: show.confused(x, y, logits, classes, *cell, n=n))

    start = evaluation.most_frequent_mistake(matrix) if start is None else start
    return Explorer(draw, {"cell": ConfusionMatrix(matrix.tolist(), classes, start)}, columns=1)


def feature_maps(model: nn.Module, x: torch.Tensor, *, n: int = 24) -> Explorer:
    """Choose a picture and a layer, and see the maps with which the layer answers.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, C, H, W): the pictures to choose from
    n : how many maps are shown at most, the strongest first
    """
    import ipywidgets

    evaluation.check_pictures(x)
    layers = list(evaluation.feature_maps(model, x[0]))
    if not layers:
        raise ValueError("no layer of this network answers with maps (B, C, H, W); a dense layer has none to show.")
    parts = dict(model.named_modules())
    controls = {
        "picture": ipywidgets.IntSlider(0, 0, max(len(x) - 1, 1), description="picture"),
        "layer": ipywidgets.Dropdown(
            options=[(f"{name}  {type(parts[name]).__name__}", name) for name in layers], description="layer"
        ),
    }

    def draw(picture: int, layer: str) -> Picture | str:
        return told(lambda: show.feature_maps(model, x[min(picture, len(x) - 1)], [layer], n))

    return Explorer(draw, controls)
