"""Style: the networks, their maps, and pictures that come nearer to what is wanted."""

import pytest
import torch
from torch import nn

from utils import data
from utils.applications import style


@pytest.fixture(scope="module")
def net():
    return style.network()


def test_the_courses_network_is_frozen_and_takes_any_size(net):
    assert not any(p.requires_grad for p in net.parameters()) and not net.training
    assert not any(isinstance(part, nn.MaxPool2d | nn.Linear) for part in net.modules())
    shapes = [tuple(m.shape) for m in style.maps(net, torch.rand(1, 3, 40, 48))]
    assert shapes == [(1, 16, 40, 48), (1, 32, 20, 24), (1, 64, 10, 12)]
    (second,) = style.maps(net, torch.rand(2, 3, 16, 16), [1])
    assert second.shape == (2, 32, 8, 8) and second.min() >= 0
    assert not any(part._forward_hooks for part in net.modules())


def test_other_networks_are_torchvisions_or_refused(monkeypatch):
    with pytest.raises(ValueError, match="'alexnet'; there are: cifar10_small, cifar10_other, squeezenet1_1"):
        style.network("alexnet")
    monkeypatch.setenv("CNN_COURSE_OFFLINE", "1")
    with pytest.raises(RuntimeError, match="CNN_COURSE_OFFLINE forbids fetching the weights of vgg19"):
        style.network("vgg19")


def test_a_fetched_network_is_cut_to_its_convolutions(monkeypatch):
    import torchvision

    asked = {}

    def get_model(name, **given):
        asked.update(given, name=name)
        return nn.ModuleDict({"features": nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2))})

    class Model(nn.Module):
        def __init__(self, parts):
            super().__init__()
            self.features = parts["features"]

    monkeypatch.setenv("CNN_COURSE_OFFLINE", "0")
    monkeypatch.setattr(torchvision.models, "get_model", lambda *a, **k: Model(get_model(*a, **k)))
    net = style.network("squeezenet1_1")
    assert asked["name"] == "squeezenet1_1" and asked["weights"] == "IMAGENET1K_V1"
    assert [type(layer).__name__ for layer in net] == ["Standardise", "Conv2d", "ReLU", "AvgPool2d"]
    x = torch.rand(1, 3, 8, 8)
    (found,) = style.maps(net, x)
    assert torch.equal(found, net[:3](x))

    def fails(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models, "get_model", fails)
    with pytest.raises(
        RuntimeError, match=r"weights of vgg16 could not be fetched .no route to host.; use style.network"
    ):
        style.network("vgg16")


def test_distance_is_relative_and_zero_for_the_same():
    a = torch.rand(1, 3, 3)
    assert style.distance([a, a], [a, a]) == 0
    assert style.distance([a * 2], [a]) == pytest.approx(1) and style.distance([a * 20], [a * 10]) == pytest.approx(1)


def test_texture_comes_nearer_step_by_step_and_depends_on_the_seed(net):
    model = data.photo("brick", size=(32, 32))
    run = style.restyle(net, None, model, steps=12, keep=3)
    assert run["steps"] == [4, 8, 12] and run["style"] == sorted(run["style"], reverse=True)
    assert run["content"] == [0, 0, 0] and all(0 <= p.min() <= p.max() <= 1 for p in run["pictures"])
    again, other = (style.restyle(net, None, model, steps=12, keep=3, seed=s)["pictures"][-1] for s in (0, 1))
    assert torch.equal(again, run["pictures"][-1]) and not torch.allclose(other, again, atol=0.05)


def test_more_weight_means_more_style_and_less_content(net):
    photos = [data.photo(name, size=(32, 32)) for name in ("cat", "brick")]
    low, high = (style.restyle(net, *photos, weight=w, steps=10, keep=1) for w in (0.01, 100.0))
    assert high["style"][0] < low["style"][0] and high["content"][0] > low["content"][0]
    start = style.start(photos[0], photos[1], 0)
    assert (start - photos[0]).std() == pytest.approx(0.02, rel=0.1)


def test_it_asks_the_gram_function_that_it_is_given(net):
    def refuse(maps):
        raise NotImplementedError("not yet")

    with pytest.raises(NotImplementedError):
        style.restyle(net, None, torch.rand(3, 16, 16), refuse, steps=2)
