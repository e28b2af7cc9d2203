"""Textures and styles by Gram matrices: pixels are changed until a network's maps go together as in a model picture.

    net = style.network()                                          # the course's own; or style.network("vgg19")
    steps = style.restyle(net, content, model, gram, weight=100)   # pictures on the way

A Gram matrix says which maps of a layer answer in the same places, and forgets where that is.

Source: Gatys, Ecker, Bethge, Image Style Transfer Using Convolutional Neural Networks, 2016
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from utils import models

Gram = Callable[[torch.Tensor], torch.Tensor]
NAMES = ("cifar10_small", "cifar10_other", "squeezenet1_1", "vgg16", "vgg19")
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def network(name: str = "cifar10_small") -> nn.Module:
    """The convolutions of a trained network, frozen: pictures (B, 3, H, W) in [0, 1] of any size go in.

    Where it takes the maximum of four pixels, the mean stands here: the gradient reaches all four.

    Parameters
    ----------
    name : "cifar10_small" or "cifar10_other", small ones that come with the course; or torchvision's "squeezenet1_1"
        (5 MB), "vgg16" or "vgg19" (about 550 MB each), trained on ImageNet, which are fetched when first asked for

    Raises
    ------
    ValueError
        If it has another name.
    RuntimeError
        If the weights cannot be fetched.
    """
    if name not in NAMES:
        raise ValueError(f"no network is called {name!r}; there are: {', '.join(NAMES)}.")
    if name.startswith("cifar10"):
        layers = list(models.shipped(name)[0])
        layers = layers[: next(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten))]
    else:
        layers = [models.Standardise(*IMAGENET), *pretrained(name).features]
    smooth = [nn.AvgPool2d(p.kernel_size, p.stride) if isinstance(p, nn.MaxPool2d) else p for p in layers]
    return nn.Sequential(*smooth).eval().requires_grad_(False)


def pretrained(name: str) -> nn.Module:
    """torchvision's network with its ImageNet weights, or a RuntimeError that says why not."""
    if os.environ.get("CNN_COURSE_OFFLINE", "0").strip() not in ("", "0"):
        raise RuntimeError(f"CNN_COURSE_OFFLINE forbids fetching the weights of {name}; use style.network() instead.")
    import torchvision

    try:
        return torchvision.models.get_model(name, weights="IMAGENET1K_V1", progress=False)
    except OSError as error:
        raise RuntimeError(f"the weights of {name} could not be fetched ({error}); use style.network().") from error


def maps(net: nn.Module, x: torch.Tensor, layers: Sequence[int] | None = None) -> list[torch.Tensor]:
    """The answers of a network's activations (ReLU, GELU) to pictures (B, 3, H, W), in order of use.

    Parameters
    ----------
    layers : which of them, counted from 0; None: all
    """
    found: list[torch.Tensor] = []
    parts = [part for part in net.modules() if isinstance(part, nn.ReLU | nn.GELU)]
    for part in parts:
        if isinstance(part, nn.ReLU):
            part.inplace = False  # what was kept would be overwritten
    hooks = [part.register_forward_hook(lambda _, given, answer: found.append(answer)) for part in parts]
    try:
        net(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found if layers is None else [found[i] for i in layers]


def correlations(x: torch.Tensor) -> torch.Tensor:
    """Gram matrices of maps (B, C, H, W) by torch's convolution: each map slid over each other, at the one place where
    it fits. (B, C, C), the mean over C · H · W."""
    return torch.stack([F.conv2d(one[:, None], one[:, None])[:, :, 0, 0] for one in x]) / x[0].numel()


def distance(found: list[torch.Tensor], wanted: list[torch.Tensor]) -> torch.Tensor:
    """How far Gram matrices are from those wanted: for each layer the squared difference, in parts of the wanted."""
    parts = [(a - b).square().sum() / b.square().sum() for a, b in zip(found, wanted, strict=True)]
    return sum(parts) / len(parts)


def restyle(
    net: nn.Module,
    content: torch.Tensor | None,
    model: torch.Tensor,
    gram: Gram = correlations,
    *,
    weight: float = 1.0,
    content_layer: int = 1,
    steps: int = 60,
    keep: int = 4,
    seed: int = 0,
) -> dict[str, list]:
    """Change a picture step by step until its Gram matrices are those of `model` (3, H, W) and its maps `content`'s.

    The Gram matrices are those of every activation and of the pixels themselves. Steps are L-BFGS's.

    Parameters
    ----------
    content : (3, H, W) in [0, 1], where it begins and what it is to keep showing; None: noise, texture alone
    gram : maps (B, C, H, W) → (B, C, C): your own
    weight : of style, against content; without content it does not matter
    content_layer : whose maps are to stay, counted from 0
    keep : how many pictures on the way are returned

    Returns
    -------
    dict: "steps", "pictures" (3, H, W) after these steps, and "style" and "content", how far it is from each then
    """

    def everything(picture: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        found = maps(net, picture[None])
        return [gram(each) for each in (picture[None], *found)], found[content_layer]

    with torch.no_grad():
        wanted, _ = everything(model)
        kept = None if content is None else everything(content)[1]
    picture = start(content, model, seed).requires_grad_()
    each = max(steps // keep, 1)
    optimizer = torch.optim.LBFGS([picture], max_iter=each, history_size=20, line_search_fn="strong_wolfe")

    def away() -> tuple[torch.Tensor, torch.Tensor]:
        grams, shown = everything(picture)
        style = distance(grams, wanted)
        return style, style * 0 if kept is None else F.mse_loss(shown, kept) / kept.square().mean()

    def closure() -> torch.Tensor:
        style, lost = away()
        outside = (picture - picture.clamp(0, 1)).square().mean()  # a picture has no pixels below 0 or above 1
        optimizer.zero_grad()
        loss = (style if kept is None else lost + weight * style) + 5 * outside
        loss.backward()
        return loss

    found: dict[str, list]
    found = {"steps": [each * (i + 1) for i in range(keep)], "pictures": [], "style": [], "content": []}
    for _ in range(keep):
        optimizer.step(closure)
        style, lost = (value.item() for value in away())
        found["pictures"].append(picture.detach().clamp(0, 1))
        found["style"].append(style)
        found["content"].append(lost)
    return found


def start(content: torch.Tensor | None, model: torch.Tensor, seed: int) -> torch.Tensor:
    """Where it begins: the content with a little noise, or noise around the mean colour of the model."""
    noise = torch.randn(model.shape, generator=torch.Generator().manual_seed(seed))
    middle, much = (model.mean((1, 2), keepdim=True), 0.1) if content is None else (content, 0.02)
    return middle + much * noise
