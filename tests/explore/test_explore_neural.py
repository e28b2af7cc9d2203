"""Chapter 03's explorers: every control changes the picture."""

import pytest
import torch

from utils import explore, neural, show

X = torch.linspace(-2, 2, 40, dtype=torch.float64)
SURFACES = {
    "squared error": neural.Landscape(X, (X > 0.2).long(), "squared error"),
    "cross-entropy": neural.Landscape(X, (torch.sin(5 * X) > 0).long()),
}


def live(explorer):
    explorer.widget  # noqa: B018  the controls are wired when the widget is first asked for
    return explorer


def changes(explorer, name, value):
    """Whether setting a control draws another picture."""
    before = explorer.picture
    explorer.controls[name].value = value
    return explorer.picture != before


def test_hidden_units_follow_case_units_activation_and_start(monkeypatch):
    train, asked = neural.separate, []
    monkeypatch.setattr(
        neural, "separate", lambda *a, **k: (asked.append(a[2:] + tuple(k.values())), train(*a, steps=2))[1]
    )
    explore.neural.draw_regions.cache_clear()
    explorer = live(explore.hidden_units())
    assert asked == [([2], "ReLU", 0)] and "quadrants, 2 hidden units, ReLU" in explorer.picture.alt
    for name, value in {"case": "ring", "units": 0, "activation": "tanh", "seed": 3}.items():
        explorer.controls[name].value = value
    assert asked[-1] == ([], "tanh", 3) and "ring, no hidden layer" in explorer.picture.alt
    count = len(asked)
    explorer.controls["seed"].value = 0
    assert len(asked) == count  # seen before, shown at once
    explore.neural.draw_regions.cache_clear()


def test_the_accuracy_told_is_that_of_points_nobody_learned_from():
    x, y = neural.points("quadrants", 1000, seed=1)
    net = neural.separate(*neural.points("quadrants"), [2])
    explore.neural.draw_regions.cache_clear()
    assert f": {neural.accuracy(net, x, y):.0%} of new points right" in explore.hidden_units().picture.alt


def test_activations_follow_name_place_and_slope():
    explorer = live(explore.activations())
    assert explorer.picture == show.activation("sigmoid", 1.0, 0.1)
    assert changes(explorer, "name", "Leaky ReLU") and changes(explorer, "at", -2.0) and changes(explorer, "a", 0.5)
    assert "the value is -1, the slope 0.5" in explorer.picture.alt


def test_the_learning_rate_explorer_descends():
    explorer = live(explore.learning_rate(SURFACES))
    path = neural.descend(SURFACES["squared error"], (-2.0, 2.0), 0.1, 30)
    assert explorer.picture == show.descent(SURFACES["squared error"], path, "squared error, lr = 0.1.")
    assert changes(explorer, "steps", 10) and changes(explorer, "batch_size", 4)
    assert changes(explorer, "surface", "cross-entropy") and changes(explorer, "lr", 0.5)
    explorer.controls["batch_size"].value = 0
    explorer.controls["steps"].value = 60
    assert changes(explorer, "surface", "squared error") and changes(explorer, "lr", 50.0)
    assert "It has left for infinity" in explorer.picture.alt
    assert ("64", 64) not in explorer.controls["batch_size"].options  # there are only 40 points


def test_the_graph_steps_and_takes_another_formula():
    explorer = live(explore.graph("x * y", x=2.0, y=-3.0))
    step = explorer.controls["step"]
    assert step.max == 3 and "The inputs are there" in explorer.picture.alt
    assert changes(explorer, "step", 3) and "x = 2, gradient −3" in explorer.picture.alt
    assert changes(explorer, "formula", "sigmoid(x * y) + x") and step.max == 7
    assert changes(explorer, "formula", "x * nobody") and "nobody has no value" in explorer.picture
    assert step.max == 7
    assert changes(explorer, "formula", "x + y") and step.max == step.value == 3


def test_depth_follows_activation_and_gain(monkeypatch):
    draw = explore.neural.draw_depth
    monkeypatch.setattr(explore.neural, "draw_depth", lambda **k: draw(**k, depths=(1, 4), seeds=2))
    explorer = live(explore.depth())
    assert "sigmoid, gain 1" in explorer.picture.alt
    assert changes(explorer, "activation", "ReLU") and changes(explorer, "gain", 2.0)
    first, last = (
        torch.stack([neural.gradient_sizes(d, "ReLU", 2.0, seed=s)[0] for s in range(2)]).log10().mean() for d in (1, 4)
    )
    assert explorer.picture.alt.endswith(f"from 10^{first:.1f} with 1 hidden layers to 10^{last:.1f} with 4.")


def test_a_formula_that_cannot_be_drawn_is_refused_at_once():
    with pytest.raises(ValueError, match="is not a complete formula"):
        explore.graph("x +", x=1.0)
