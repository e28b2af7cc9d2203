"""The learning-rate finder: on a loss whose best rate is known, and on a network that is to stay as it is."""

import copy

import pytest
import torch
from lessons import easy, same, small

from utils import data, show, training


@pytest.fixture(scope="module")
def batches():
    """Of which a third have a wrong label: nobody gets their loss to zero, and whoever is too sure pays for it."""
    cifar = easy(240)
    return data.Batches(cifar.x_train, torch.cat([cifar.y_train[:50], cifar.y_train[50:].roll(1)]), 20, device="cpu")


def test_it_falls_then_climbs_and_leaves_the_model_alone(batches):
    net = small()
    before, state = copy.deepcopy(net), torch.get_rng_state()
    curve = training.find_lr(net, batches, low=1e-4, high=1e3, steps=60, optimizer=torch.optim.SGD)
    assert same(net, before) and net.training and torch.equal(state, torch.get_rng_state())
    assert curve.lrs[0] == 1e-4 and len(curve.lrs) == len(curve.losses) == len(curve.smooth) <= 60
    ratios = [b / a for a, b in zip(curve.lrs, curve.lrs[1:], strict=False)]
    assert max(ratios) - min(ratios) < 1e-9
    assert 1e-3 < curve.steepest <= curve.lowest < 1e3
    assert min(curve.smooth) < 0.7 * curve.smooth[0] and curve.smooth[-1] > min(curve.smooth)


def test_the_rate_really_rises(batches):
    """With SGD and a loss that is linear in the weight, each step is as long as its rate."""
    curve = training.find_lr(small(), batches, low=1e-7, high=1e-6, steps=12, optimizer=torch.optim.SGD)
    assert curve.lrs[-1] == pytest.approx(1e-6) and max(curve.losses) - min(curve.losses) < 1


def test_it_ends_where_the_loss_explodes(batches):
    curve = training.find_lr(small(), batches, low=1e-3, high=1e12, steps=50, optimizer=torch.optim.SGD)
    assert len(curve.lrs) < 50
    assert max(curve.losses) <= 4 * min(curve.losses) + 4


@pytest.mark.parametrize(("settings", "says"), [({"low": 1, "high": 1}, "low < high"), ({"steps": 5}, "at least 10")])
def test_impossible_settings_are_refused(batches, settings, says):
    with pytest.raises(ValueError, match=says):
        training.find_lr(small(), batches, **settings)


def test_smoothing_is_a_mean_of_neighbours():
    from utils.training.finder import smoothed

    assert smoothed([0, 3, 6, 9, 12], width=1) == [1.5, 3, 6, 9, 10.5]


def test_its_picture_names_both_rates(batches):
    curve = training.find_lr(small(), batches, steps=40)
    alt = show.lr_curve(curve).alt
    assert f"{curve.steepest:.1e}" in alt and f"{curve.lowest:.1e}" in alt
