"""The explorers of chapter 06: augmentations by strength, early stopping by patience."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from utils import show
from utils.data import augment as a
from utils.explore.explorer import Explorer
from utils.explore.layers import slider

# What a strength from 0 to 10 means for each.
STRENGTHS: dict[str, Callable[[int], Callable]] = {
    "flip": lambda s: a.Flip(s / 10),
    "vertical flip": lambda s: a.VerticalFlip(s / 10),
    "rotation": lambda s: a.Rotate(18.0 * s),
    "scaling": lambda s: a.Scale(1 / (1 + 0.15 * s), 1 + 0.15 * s),
    "crop": lambda s: a.ResizedCrop(1 - 0.09 * s),
    "translation": lambda s: a.Crop(s),
    "Gaussian noise": lambda s: a.GaussianNoise(0.05 * s),
    "salt and pepper": lambda s: a.SaltPepper(0.05 * s),
    "brightness": lambda s: a.Brightness(0.1 * s),
    "contrast": lambda s: a.Contrast(0.1 * s),
    "saturation": lambda s: a.Saturation(0.1 * s),
}


def augmentation(x: torch.Tensor) -> Explorer:
    """Choose an augmentation, its strength and a picture of `x` (N, C, H, W): when does it stop being what it is?"""
    import ipywidgets

    def draw(kind: str, strength: int, picture: int):
        return show.augmented(x[picture], {kind: STRENGTHS[kind](strength)}, copies=9)

    menu = ipywidgets.Dropdown(options=list(STRENGTHS), value="rotation", description="kind")
    controls = {"kind": menu, "strength": slider("strength", 3, 0, 10)}
    return Explorer(draw, controls | {"picture": slider("picture", 0, 0, len(x) - 1)}, columns=3)


def patience(losses: Sequence[float], early_stopping: Callable) -> Explorer:
    """Move the patience: where would the training have ended, and which epoch would it have kept?

    Parameters
    ----------
    losses : validation losses of a training that was not stopped
    early_stopping : as in exercise 6.1, a function (model, train_epoch, patience, epochs) → the best epoch
    """
    return Explorer(
        lambda patience: draw_patience(losses, early_stopping, patience), {"patience": slider("patience", 3, 1, 12)}
    )


def draw_patience(losses: Sequence[float], early_stopping: Callable, patience: int):
    """Ask the learner's own function, with a model that learns nothing."""
    asked: list[float] = []

    def next_loss(model: nn.Module) -> float:
        asked.append(losses[len(asked)])
        return asked[-1]

    best = int(early_stopping(nn.Linear(1, 1), next_loss, patience, len(losses)))
    return show.stopping(losses, len(asked), best, patience)
