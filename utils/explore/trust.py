"""Chapter 10's explorers of trust: where a network looks, and what a temperature does to its confidence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from utils import evaluation
from utils.explore.explorer import Explorer
from utils.explore.filters import told
from utils.show import Picture
from utils.show import attribution as drawn
from utils.show.calibration import reliability

OWN = -1  # in the menu of classes: whatever the network itself answers


def attributions(nets: dict[str, nn.Module], x: torch.Tensor, classes: Sequence[str], depth: int = 1) -> Explorer:
    """Choose a picture, a network and a class, and see which pixels speak for it, in three ways.

    Parameters
    ----------
    nets : networks by name, each with `features` as `models.FastCNN` has them
    x : uint8, or float in [0, 1], (N, 3, H, W): the pictures to choose from
    depth : of the block whose maps Grad-CAM weighs: 0 is fine, the last one coarse
    """
    import ipywidgets

    evaluation.check_pictures(x)
    narrow = {"layout": ipywidgets.Layout(width="222px"), "style": {"description_width": "70px"}}
    asked = [("its own answer", OWN), *((name, label) for label, name in enumerate(classes))]
    controls = {
        "picture": ipywidgets.IntSlider(0, 0, max(len(x) - 1, 1), description="picture", **narrow),
        "network": ipywidgets.Dropdown(options=list(nets), description="network", **narrow),
        "about": ipywidgets.Dropdown(options=asked, description="asked for", **narrow),
    }

    def draw(picture: int, network: str, about: int) -> Picture | str:
        net, one = nets[network], x[min(picture, len(x) - 1)][None]
        labels = None if about == OWN else torch.tensor([about])
        return told(lambda: drawn.attributions(net, one, classes, labels=labels, layer=net.features[depth]))

    return Explorer(draw, controls, columns=3)


def temperature(logits: torch.Tensor, y: torch.Tensor, start: float = 1.0) -> Explorer:
    """Move the temperature and see the reliability diagram follow.

    Parameters
    ----------
    logits, y : (N, classes) and (N,), of validation pictures
    """
    import ipywidgets

    right = (evaluation.predictions(logits) == y).double()
    wide = {"layout": ipywidgets.Layout(width="460px"), "style": {"description_width": "90px"}}
    slider = ipywidgets.FloatLogSlider(
        value=start, min=-1, max=1, step=0.02, description="temperature", readout_format=".2f", **wide
    )

    def draw(temperature: float) -> Picture | str:
        confidence = (logits.double() / temperature).softmax(1).amax(1)
        return told(lambda: reliability({f"T = {temperature:.2f}": (confidence, right)}))

    return Explorer(draw, {"temperature": slider}, columns=1)
