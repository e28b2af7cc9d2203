"""The explorers of chapter 03: hidden units, activations, learning rate, a computational graph, depth."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import lru_cache

import torch

from utils import neural, show
from utils.explore.explorer import Explorer
from utils.explore.filters import told
from utils.explore.layers import slider
from utils.show import Picture
from utils.show.computation import graph_steps


def menu(description: str, options: Sequence, value, width: int = 250):
    """A drop-down menu, as wide as a slider."""
    import ipywidgets

    layout, style = ipywidgets.Layout(width=f"{width}px"), {"description_width": "72px"}
    return ipywidgets.Dropdown(options=options, value=value, description=description, layout=layout, style=style)


def hidden_units() -> Explorer:
    """The three hard cases, and a network with one hidden layer: how many units does each case need?"""
    return Explorer(
        draw_regions,
        {
            "case": menu("case", list(neural.CASES), "quadrants"),
            "units": slider("units", 2, 0, 32),
            "activation": menu("activation", list(neural.ACTIVATIONS), "ReLU"),
            "seed": slider("start", 0, 0, 9),
        },
    )


@lru_cache(maxsize=256)  # a slider that goes back shows again what it showed
def draw_regions(case: str, units: int, activation: str, seed: int) -> Picture:
    """A network trained on 400 points, its regions, and its accuracy on 1,000 others; 0 units make it linear."""
    x, y = neural.points(case)
    net = neural.separate(x, y, [units] if units else [], activation, seed=seed)
    fresh = neural.accuracy(net, *neural.points(case, 1000, seed=1))
    size = f"{units} hidden units, {activation}" if units else "no hidden layer"
    return show.regions({f"{case}, {size}: {fresh:.0%} of new points right": (net, x, y)}, size=5.0)


def activations() -> Explorer:
    """Each activation with its derivative, a tangent to move along it, and the number a that some leave open."""
    import ipywidgets

    form = {"layout": ipywidgets.Layout(width="250px"), "style": {"description_width": "72px"}}
    return Explorer(
        show.activation,
        {
            "name": menu("activation", list(show.neural.CURVES), "sigmoid"),
            "at": ipywidgets.FloatSlider(1.0, min=-6, max=6, step=0.1, description="x", **form),
            "a": ipywidgets.FloatSlider(0.1, min=0, max=2, step=0.05, description="a", **form),
        },
        columns=3,
    )


def learning_rate(
    landscapes: dict[str, neural.Landscape], start: Sequence[float] = (-2.0, 2.0), lr: float = 0.1
) -> Explorer:
    """Gradient descent on real loss surfaces: how far a step goes, and how many points each step looks at.

    Parameters
    ----------
    landscapes : the surfaces to choose from, by name
    start : w and b
    lr : the learning rate to begin with
    """
    import ipywidgets

    name, *_ = landscapes
    count = len(landscapes[name].x)
    style = {"description_width": "72px"}
    rate = ipywidgets.FloatLogSlider(lr, base=10, min=-2, max=2, step=0.05, description="lr", style=style)
    sizes = [("all points", 0), *((f"{n}", n) for n in (64, 16, 4, 1) if n < count)]

    def draw(surface: str, lr: float, batch_size: int, steps: int) -> Picture:
        path = neural.descend(landscapes[surface], start, lr, steps, batch_size)
        lost = " It has left for infinity." if len(path) <= steps else ""
        return show.descent(landscapes[surface], path, f"{surface}, lr = {lr:.3g}.{lost}")

    controls = {
        "surface": menu("loss", list(landscapes), name),
        "lr": rate,
        "batch_size": menu("batch", sizes, 0),
        "steps": slider("steps", 30, 1, 100),
    }
    return Explorer(draw, controls)


def graph(formula: str, **values: float) -> Explorer:
    """A computational graph, gate by gate, forward and back; the formula can be edited.

    Parameters
    ----------
    formula : as `show.graph` takes it
    values : of the names that a formula may use
    """
    import ipywidgets

    wide = ipywidgets.Layout(width="420px")
    text = ipywidgets.Text(formula, description="formula", continuous_update=False, layout=wide)
    step = slider("step", 0, 0, graph_steps(formula, values), width=420)

    def fit(change) -> None:
        with contextlib.suppress(ValueError):  # what cannot be drawn says so below
            step.max = graph_steps(change.new, values)

    text.observe(fit, names="value")

    def draw(formula: str, step: int) -> Picture | str:
        return told(lambda: show.graph(formula, step, **values))

    return Explorer(draw, {"formula": text, "step": step}, columns=1)


def depth() -> Explorer:
    """The gradient of the first layer in ever deeper networks: activation and size of the weights."""
    import ipywidgets

    style = {"description_width": "72px"}
    gain = ipywidgets.FloatSlider(1.0, min=0.2, max=3, step=0.1, description="gain", style=style)
    return Explorer(draw_depth, {"activation": menu("activation", list(neural.ACTIVATIONS), "sigmoid"), "gain": gain})


@lru_cache(maxsize=256)
def draw_depth(activation: str, gain: float, depths: Sequence[int] = (1, 2, 5, 10, 20, 30), seeds: int = 3) -> Picture:
    """How large the first layer's gradient is, for networks of each depth, over some seeds."""
    sizes = torch.tensor(
        [[neural.gradient_sizes(d, activation, gain, seed=s)[0].item() for d in depths] for s in range(seeds)]
    )
    first, last = sizes.log10().mean(0)[[0, -1]]
    words = f"{activation}, gain {gain:g}"
    ends = f"from 10^{first:.1f} with {depths[0]} hidden layers to 10^{last:.1f} with {depths[-1]}"
    alt = f"Gradient of the first layer against depth, {words}: {ends}."
    return show.over_seeds(depths, {words: sizes}, "hidden layers", "gradient of the first layer", alt)
