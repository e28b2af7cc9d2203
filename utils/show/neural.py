"""Chapter 03's pictures: templates, decision regions, activations, descents, quantities over several seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils import neural
from utils.show.picture import BLUE, DIVERGING, GREEN, ORANGE, PALETTE, PINK, Picture, picture

PALE = ("#CFE3F2", "#F6D9C6", "#C9E9DE", "#F2E0EB", "#FAEBC8")  # of the palette's colours, in their order
MARKERS = "o^sDv"
MOST_LINES = 32  # hidden units whose lines are drawn

# ── Templates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def templates(
    weight: torch.Tensor,
    in_shape: Sequence[int],
    classes: Sequence[str],
    *,
    x: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
) -> Picture:
    """Each row of a linear classifier's weight as a picture; below it, if `x` is given, its products with x.

    Parameters
    ----------
    weight : (classes, C·H·W)
    in_shape : (C, H, W); grey ones are shown with white for zero, coloured ones around grey
    x : one picture (C, H, W), as the classifier sees it
    bias : (classes,), added to the scores
    """
    from matplotlib.figure import Figure

    maps = weight.detach().reshape(len(weight), *in_shape)
    rows = [maps] if x is None else [maps, maps * x]
    scores = None if x is None else rows[1].sum((1, 2, 3)) + (0 if bias is None else bias.detach())
    figure = Figure(figsize=(1.22 * len(weight), 1.5 * len(rows) + (0.2 if x is None else 0.35)), layout="constrained")
    panels = figure.subplots(len(rows), len(weight), squeeze=False)
    for row, line in zip(rows, panels, strict=True):
        for each, axes in zip(row, line, strict=True):
            axes.imshow(**drawn(each, float(row.abs().quantile(0.998))), interpolation="nearest")
            axes.set(xticks=[], yticks=[])
    for axes, name in zip(panels[0], classes, strict=True):
        axes.set_title(name, fontsize=11)
    if x is None:
        return picture(figure, f"The {len(weight)} learned templates, one for each of {', '.join(classes)}.")
    best = int(scores.argmax())
    for k, axes in enumerate(panels[1]):
        axes.set_title(f"{scores[k]:+.1f}".replace("-", "−"), fontsize=11, color=ORANGE if k == best else "black")
    panels[0][0].set_ylabel("template")
    panels[1][0].set_ylabel("× picture")
    told = ", ".join(f"{name} {score:.1f}" for name, score in zip(classes, scores.tolist(), strict=True))
    return picture(figure, f"Templates, and their products with a picture. Scores: {told}. Largest: {classes[best]}.")


def drawn(values: torch.Tensor, largest: float) -> dict:
    """A signed map (C, H, W) as imshow wants it: one channel with its colours, or three around grey."""
    if len(values) == 1:
        return {"X": values[0].numpy(), "cmap": DIVERGING, "vmin": -largest, "vmax": largest}
    return {"X": (values / float(values.abs().max()) / 2 + 0.5).permute(1, 2, 0).numpy()}


# ── Decision regions ─────────────────────────────────────────────────────────────────────────────────────────────────


def regions(panels: dict[str, tuple], *, lines: bool = True, columns: int = 0, size: float = 3.6) -> Picture:
    """Which class a network gives to each point of the plane, with the points it is to tell apart.

    Parameters
    ----------
    panels : dict of title -> (net, x, y); net takes (N, 2) and gives scores (N, classes)
    lines : also draw where each unit of the first hidden layer changes its sign; for a linear classifier of three or
        more classes, where each score is 0, with an arrow to the side on which it is positive
    columns : panels in a row; 0 puts all into one
    size : width of a panel, in inches
    """
    from matplotlib.figure import Figure

    columns = columns or len(panels)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(size * columns, (size + 0.15) * rows), layout="constrained")
    told = []
    for axes, (title, (net, x, y)) in zip(figure.subplots(rows, columns, squeeze=False).flat, panels.items()):  # noqa: B905
        region_panel(axes, net, x, y, lines)
        axes.set_title(title, fontsize=11)
        told.append(f"{title}: {neural.accuracy(net, x, y):.0%} of the points lie in a region of their class")
    return picture(figure, f"Decision regions in the plane. {'; '.join(told)}.")


@torch.no_grad()
def region_panel(axes, net: nn.Module, x: torch.Tensor, y: torch.Tensor, lines: bool) -> None:
    """One plane: regions as pale colours, points as dark ones with a marker for each class."""
    from matplotlib.colors import ListedColormap

    edge = float(x.abs().max()) * 1.05
    ticks = torch.linspace(-edge, edge, 121, dtype=x.dtype)
    plane = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), 2)  # (121, 121, 2): row x₂, column x₁
    scores = net(plane.view(-1, 2)).view(121, 121, -1)
    field = {"extent": (-edge, edge, -edge, edge), "origin": "lower", "interpolation": "nearest"}
    axes.imshow(scores.argmax(2), cmap=ListedColormap(PALE), vmin=0, vmax=len(PALE) - 1, **field)
    for label, (colour, marker) in enumerate(zip(PALETTE[: int(y.max()) + 1], MARKERS, strict=False)):
        axes.scatter(*x[y == label].T, s=11, color=colour, marker=marker, linewidths=0)
    if lines:
        first = next((layer for layer in net.modules() if isinstance(layer, nn.Linear)), None)
        only = sum(isinstance(layer, nn.Linear) for layer in net.modules()) == 1
        if first is not None and (not only or len(first.weight) > 2):
            draw_lines(axes, first.weight, first.bias, edge, PALETTE if only else None)
    axes.set(xlim=(-edge, edge), ylim=(-edge, edge), xlabel="x₁", ylabel="x₂", aspect="equal")


def draw_lines(axes, weight: torch.Tensor, bias: torch.Tensor, edge: float, colours) -> None:
    """Where w·x + b = 0, for each row of `weight`; with colours also an arrow along w."""
    for k, (w, b) in enumerate(zip(weight[:MOST_LINES], bias, strict=False)):
        norm = float(w.norm()) or 1.0
        foot = (-b * w / norm**2).tolist()  # the point of the line that is closest to the origin
        along = [-float(w[1]) / norm, float(w[0]) / norm]
        ends = [[f + s * 4 * edge * a for s in (-1, 1)] for f, a in zip(foot, along, strict=True)]
        style = {"color": "#555555", "linewidth": 0.9} if colours is None else {"color": colours[k], "linewidth": 2}
        axes.plot(*ends, linestyle="--" if colours is None else "-", **style)
        if colours is not None:
            tip = [f + float(v) / norm * edge / 4 for f, v in zip(foot, w, strict=True)]
            axes.annotate("", tip, foot, arrowprops={"arrowstyle": "-|>", "color": colours[k], "linewidth": 2})


# ── Activations ──────────────────────────────────────────────────────────────────────────────────────────────────────

# name → formula, function of x and of the number a that some of them leave open
CURVES = {
    "sigmoid": ("1 / (1 + e⁻ˣ)", lambda x, a: torch.sigmoid(x)),
    "tanh": ("(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", lambda x, a: torch.tanh(x)),
    "ReLU": ("max(0, x)", lambda x, a: F.relu(x)),
    "Leaky ReLU": ("max(a·x, x)", lambda x, a: F.leaky_relu(x, a)),
    "Maxout": ("max(x, −a·x − 1)", lambda x, a: torch.maximum(x, -a * x - 1)),
    "ELU": ("x, or a·(eˣ − 1) below 0", lambda x, a: F.elu(x, a)),
}
OPEN = {"Leaky ReLU": 0.1, "Maxout": 0.5, "ELU": 1.0}  # the usual a, where there is one


def value_and_slope(name: str, x: torch.Tensor, a: float) -> tuple[torch.Tensor, torch.Tensor]:
    """An activation and, from autograd, its derivative."""
    neural.known("activation", name, CURVES)
    x = x.detach().double().requires_grad_()
    y = CURVES[name][1](x, a)
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]


def activations() -> Picture:
    """All six activations of the chapter, each with its derivative."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 4.9), layout="constrained")
    x = torch.linspace(-4, 4, 321)
    for axes, name in zip(figure.subplots(2, 3, sharex=True, sharey=True).flat, CURVES, strict=True):
        y, slope = value_and_slope(name, x, OPEN.get(name, 0.0))
        axes.plot(x, y, color=BLUE, linewidth=2, label="f(x)")
        axes.plot(x, slope, color=ORANGE, linestyle="--", label="f′(x)")
        chosen = f", a = {OPEN[name]:g}" if name in OPEN else ""
        axes.set_title(f"{name}: {CURVES[name][0]}{chosen}", fontsize=10)
        axes.set(ylim=(-1.6, 2.6))
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False, loc="upper left")
    figure.supxlabel("x", fontsize=10)
    return picture(figure, f"Six activations with their derivatives from −4 to 4: {', '.join(CURVES)}.")


