"""Chapter 03's pictures: what is drawn is what was computed."""

import matplotlib.axes
import numpy as np
import pytest
import torch
from torch import nn

from utils import neural, show


@pytest.fixture
def drawn(monkeypatch):
    """What the pictures' axes were asked to draw: calls of a method as (args, kwargs)."""
    calls = {}
    for name in ("imshow", "plot", "semilogy", "scatter", "axvline", "annotate", "fill_between"):
        original = getattr(matplotlib.axes.Axes, name)

        def noted(self, *args, original=original, name=name, **kwargs):
            calls.setdefault(name, []).append((args, kwargs))
            return original(self, *args, **kwargs)

        monkeypatch.setattr(matplotlib.axes.Axes, name, noted)
    return calls


def test_each_template_is_shown_and_its_products_add_up_to_the_score(drawn):
    weight = torch.arange(12.0).view(3, 4) - 5
    x = torch.tensor([1.0, 0, 2, 0]).view(1, 2, 2)
    picture = show.templates(weight, (1, 2, 2), ["cat", "dog", "ship"], x=x, bias=torch.tensor([0.0, 1, 20]))
    images = [kwargs["X"] for _, kwargs in drawn["imshow"]]
    assert len(images) == 6 and np.array_equal(images[1], weight[1].view(2, 2))
    assert np.array_equal(images[4], [[-1, 0], [2, 0]])
    assert picture.alt.endswith("Scores: cat -11.0, dog 2.0, ship 33.0. Largest: ship.")
    assert len({kwargs["vmax"] for _, kwargs in drawn["imshow"][:3]}) == 1  # one scale for all templates


def test_coloured_templates_lie_around_grey(drawn):
    show.templates(torch.randn(4, 12), (3, 2, 2), "abcd")
    for _, kwargs in drawn["imshow"]:
        assert kwargs["X"].shape == (2, 2, 3) and kwargs["X"].min() >= 0 and kwargs["X"].max() <= 1


def above(x):
    """Scores of class 0 below and class 1 above the x₁ axis."""
    return torch.stack([-x[:, 1], x[:, 1]], 1)


class Above(nn.Module):
    forward = staticmethod(above)


def test_regions_are_where_the_network_says_and_points_have_the_colour_of_their_label(drawn):
    x = torch.tensor([[0.0, 2], [1, 1], [1, -2], [-1, 2]])
    y = torch.tensor([1, 1, 0, 0])
    picture = show.regions({"upper half": (Above(), x, y)})
    ((field,), _), *_ = drawn["imshow"]
    assert (field[:60] == 0).all() and (field[61:] == 1).all()  # rows from below, as origin="lower"
    points = [np.stack(args).T.tolist() for args, _ in drawn["scatter"]]
    assert points == [x[y == 0].tolist(), x[y == 1].tolist()]
    assert len({kwargs["marker"] for _, kwargs in drawn["scatter"]}) == 2
    assert "upper half: 75% of the points" in picture.alt and "plot" not in drawn


def test_lines_of_hidden_units_and_of_scores(drawn):
    x, y = torch.tensor([[0.0, 2], [1, 1], [1, -2]]), torch.tensor([0, 1, 2])
    hidden = neural.mlp([2, 5, 3])
    show.regions({"hidden": (hidden, x, y)})
    assert len(drawn["plot"]) == 5 and "annotate" not in drawn
    (across, up), _ = drawn["plot"][0]
    on_line = torch.tensor([across, up]).T @ hidden[0].weight[0] + hidden[0].bias[0]
    assert on_line.abs().max() < 1e-4
    show.regions({"hidden": (hidden, x, y)}, lines=False)
    assert len(drawn["plot"]) == 5
    show.regions({"three scores": (neural.mlp([2, 3]), x, y)})
    assert len(drawn["plot"]) == 8 and len(drawn["annotate"]) == 3
    show.regions({"two scores": (neural.mlp([2, 2]), x, y)})  # their border is to be seen anyway
    assert len(drawn["plot"]) == 8


def test_all_activations_are_shown_with_their_derivatives(drawn):
    alt = show.activations().alt
    assert all(name in alt for name in ("sigmoid", "tanh", "ReLU", "Leaky ReLU", "Maxout", "ELU"))
    assert len(drawn["plot"]) == 12
    for (x, y), (_, slope) in zip([a for a, _ in drawn["plot"][::2]], [a for a, _ in drawn["plot"][1::2]], strict=True):
        measured = np.gradient(np.asarray(y), np.asarray(x))
        assert np.median(np.abs(measured - np.asarray(slope))) < 1e-3


@pytest.mark.parametrize(
    "name, at, a, says",
    [
        ("sigmoid", 0.0, 0.1, "value is 0.5, the slope 0.25"),
        ("Leaky ReLU", -2.0, 0.1, "value is -0.2, the slope 0.1"),
        ("ELU", -1.0, 2.0, "value is -1.26, the slope 0.736"),
        ("Maxout", -4.0, 0.5, "value is 1, the slope -0.5"),
    ],
)
def test_the_tangent_has_the_value_and_the_slope(name, at, a, says):
    assert says in show.activation(name, at, a).alt


def test_an_unknown_activation_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no activation called 'softplus'; there are: sigmoid"):
        show.activation("softplus")


X = torch.tensor([-2.0, -1, 0, 1, 2], dtype=torch.float64)
SQUARES = neural.Landscape(X, torch.tensor([0, 1, 0, 1, 1]), "squared error")


def test_a_descent_is_drawn_as_it_went(drawn):
    path = neural.descend(SQUARES, (-2.0, 2.0), 0.1, 5)
    picture = show.descent(SQUARES, path, "lr = 0.1.")
    assert torch.equal(torch.stack(drawn["plot"][0][0][:2], 1), path)
    assert torch.equal(drawn["semilogy"][0][0][0], SQUARES.loss(path))
    told = f"the loss goes from {SQUARES.loss(path[0]):.3g} to {SQUARES.loss(path[-1]):.3g}; the minimum is"
    assert picture.alt.startswith(f"lr = 0.1. 5 steps on a loss surface over w and b: {told}")


def test_fits_say_where_each_answer_changes(drawn):
    logistic = neural.Landscape(SQUARES.x, SQUARES.y)
    picture = show.fits({"line": SQUARES, "curve": logistic}, "x")
    (line, _), (curve, _) = (show.neural.fitted(each) for each in (SQUARES, logistic))
    assert [args[0] for args, _ in drawn["axvline"]] == [line, curve]
    w, b = neural.lowest(SQUARES)
    assert float(w * line + b) == pytest.approx(0.5)
    w, b = neural.lowest(logistic)
    assert float(w * curve + b) == pytest.approx(0, abs=1e-6)
    assert f"line changes its answer at {line:.2f}" in picture.alt


def test_a_quantity_over_seeds_has_its_mean_and_its_range(drawn):
    values = torch.tensor([[1.0, 10], [100, 10]])
    assert show.over_seeds([1, 2], {"a": values}, "x", "y", "two seeds of a").alt == "two seeds of a"
    (x, mean), _ = drawn["plot"][0]
    assert x == [1, 2] and np.allclose(mean, [10, 10])  # geometric
    (_, low, high), _ = drawn["fill_between"][0]
    assert low.tolist() == [1, 10] and high.tolist() == [100, 10]
    show.over_seeds(
        [1, 2], {"vanished": torch.tensor([[1.0, 0], [1, 0]])}, "x", "y", "nothing is left at all"
    )  # no warning, no error
