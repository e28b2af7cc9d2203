"""The explorers of chapter 10's first two laboratories: how far a step goes, and what weather and lenses do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from utils import show
from utils.explore.explorer import Explorer
from utils.explore.filters import told
from utils.explore.layers import slider
from utils.show import Picture

Attack = Callable[[nn.Module, torch.Tensor, torch.Tensor, float], torch.Tensor]


def attack(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    classes: Sequence[str],
    step: Attack,
    epsilon: float = 0.005,
) -> Explorer:
    """Choose a picture and an epsilon, and see the picture, what is added to it, and what the network says.

    Parameters
    ----------
    x : float in [0, 1], (N, C, H, W): the pictures to choose from
    y : labels (N,)
    step : your own attack(model, x, y, epsilon) -> pictures
    epsilon : where the slider begins; it goes from 0 to four times that
    """
    import ipywidgets

    controls = {
        "picture": slider("picture", 0, 0, max(len(x) - 1, 1), width=300),
        "epsilon": ipywidgets.FloatSlider(
            value=epsilon,
            min=0,
            max=4 * epsilon,
            step=epsilon / 5,
            description="ε",
            readout_format=".4f",
            layout=ipywidgets.Layout(width="360px"),
        ),
    }

    def draw(picture: int, epsilon: float) -> Picture | str:
        i = min(picture, len(x) - 1)
        one, label = x[i : i + 1], y[i : i + 1]
        return told(
            lambda: show.before_and_after(
                model, one, step(model, one, label, epsilon), label, classes, difference=True, size=150
            )
        )

    return Explorer(draw, controls)


def corruption(model: nn.Module, x: torch.Tensor, y: torch.Tensor, classes: Sequence[str]) -> Explorer:
    """Choose a picture, a corruption and its severity, and see what the network says.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, C, H, W): the pictures to choose from
    y : labels (N,)
    """
    import ipywidgets

    from utils import failure

    controls = {
        "name": ipywidgets.Dropdown(options=list(failure.CORRUPTIONS), description="corruption"),
        "severity": slider("severity", 2, 0, 5),
        "picture": slider("picture", 0, 0, max(len(x) - 1, 1)),
    }

    def draw(name: str, severity: int, picture: int) -> Picture | str:
        i = min(picture, len(x) - 1)
        one, label = x[i : i + 1], y[i : i + 1]
        worse = failure.corrupt(one, name, severity)
        return told(lambda: show.before_and_after(model, one, worse, label, classes, size=150))

    return Explorer(draw, controls, columns=3)
