"""The experiments of chapter 03: the hard cases, small networks, descents, gradients by depth."""

import math
from itertools import combinations

import pytest
import torch
from torch import nn

from utils import neural


@pytest.mark.parametrize("case", neural.CASES)
def test_half_of_the_points_lie_inside_and_the_labels_say_which(case):
    x, y = neural.points(case, 200)
    assert x.shape == (200, 2) and x.abs().max() <= neural.EDGE and y.sum() == 100
    assert torch.equal(neural.CASES[case](x).long(), y)
    assert y[:20].unique().tolist() == [0, 1]  # in random order
    again, other = neural.points(case, 200), neural.points(case, 200, seed=1)
    assert torch.equal(again[0], x) and not torch.equal(other[0], x)


def test_the_cases_are_those_of_the_lectures():
    x = torch.tensor([[2.0, 2], [-1, -1], [2, -2], [0.5, 0], [1.5, 0], [0, 2.5]])
    assert neural.CASES["quadrants"](x).tolist() == [True, True, False, False, False, False]
    assert neural.CASES["ring"](x).tolist() == [False, True, False, False, True, False]
    assert neural.CASES["three modes"](neural.MODES).all() and not neural.CASES["three modes"](x[3:4]).any()


def test_unknown_names_and_odd_numbers_are_refused_with_what_there_is():
    with pytest.raises(ValueError, match="no case called 'spiral'; there are: quadrants, ring, three modes"):
        neural.points("spiral")
    with pytest.raises(ValueError, match="n=7: half of the points"):
        neural.points("ring", 7)
    with pytest.raises(ValueError, match="no activation called 'relu'; there are: none, sigmoid"):
        neural.mlp([2, 3, 2], "relu")
    with pytest.raises(ValueError, match="no loss called 'hinge'"):
        neural.Landscape(torch.zeros(2), torch.zeros(2), "hinge")
    with pytest.raises(ValueError, match="depth=0"):
        neural.gradient_sizes(0)


def test_the_activation_stands_between_the_layers_and_not_behind_the_last():
    net = neural.mlp([2, 3, 4, 5], "Leaky ReLU")
    assert [type(layer) for layer in net] == [nn.Linear, nn.LeakyReLU, nn.Linear, nn.LeakyReLU, nn.Linear]
    assert net[1].negative_slope == 0.1 and net[-1].out_features == 5


def test_a_hidden_layer_solves_the_quadrants_and_a_linear_network_does_not():
    x, y = neural.points("quadrants", 200)
    fresh = neural.points("quadrants", 400, seed=1)
    state = torch.random.get_rng_state()
    solved = neural.separate(x, y, [8], seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)  # the reader's own random numbers go on as before
    assert neural.accuracy(solved, *fresh) > 0.95
    assert neural.accuracy(neural.separate(x, y, [8], "none"), *fresh) < 0.65
    assert len(neural.separate(x, y, steps=1)) == 1


def test_accuracy_counts():
    scores = torch.tensor([[2.0, 1], [0, 1], [3, 0], [0, 5]])
    assert neural.accuracy(nn.Identity(), scores, torch.tensor([0, 1, 1, 1])) == 0.75


X = torch.tensor([-2.0, -1, 0, 1, 2], dtype=torch.float64)
Y = torch.tensor([0, 1, 0, 1, 1])


@pytest.mark.parametrize("kind", neural.LOSSES)
def test_no_point_lies_lower_than_the_lowest(kind):
    landscape = neural.Landscape(X, Y, kind)
    best = neural.lowest(landscape)
    around = best + 0.01 * torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert (landscape.loss(around) > landscape.loss(best)).all()


def test_the_losses_are_those_of_least_squares_and_logistic_regression():
    theta = torch.tensor([0.5, -0.25], dtype=torch.float64)
    z = 0.5 * X - 0.25
    assert torch.isclose(neural.Landscape(X, Y, "squared error").loss(theta), ((z - Y) ** 2).mean())
    p = torch.sigmoid(z)
    expected = -torch.where(Y == 1, p.log(), (1 - p).log()).mean()
    assert torch.isclose(neural.Landscape(X, Y).loss(theta), expected)
    assert neural.Landscape(X, Y).loss(torch.zeros(3, 4, 2)).shape == (3, 4)
    assert neural.Landscape(X, Y).loss(theta, [0, 1]) == neural.Landscape(X[:2], Y[:2]).loss(theta)


def test_a_descent_takes_the_steps_it_should():
    landscape = neural.Landscape(X, Y, "squared error")
    path = neural.descend(landscape, (1.0, 0.0), lr=0.1, steps=3)
    assert path.shape == (4, 2) and path[0].tolist() == [1, 0]
    gradient = torch.stack([(2 * (X - Y) * X).mean(), (2 * (X - Y)).mean()])
    assert torch.allclose(path[1], path[0] - 0.1 * gradient)
    far = neural.descend(landscape, (1.0, 0.0), lr=10.0, steps=50)
    assert len(far) < 51 and far.isfinite().all()


def test_mini_batches_are_drawn_at_random_from_all_points():
    landscape = neural.Landscape(X, Y)
    one, two, again = (neural.descend(landscape, (1.0, 1.0), 0.1, 5, 2, seed) for seed in (0, 1, 0))
    assert torch.equal(one, again) and not torch.equal(one, two)
    steps = [neural.descend(landscape, (1.0, 1.0), 0.1, 1, 2, seed)[1] for seed in range(3)]
    pairs = [neural.Landscape(X[pair], Y[pair]) for pair in map(list, combinations(range(5), 2))]
    possible = torch.stack([neural.descend(pair, (1.0, 1.0), 0.1, 1)[1] for pair in pairs])
    assert all(((possible - step).abs() < 1e-12).all(1).any() for step in steps)  # two points, never the same twice
    everything = neural.descend(landscape, (1.0, 1.0), 0.1, 5)
    assert torch.equal(neural.descend(landscape, (1.0, 1.0), 0.1, 5, batch_size=99), everything)
    assert not torch.equal(one, everything)


def test_the_gradient_of_a_linear_chain_grows_with_the_gain_as_it_must():
    small, large = (neural.gradient_sizes(4, "none", gain) for gain in (1.0, 2.0))
    assert torch.allclose(
        large / small, torch.full((4,), 2.0**3).double()
    )  # each layer's gradient: three others' gains


def test_gradients_vanish_with_sigmoids_and_stay_with_he_initialised_relus():
    sigmoid, relu = neural.gradient_sizes(12, "sigmoid"), neural.gradient_sizes(12, "ReLU", math.sqrt(2))
    assert sigmoid[0] < 1e-5 * sigmoid[-1] and (sigmoid.diff() > 0).all()
    assert relu[0] > 0.02 * relu[-1]
    assert torch.equal(neural.gradient_sizes(3), neural.gradient_sizes(3))
