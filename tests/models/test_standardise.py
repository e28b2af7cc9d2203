"""Standardise: the pictures that it was made from have mean 0 and standard deviation 1 afterwards."""

import pytest
import torch

from utils import models
from utils.models import Standardise

X = (
    torch.rand(200, 3, 9, 7, generator=torch.Generator().manual_seed(0)) ** torch.tensor([1, 2, 3]).view(3, 1, 1) * 255
).byte()


def test_over_all_pixels_of_each_channel():
    y = Standardise.of(X)(X.float() / 255)
    assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(3), atol=1e-4)
    assert torch.allclose(y.std((0, 2, 3), unbiased=False), torch.ones(3), atol=1e-4)


def test_it_does_not_lose_count():
    """Nine million equal pixels and more: summed in float32, they would be off in the second digit."""
    many = torch.full((1, 1, 1, 1), 200, dtype=torch.uint8).expand(20_000, 1, 30, 30).clone()
    many[0] = 0
    layer = Standardise.of(many)
    assert layer.mean.item() == pytest.approx(200 / 255 * (1 - 1 / 20_000), rel=1e-6)


def test_the_inverse_brings_pictures_back():
    layer, x = Standardise.of(X), X.float() / 255
    assert torch.allclose(layer.inverse(layer(x)), x, atol=1e-6)


def test_it_is_saved_with_the_network_and_learns_nothing():
    layer = Standardise((0.5,), (0.25,))
    assert set(layer.state_dict()) == {"mean", "std"} and not list(layer.parameters())
    assert repr(layer) == "Standardise(mean=(0.5000), std=(0.2500))"


@pytest.mark.parametrize("mean, std", [((0.5,), (0.5, 0.5)), ((0.5,), (0.0,))])
def test_numbers_must_fit(mean, std):
    with pytest.raises(ValueError, match="one positive std for each channel"):
        Standardise(mean, std)


def test_pictures_must_be_bytes():
    with pytest.raises(ValueError, match=r"uint8 pictures .* torch.float32 \(200, 3, 9, 7\)"):
        Standardise.of(X.float())


def test_the_tutorials_network_has_as_many_parameters_as_it_says():
    net = models.CifarCNN()
    assert sum(p.numel() for p in net.parameters()) == 5_852_170
    dense = sum(p.numel() for p in net.classifier.parameters())
    assert dense == 4_725_258
    assert net(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_grey_pictures_do_not_become_coloured():
    with pytest.raises(ValueError, match=r"3 channels expected; these are \(2, 1, 8, 8\)"):
        Standardise()(torch.rand(2, 1, 8, 8))
