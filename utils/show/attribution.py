"""Where a network looks: attribution maps over their pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from utils import evaluation
from utils.data.batches import as_pictures
from utils.failure import attribution
from utils.show.picture import Picture
from utils.show.sheet import Sheet
from utils.show.tiles import pixels

SIDE, GAP, LINE = 112, 10, 18  # pixels: of a picture, between two, a line of words


def attributions(
    net: nn.Module,
    x: torch.Tensor,
    classes: Sequence[str],
    *,
    labels: torch.Tensor | None = None,
    ways: Sequence[str] = attribution.WAYS,
    layer: nn.Module | None = None,
) -> Picture:
    """Pictures in a row each: the picture, and what speaks for a class in it, by each way of asking.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, 3, H, W); at most some ten
    classes : their names
    labels : (N,), the classes asked about; default: the network's own answers
    ways : of `utils.failure.attribution.WAYS`
    layer : for Grad-CAM; default: the last convolution
    """
    if not 0 < len(x) <= 12:
        raise ValueError(f"{len(x)} pictures: 1 to 12 can be shown. Take a part of them, as in x[:4].")
    probabilities = evaluation.logits(net, x).softmax(1)
    labels = probabilities.argmax(1) if labels is None else labels
    maps = {way: attribution.attribute(net, x, labels, way, layer) for way in ways}
    sheet = Sheet(GAP + (1 + len(ways)) * (SIDE + GAP), 24 + len(x) * (SIDE + LINE + GAP))
    for column, title in enumerate(("picture", *ways)):
        sheet.text(GAP + column * (SIDE + GAP) + SIDE / 2, 13, title, 13)
    words = []
    for i, picture in enumerate(x):
        top, label = 24 + i * (SIDE + LINE + GAP), int(labels[i])
        words.append(f"{classes[label]} {probabilities[i, label]:.0%}")
        sheet.image(GAP, top, pixels(picture), SIDE, SIDE)
        sheet.text(GAP + SIDE / 2, top + SIDE + LINE / 2, words[-1], 12)
        for column, found in enumerate(maps.values(), start=1):
            sheet.image(GAP + column * (SIDE + GAP), top, heat(picture, found[i]), SIDE, SIDE)
    asked = ", ".join(words)
    return sheet.picture(f"{', '.join(ways)} for {len(x)} pictures, asked about: {asked}. {place(maps)}")


def heat(picture: torch.Tensor, found: torch.Tensor) -> np.ndarray:
    """The picture in pale grey, uint8 (H, W, 3), and over it what speaks for the class; brighter is more."""
    from matplotlib import colormaps

    size = found.clamp(min=0)
    size = size / (size.max() if float(size.max()) > 0 else 1)
    colours = torch.from_numpy(colormaps["inferno"](size.numpy())[..., :3]).float()  # black for nothing
    grey = as_pictures(picture).mean(0)[..., None].expand(-1, -1, 3)
    strength = 0.35 + 0.65 * size[..., None]
    return ((strength * colours + (1 - strength) * grey) * 255).round().to(torch.uint8).numpy()


def place(maps: dict[str, torch.Tensor]) -> str:
    """In words: how much of each map lies in the middle of its picture."""
    said = []
    for way, found in maps.items():
        H, W = found.shape[1:]
        middle = torch.zeros(H, W, dtype=torch.bool)
        middle[H // 4 : H - H // 4, W // 4 : W - W // 4] = True
        inside = attribution.share(found, middle.expand(len(found), -1, -1)).nanmean()
        said.append(f"{way} {inside:.0%}")
    return f"In the middle quarter of the pictures lie: {', '.join(said)}."