def activation(name: str, at: float = 1.0, a: float = 0.1) -> Picture:
    """One activation with its tangent at a point, and its derivative.

    Parameters
    ----------
    at : where the tangent touches, from −6 to 6
    a : the slope, or α, of those that leave one open
    """
    from matplotlib.figure import Figure

    x = torch.linspace(-6, 6, 481, dtype=torch.float64)
    y, slope = value_and_slope(name, x, a)
    (value,), (steep,) = value_and_slope(name, torch.tensor([at]), a)
    figure = Figure(figsize=(9.5, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(x, y, color=BLUE, linewidth=2)
    left.plot(x, value + steep * (x - at), color=ORANGE, linestyle="--")
    left.plot(at, value, "o", color=ORANGE)
    left.set_title(f"{name}: {CURVES[name][0]}", fontsize=11)
    right.plot(x, slope, color=ORANGE, linewidth=2)
    right.plot(at, steep, "o", color=ORANGE)
    right.set_title(f"derivative; at {at:g} it is {steep:.3g}".replace("-", "−"), fontsize=11)
    low, high = min(float(y.min()), -1.2), max(float(y.max()), 1.4)
    left.set(xlabel="x", ylabel="f(x)", ylim=(max(low, -6.5), min(high, 6.5)))
    right.set(
        xlabel="x", ylabel="f′(x)", ylim=(min(-0.1, float(slope.min()) - 0.1), max(1.1, float(slope.max()) + 0.1))
    )
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return picture(figure, f"{name} and its derivative. At x = {at:g} the value is {value:.3g}, the slope {steep:.3g}.")


# ── Descents ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def descent(landscape: neural.Landscape, path: torch.Tensor, title: str = "") -> Picture:
    """The way of a descent on the loss surface over w and b, and the loss along it.

    Parameters
    ----------
    path : (steps + 1, 2), as `neural.descend` gives it
    """
    from matplotlib.figure import Figure

    lowest = neural.lowest(landscape)
    reach = (path[0] - lowest).abs().clamp(min=1.0) * 1.5
    w, b = (
        torch.linspace(float(m - r), float(m + r), 81, dtype=torch.float64) for m, r in zip(lowest, reach, strict=True)
    )
    surface = landscape.loss(torch.stack(torch.meshgrid(w, b, indexing="xy"), 2))  # (81, 81): row b, column w
    losses = landscape.loss(path)
    floor = float(landscape.loss(lowest))
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    levels = floor + (float(surface.max()) - floor) * torch.linspace(0, 1, 16) ** 2.2
    left.contourf(w, b, surface, levels=levels, cmap="Greys", alpha=0.75, extend="both")
    left.plot(*path.T, ".-", color=BLUE, linewidth=1.2, markersize=5)
    left.plot(*path[0], "s", color=GREEN, label="start")
    left.plot(*lowest, "*", color=ORANGE, markersize=13, label="minimum")
    left.set(xlabel="w", ylabel="b", xlim=(w[0], w[-1]), ylim=(b[0], b[-1]))
    left.legend(fontsize=9, loc="upper right")
    right.semilogy(losses, ".-", color=BLUE)
    right.axhline(floor, color=ORANGE, linestyle="--", linewidth=1, label=f"minimum {floor:.3g}")
    right.set(xlabel="step", ylabel=f"{landscape.kind} on all points")
    right.legend(fontsize=9)
    right.grid(alpha=0.3)
    figure.suptitle(title, fontsize=11)
    told = (
        f"{len(path) - 1} steps on a loss surface over w and b: the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}"
    )
    return picture(figure, f"{title} {told}; the minimum is {floor:.3g}.")


def fits(landscapes: dict[str, neural.Landscape], xlabel: str) -> Picture:
    """What the best w and b of each loss make of the same data: the fitted curve, and where it crosses a half.

    Parameters
    ----------
    landscapes : by name; the points of the first are drawn, a little scattered, at y = 0 and y = 1
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.2, 3.3), layout="constrained")
    axes = figure.subplots()
    first, *_ = landscapes.values()
    jitter = 0.05 * torch.randn(len(first.x), generator=torch.Generator().manual_seed(0))
    axes.plot(first.x, first.y + jitter, ".", color="#999999", markersize=3)
    told = []
    for (name, landscape), colour, line in zip(
        landscapes.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-."), strict=False
    ):
        edge, y = fitted(landscape)
        axes.plot(
            *y, color=colour, linestyle=line, linewidth=2, label=f"{name}: boundary at {edge:.2f}".replace("-", "−")
        )
        axes.axvline(edge, color=colour, linestyle=line, linewidth=1)
        told.append(f"{name} changes its answer at {edge:.2f}")
    axes.set(xlabel=xlabel, ylabel="answer", ylim=(-0.6, 1.6))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    return picture(figure, f"Points of two classes and what was fitted to them: {'; '.join(told)}.")


def fitted(landscape: neural.Landscape) -> tuple[float, tuple[torch.Tensor, torch.Tensor]]:
    """Where the best fit crosses a half, and its curve."""
    w, b = neural.lowest(landscape)
    x = torch.linspace(float(landscape.x.min()), float(landscape.x.max()), 200, dtype=torch.float64)
    if landscape.kind == "squared error":
        return float((0.5 - b) / w), (x, w * x + b)
    return float(-b / w), (x, torch.sigmoid(w * x + b))


# ── Several seeds ────────────────────────────────────────────────────────────────────────────────────────────────────


def over_seeds(x: Sequence, lines: dict[str, torch.Tensor], xlabel: str, ylabel: str, alt: str) -> Picture:
    """A positive quantity on a logarithmic axis: a line through the seeds' geometric mean, a band from least to most.

    Parameters
    ----------
    lines : dict of name -> (seeds, len(x))
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.2, 3.8), layout="constrained")
    axes = figure.subplots()
    for (name, values), colour, marker in zip(
        lines.items(), (BLUE, ORANGE, GREEN, PINK, "#000000"), "os^Dv", strict=False
    ):
        values = np.maximum(np.asarray(values, dtype=float), 1e-300)  # a logarithmic axis has no 0
        axes.plot(x, np.exp(np.log(values).mean(0)), color=colour, marker=marker, markersize=4, label=name)
        axes.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, high / 1e3), high)  # at least three decades: what hardly changes looks level
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(figure, alt)
