"""Which pixels an answer depends on: three ways of asking, through Captum, and how much of it falls on a region.

maps = attribution.attribute(net, x, labels, "Grad-CAM", net.features[1])      # (N, H, W)
attribution.share(maps, planted.ground())                                      # (N,): how much of it is background
"""

from __future__ import annotations

import torch
from torch import nn

from utils import evaluation
from utils.data.batches import as_pictures

WAYS = ("saliency", "Grad-CAM", "occlusion")


def attribute(net: nn.Module, x: torch.Tensor, labels: torch.Tensor, way: str, layer: nn.Module | None = None):
    """How much each pixel speaks for the class `labels`, in one of the `WAYS`.

    Parameters
    ----------
    net : pictures (N, 3, H, W) in [0, 1] → logits (N, classes)
    x : uint8, or float in [0, 1], (N, 3, H, W)
    labels : int64 (N,): the classes that are asked about
    layer : the one whose maps Grad-CAM weighs; default: the last convolution

    Returns
    -------
    float32 (N, H, W): saliency and Grad-CAM are never negative; occlusion is, where the class gains by hiding a pixel

    Sources: Simonyan, Vedaldi, Zisserman 2013 (saliency); Selvaraju et al. 2017 (Grad-CAM); Zeiler, Fergus 2014
    (occlusion)
    """
    from captum.attr import LayerAttribution, LayerGradCam, Occlusion, Saliency

    if way not in WAYS:
        raise ValueError(f"an attribution is one of {', '.join(WAYS)}; you gave {way!r}.")
    evaluation.check_pictures(x)
    layer = layer or [part for part in net.modules() if isinstance(part, nn.Conv2d)][-1]
    x, training = as_pictures(x).clone(), net.training
    net.eval()
    try:
        if way == "saliency":
            found = Saliency(net).attribute(x.requires_grad_(), labels).amax(dim=1)  # (N, 3, H, W) → (N, H, W)
        elif way == "Grad-CAM":
            coarse = LayerGradCam(net, layer).attribute(x, labels, relu_attributions=True)  # (N, 1, h, w)
            found = LayerAttribution.interpolate(coarse, tuple(x.shape[2:]), "bilinear")[:, 0]
        else:
            side, grey = max(x.shape[-1] // 5, 1), x.mean(dim=(2, 3), keepdim=True)
            window = {"sliding_window_shapes": (3, side, side), "strides": (3, max(side // 2, 1), max(side // 2, 1))}
            with torch.no_grad():
                ask = Occlusion(net).attribute
                found = ask(x, **window, baselines=grey.expand_as(x), target=labels, perturbations_per_eval=8).mean(1)
    finally:
        net.train(training)
    return found.detach().float()


def share(maps: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """Which part of each map's size lies in the region: float (N,), NaN where a map is empty.

    Parameters
    ----------
    maps : (N, H, W); signs do not count
    region : bool (N, 1, H, W) or (N, H, W)
    """
    if region.shape[-2:] != maps.shape[-2:] or region.shape[0] != len(maps):
        raise ValueError(f"a region for each map expected; maps {tuple(maps.shape)}, regions {tuple(region.shape)}.")
    sizes = maps.abs()
    return (sizes * region.view_as(maps)).sum((1, 2)) / sizes.sum((1, 2))
