"""What a network has learned: its first filters, its feature maps layer by layer, its features in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from utils import evaluation
from utils.show.picture import PALETTE, Picture, picture
from utils.show.sheet import GREY, Sheet, number, signed_pixels
from utils.show.tiles import pixels

# Okabe and Ito's eight and two of Tol's: with a marker each, ten classes are told apart in any colour vision.
COLOURS = (*PALETTE, "#777777", "#882255", "#F0E442")
MARKERS = "osD^vPX*<h"


def learned_filters(weight: torch.Tensor, *, columns: int = 16, size: int = 48) -> Picture:
    """The filters of a first layer: as colour pictures if they see three channels, as signed maps if they see one.

    Each filter is stretched to its own largest weight; a weight of 0 is middle grey (in a signed map: white).

    Parameters
    ----------
    weight : (filters, 3 or 1, kernel height, kernel width), as in model.features[0].weight
    """
    if isinstance(weight, nn.Module):
        raise TypeError("the filters are the layer's .weight: give that instead of the layer.")
    weight = weight.detach().float().cpu()
    if weight.ndim != 4 or weight.shape[1] not in (1, 3):
        raise ValueError(
            f"filters (filters, 3 or 1, height, width) expected; you gave {tuple(weight.shape)}. "
            "Only filters that look at the picture itself can be shown as pictures."
        )
    count, channels, height, width = weight.shape
    columns, gap = min(columns, count), 8
    step_x, step_y = size * width / height + gap, size + 24
    sheet = Sheet(columns * step_x + gap, -(-count // columns) * step_y + gap)
    for i, one in enumerate(weight):
        x, y = gap + i % columns * step_x, gap + i // columns * step_y
        largest = float(one.abs().max()) or 1.0
        drawn = pixels(0.5 + one / (2 * largest)) if channels == 3 else signed_pixels(one[0], largest)
        sheet.image(x, y, drawn, size * width / height, size)
        sheet.text(x + size * width / height / 2, y + size + 9, str(i), 11, colour=GREY)
    kind = "colour pictures" if channels == 3 else "signed maps, white at zero"
    return sheet.picture(f"{count} filters of {height}×{width} weights as {kind}: {filters_told(weight)}.")


def filters_told(weight: torch.Tensor) -> str:
    """How many of the filters look for colour (their weights differ between channels) and how many for brightness."""
    if weight.shape[1] == 1:
        return f"weights from {number(float(weight.min()))} to {number(float(weight.max()))}"
    grey = weight.mean(1, keepdim=True)
    coloured = ((weight - grey).square().sum((1, 2, 3)) > weight.square().sum((1, 2, 3)) / 2).sum()
    return f"{int(coloured)} look mostly for differences of colour, {len(weight) - int(coloured)} mostly for brightness"


def feature_maps(
    model: nn.Module, picture: torch.Tensor, layers: Sequence[str] | None = None, n: int = 8, *, columns: int = 8
) -> Picture:
    """What each layer makes of one picture: the `n` maps of the layer that answer most strongly.

    Maps without negative values are grey, black is 0 and white the layer's largest value; others are signed, orange
    below zero, violet above, white at zero.

    Parameters
    ----------
    picture : uint8, or float in [0, 1], (C, H, W)
    layers : names of layers, as in `evaluation.feature_maps(model, picture)`; without them, the last layer of each
        stretch between two convolutions or poolings
    """
    maps = evaluation.feature_maps(model, picture)
    if not maps:
        raise ValueError("no layer of this network answers with maps (B, C, H, W); a dense layer has none to show.")
    layers = telling_layers(model, maps) if layers is None else list(layers)
    for name in layers:
        if name not in maps:
            raise ValueError(f"no layer {name!r} answers with maps; those that do: {', '.join(maps)}.")
    parts, tile, gap, head, side = dict(model.named_modules()), 72, 8, 26, 110
    columns = min(columns, n)
    heights = [-(-min(n, len(maps[name])) // columns) * (tile + gap) + head for name in layers]
    sheet = Sheet(side + columns * (tile + gap) + gap, max(sum(heights) + gap, 100 + head))
    sheet.text(gap, 14, "input", 13, "lm")
    sheet.image(gap, head, pixels(picture), 90, 90 * picture.shape[1] / picture.shape[2])
    y = 0.0
    for name, height in zip(layers, heights, strict=True):
        title = f"{name}  {type(parts[name]).__name__}  {'×'.join(map(str, maps[name].shape))}"
        sheet.text(side, y + 14, f"{title}, zeros {zeros(maps[name]):.0%}", 13, "lm")
        draw_maps(sheet, maps[name], n, columns, side, y + head, tile, gap)
        y += height
    told = [f"{name} {'×'.join(map(str, maps[name].shape))}, {zeros(maps[name]):.0%} zeros" for name in layers]
    return sheet.picture(f"A picture and the {n} strongest maps of each layer: {'; '.join(told)}.")


def draw_maps(sheet: Sheet, maps: torch.Tensor, n: int, columns: int, x: float, y: float, tile: int, gap: int) -> None:
    """The `n` maps with the greatest mean magnitude, in rows; each with the number of its channel."""
    strongest = maps.abs().mean((1, 2)).argsort(descending=True, stable=True)[:n]
    largest, signed = float(maps.abs().max()) or 1.0, bool(maps.min() < 0)
    for i, channel in enumerate(strongest.tolist()):
        left, top = x + i % columns * (tile + gap), y + i // columns * (tile + gap)
        one = maps[channel]
        sheet.image(left, top, signed_pixels(one, largest) if signed else pixels(one[None] / largest), tile, tile)
        sheet.box(left, top, tile, tile)
        sheet.box(left, top, 9 * len(str(channel)) + 4, 15, fill="white")
        sheet.text(left + 4, top + 8, str(channel), 11, "lm")


def zeros(maps: torch.Tensor) -> float:
    """The share of exact zeros: what ReLU has cut off."""
    return float((maps == 0).float().mean())


def telling_layers(model: nn.Module, maps: dict[str, torch.Tensor]) -> list[str]:
    """The last layer of each stretch that begins with a convolution or a pooling: after its ReLU, if it has one.

    What only prepares the picture (standardising it) or does nothing in eval mode (dropout) is passed over.
    """
    parts, chosen = dict(model.named_modules()), []
    for name in maps:
        part = parts[name]
        if isinstance(part, nn.Dropout | nn.Dropout1d | nn.Dropout2d):
            continue
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d) or "Pool" in type(part).__name__:
            chosen.append(name)
        elif chosen:
            chosen[-1] = name
    return chosen or list(maps)


def embedding(
    features: torch.Tensor,
    y: torch.Tensor,
    classes: Sequence[str],
    pictures: torch.Tensor | None = None,
    *,
    method: str = "pca",
    seed: int = 0,
) -> Picture:
    """Features of many pictures in two dimensions: each class has a colour, a marker and its name at its middle.

    Parameters
    ----------
    features : (N, …), as `evaluation.features(model, x)` gives them
    y : labels (N,)
    pictures : uint8, or float in [0, 1], (N, C, H, W), optional: shown at their places, where there is room
    method : "pca", the two directions in which the features vary most (their distances mean something), or "tsne",
        which keeps neighbours together (distances between groups mean nothing; some seconds for 1,000 pictures)
    seed : of t-SNE

    Raises
    ------
    ValueError
        If the numbers do not fit together, or if there are more than ten classes.
    """
    from matplotlib.figure import Figure

    y = evaluation.check_labels(y, len(features), len(classes))
    if len(classes) > len(MARKERS):
        raise ValueError(f"{len(classes)} classes: only {len(MARKERS)} can be told apart. Take a part of them.")
    if pictures is not None and len(pictures) != len(features):
        raise ValueError(f"{len(pictures):,} pictures for the features of {len(features):,}: one for each is wanted.")
    points, labels = project(features, method, seed)
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    axes = figure.subplots()
    middles = {}
    for label, name in enumerate(classes):
        of_class = points[(y == label).numpy()]
        if not len(of_class):
            continue
        edge = "#555555" if COLOURS[label] == "#F0E442" else "none"  # yellow alone is too pale on white
        style = {"color": COLOURS[label], "marker": MARKERS[label], "edgecolors": edge, "linewidths": 0.5}
        axes.scatter(*of_class.T, s=22, alpha=0.3 if pictures is not None else 0.7, label=name, **style)
        middles[name] = np.median(of_class, axis=0)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.spines[["top", "right"]].set_visible(False)
    if pictures is not None:
        place_pictures(axes, points, y, pictures)
    place_names(axes, middles)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.6)
    return picture(figure, f"{len(y):,} pictures as points, by {labels[2]}: {neighbours(middles)}.")


def project(features: torch.Tensor, method: str, seed: int) -> tuple[np.ndarray, tuple[str, str, str]]:
    """Points (N, 2), and what to call the two axes and the method."""
    values = torch.as_tensor(features).detach().cpu().flatten(1).double().numpy()
    if len(values) < 3 or values.shape[1] < 2:
        raise ValueError(f"at least 3 pictures and 2 features are needed for a map; here are {values.shape}.")
    from sklearn.decomposition import PCA

    if method == "pca":
        pca = PCA(2, svd_solver="full").fit(values)
        shares = pca.explained_variance_ratio_
        words = [f"principal component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(shares)]
        return pca.transform(values), (*words, f"the two directions of greatest variance ({shares.sum():.0%} of it)")
    if method != "tsne":
        raise ValueError(f'method is "pca" or "tsne"; you gave {method!r}.')
    from sklearn.manifold import TSNE

    few = PCA(min(50, *values.shape), svd_solver="full").fit_transform(values)  # faster, and less noise
    perplexity = min(30.0, (len(few) - 1) / 3)
    points = TSNE(2, init="pca", perplexity=perplexity, random_state=seed).fit_transform(few)
    return points, ("t-SNE, first axis (no unit)", "t-SNE, second axis (no unit)", "t-SNE")


def place_names(axes, middles: dict[str, np.ndarray]) -> None:
    """The name of each class at its middle; names that would overlap are moved apart, upwards and downwards."""
    low, high = axes.get_ylim()
    least, width = (high - low) * 0.05, np.ptp(axes.get_xlim()) * 0.14
    placed = []
    for name, (x, y) in sorted(middles.items(), key=lambda item: item[1][1]):
        while any(abs(x - other_x) < width and abs(y - other_y) < least for other_x, other_y in placed):
            y += least / 4
        placed.append((x, y))
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
        axes.text(x, y, name, ha="center", va="center", fontsize=11, fontweight="bold", bbox=box, zorder=4)


def place_pictures(axes, points: np.ndarray, y: torch.Tensor, pictures: torch.Tensor) -> None:
    """Small pictures at their points, framed in the colour of their class; only where they cover no other."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    spread = np.ptp(points, axis=0)
    placed = np.empty((0, 2))
    for i, point in enumerate(points / np.where(spread > 0, spread, 1)):
        if (np.abs(placed - point) < (0.045, 0.06)).all(1).any():
            continue
        placed = np.vstack([placed, point])
        image = OffsetImage(pixels(pictures[i]), zoom=24 / pictures.shape[-1], cmap="gray", resample=False)
        frame = {"edgecolor": COLOURS[int(y[i])], "linewidth": 2}
        axes.add_artist(AnnotationBbox(image, points[i], pad=0.05, bboxprops=frame, zorder=3))


def neighbours(middles: dict[str, np.ndarray]) -> str:
    """The two classes whose middles are closest, and the one that is farthest from all others, in words."""
    if len(middles) < 3:
        return f"classes {' and '.join(middles)}"
    names, places = list(middles), np.array(list(middles.values()))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    first, second = np.unravel_index(distances.argmin(), distances.shape)
    return f"closest are {names[first]} and {names[second]}, most by itself is {names[distances.min(1).argmax()]}"
