"""The blueprint tells the shapes and parameters of the network that it draws, and leaves the network as it is."""

import pytest
import torch
from torch import nn

from utils import models, show
from utils.explore.building import draw_pattern, pattern
from utils.show.building import stages


def test_stages_are_those_of_the_network():
    net = models.pattern((3, 12, 16), 4, channels=(5,), convolutions=2, dense=(7,), batch_norm="before", dropout=0.5)
    found = [(stage.title, stage.shape, stage.then) for stage in stages(net, (3, 12, 16))]
    assert found == [
        ("picture", (3, 12, 16), ""),
        ("conv 3×3", (5, 12, 16), "batch norm · ReLU"),
        ("conv 3×3", (5, 12, 16), "batch norm · ReLU"),
        ("max pool 2×2", (5, 6, 8), ""),
        ("flatten", (5 * 6 * 8,), ""),
        ("dense", (7,), "ReLU · dropout"),
        ("dense", (4,), ""),
    ]


@pytest.mark.parametrize("net", [models.mnist_cnn(), models.LeNet5(), models.MLP()])
def test_every_parameter_is_counted_once(net):
    assert sum(stage.parameters for stage in stages(net, (1, 28, 28))) == models.count(net)
    assert f"{models.count(net):,} parameters" in show.blueprint(net).alt


def test_a_network_is_drawn_without_being_changed():
    net = models.mnist_cnn().train()
    net[2].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    picture = show.blueprint(net)
    assert picture.png.startswith(b"\x89PNG")
    assert "1×28×28 → 16×28×28 → 16×14×14" in picture.alt
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert net.training and not net[2].training
    assert not any(layer._forward_hooks for layer in net.modules())


def test_hooks_go_when_the_picture_does_not_fit():
    net = nn.Sequential(nn.Flatten(), nn.Linear(9, 2))
    with pytest.raises(RuntimeError):
        show.blueprint(net, (1, 4, 4))
    assert not any(layer._forward_hooks for layer in net.modules())


def test_explorer_draws_a_network_or_says_why_there_is_none():
    assert "98,442 parameters" in pattern().picture.alt
    assert "cannot halve them" in draw_pattern(N=1, M=6, K=1, filters=4, pixels=28, units=8)
    huge = draw_pattern(N=3, M=6, K=3, filters=32, pixels=64, units=512)
    assert "1024×1×1 → 1024 → 512" in huge.alt
