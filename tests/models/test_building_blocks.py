"""The networks of chapter 04: shapes, counts, and settings that make no network."""

import pytest
import torch
from torch import nn

from utils import models
from utils.models import MLP, LeNet5, Standardise, count, mnist_cnn, pattern


def logits(model, in_shape, batch=3):
    return model(torch.rand(batch, *in_shape))


def kinds(model, *wanted):
    return [type(layer).__name__ for layer in model if isinstance(layer, wanted)]


def test_the_pattern_has_the_layers_it_is_asked_for():
    net = pattern((3, 32, 32), 7, channels=(4, 8), convolutions=2, pool=[True, False], dense=(20, 10))
    assert kinds(net, nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear) == [
        *(["Conv2d", "ReLU"] * 2 + ["MaxPool2d"]),
        *["Conv2d", "ReLU"] * 2,
        *("Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"),
    ]
    assert net[-5].in_features == 8 * 16 * 16
    assert logits(net, (3, 32, 32)).shape == (3, 7)


def test_no_convolution_and_no_dense_layer_is_a_linear_classifier():
    net = pattern((1, 5, 4), 3, channels=(), dense=())
    assert count(net) == 5 * 4 * 3 + 3
    assert logits(net, (1, 5, 4)).shape == (3, 3)


@pytest.mark.parametrize(("where", "order"), [("before", ["BatchNorm2d", "ReLU"]), ("after", ["ReLU", "BatchNorm2d"])])
def test_batch_norm_stands_where_it_is_wanted(where, order):
    net = pattern(channels=(4, 5), dense=(), batch_norm=where)
    assert kinds(net, nn.BatchNorm2d, nn.ReLU) == order * 2
    assert [layer.bias is None for layer in net if isinstance(layer, nn.Conv2d)] == [where == "before"] * 2


def test_dropout_comes_before_the_last_layer():
    net = pattern(dropout=0.3)
    assert isinstance(net[-2], nn.Dropout)
    assert net[-2].p == 0.3
    assert not kinds(pattern(), nn.Dropout)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"channels": (4,) * 6},
            "The pooling of block 5 finds 1×1 pixels.*can be halved 4 times, and 6 poolings",
        ),
        ({"in_shape": (1, 4, 32), "channels": (4,) * 3}, r"block 3 finds 1×8 pixels.*pool=\[True, True, False\]"),
        ({"pool": [True]}, "pool has 1 entries for 3 blocks"),
        ({"convolutions": 0}, "each block needs at least 1"),
        ({"kernel_size": 4}, "an even kernel has no middle pixel"),
        ({"batch_norm": "both"}, 'None, "before" or "after"'),
        ({"channels": 16}, r"a list is wanted.*\(16,\)"),
        ({"dense": (12, 0)}, r"dense=\(12, 0\): every size is at least 1"),
    ],
)
def test_settings_that_make_no_network_are_refused_with_a_reason(settings, says):
    with pytest.raises(ValueError, match=says):
        pattern(**settings)


def test_what_the_refusal_proposes_works():
    assert logits(pattern(channels=(2,) * 6, pool=[True, True, True, True, False, False]), (1, 28, 28)).shape == (3, 10)


def test_three_convolutions_and_two_dense_layers():
    net = mnist_cnn()
    assert kinds(net, nn.Conv2d, nn.Linear) == ["Conv2d"] * 3 + ["Linear"] * 2
    assert logits(net, (1, 28, 28)).shape == (3, 10)
    assert not kinds(mnist_cnn(batch_norm=None), nn.BatchNorm2d)


@pytest.mark.parametrize(
    ("in_shape", "parameters"), [((1, 28, 28), 61_706), ((1, 32, 32), 61_706), ((3, 32, 32), 62_006)]
)
@pytest.mark.parametrize("modern", [False, True])
def test_lenet5_has_the_parameters_of_the_usual_rebuild(in_shape, parameters, modern):
    net = LeNet5(in_shape, modern=modern)
    assert count(net) == parameters
    assert logits(net, in_shape).shape == (3, 10)


def test_lenet5_maps_shrink_as_in_the_paper():
    sizes = []
    x = torch.rand(2, 1, 28, 28)
    for layer in LeNet5().features:
        x = layer(x)
        sizes.append(x.shape[1:])
    assert [sizes[i] for i in (0, 2, 3, 5)] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


def test_lenet5_refuses_other_pictures():
    with pytest.raises(ValueError, match="yours have 64×64"):
        LeNet5((3, 64, 64))


def test_mlp_layers_and_linear_classifier():
    assert count(MLP((1, 28, 28), hidden=(100, 50))) == 785 * 100 + 101 * 50 + 51 * 10
    assert count(MLP((1, 28, 28), hidden=())) == 7850
    assert logits(MLP((3, 8, 8), 4, hidden=(5,)), (3, 8, 8)).shape == (3, 4)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("wanted", [20_000, 61_706, 98_554])
def test_mlp_of_a_size_is_the_closest(wanted, layers):
    net = MLP.with_parameters(wanted, layers=layers)
    width = net.layers[1].out_features
    off = abs(count(net) - wanted)
    assert all(off <= abs(count(MLP(hidden=[width + step] * layers)) - wanted) for step in (-1, 1))


def test_mlp_too_small_to_be_is_refused():
    with pytest.raises(ValueError, match=r"700 parameters are too few.*has 805 already"):
        MLP.with_parameters(700)
    with pytest.raises(ValueError, match="at least 1"):
        MLP.with_parameters(70_000, layers=0)


@pytest.mark.parametrize("net", [mnist_cnn(), MLP(), LeNet5()], ids=["pattern", "MLP", "LeNet5"])
def test_pictures_are_standardised_first(net):
    first = next(layer for layer in net.modules() if not list(layer.children()))
    assert isinstance(first, Standardise)
    assert count(net) == sum(p.numel() for p in net.parameters())


def test_a_standardisation_of_ones_own_is_used():
    own = Standardise((0.2,), (0.1,))
    assert pattern(standardise=own)[0] is own
    assert MLP(standardise=own).standardise is own
    assert LeNet5(standardise=own).standardise is own


def test_count_leaves_buffers_out_and_frozen_ones_on_request():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert count(net) == 3 * 4 + 4 + 4 + 4
    net[0].weight.requires_grad_(False)
    assert count(net) == 24
    assert count(net, trainable=True) == 12


def test_summary_counts_like_count_and_keeps_the_mode():
    net = mnist_cnn()
    table = models.summary(net)
    assert table.total_params == count(net)
    assert "[1, 16, 28, 28]" in str(table)
    assert net.training
    models.summary(net.eval())
    assert not net.training
