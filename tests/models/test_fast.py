"""The fast network: its count, its first layer, and sizes of pictures it can read."""

import pytest
import torch

from utils.models import FastCNN, Standardise, count, whitening_filters


def pictures(n=64, seed=0):
    """Smooth pictures, as photographs are: neighbouring pixels and colours resemble each other."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(n, 1, 8, 8, generator=generator) + 0.3 * torch.randn(n, 3, 8, 8, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear")
    noisy = smooth + 0.2 * torch.randn(n, 3, 32, 32, generator=generator)
    return (noisy * 40 + 128).clamp(0, 255).byte()


def test_parameters_are_counted():
    net = FastCNN()
    assert count(net) == 433_504
    assert count(net, trainable=True) == 433_504 - 24 * 3 * 2 * 2 - 2 * (32 + 64 * 2 + 128 * 3) // 2


def test_whitened_patches_are_uncorrelated_and_equally_strong():
    x = pictures()
    filters = whitening_filters(x)
    assert filters.shape == (12, 3, 2, 2)
    answers = torch.nn.functional.conv2d(Standardise()(x / 255), filters).transpose(0, 1).flatten(1)  # (12, places)
    assert torch.allclose(answers @ answers.T / answers.shape[1], torch.eye(12), atol=0.05)


def test_the_strongest_patterns_come_first():
    x = pictures()
    norms = whitening_filters(x).flatten(1).norm(dim=1)  # 1 / standard deviation of the patches in that direction
    assert norms.tolist() == sorted(norms.tolist())


def test_first_layer_has_both_signs_and_never_learns():
    net = FastCNN(pictures())
    filters = net.whiten.weight.clone()
    assert torch.equal(filters[:12], -filters[12:])
    net(torch.rand(4, 3, 32, 32)).sum().backward()
    assert net.whiten.weight.grad is None
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)


@pytest.mark.parametrize("side", [16, 24, 32])
def test_pictures_of_several_sizes_give_logits(side):
    assert FastCNN(classes=7)(torch.rand(2, 3, side, side)).shape == (2, 7)


def test_pictures_get_a_gradient_in_eval_mode():
    """What attacks and class activation maps need: only training goes without it."""
    net = FastCNN(pictures()).eval()
    x = torch.rand(2, 3, 32, 32, requires_grad=True)
    net(x).sum().backward()
    assert x.grad.abs().max() > 0


def test_float_pictures_are_refused():
    with pytest.raises(ValueError, match="uint8 pictures"):
        whitening_filters(torch.rand(4, 3, 8, 8))
