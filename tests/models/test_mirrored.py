"""The mirrored network: a picture and its mirror image are the same to it, trained or not, at every size."""

import pytest
import torch

from utils import data, evaluation, training
from utils.failure import attribution
from utils.models import MirroredCNN, count, mirrored_filters, multiply_adds
from utils.models.mirrored import MirroredConv2d, MirroredNorm
from utils.show.features import telling_layers


@pytest.fixture(scope="module")
def cifar():
    return data.cifar10("standin").subset(200)


@pytest.fixture(scope="module")
def trained(cifar):
    torch.manual_seed(0)
    net = MirroredCNN(cifar.x_train)
    training.fit(net, cifar, epochs=1, batch_size=50, progress=False, precision="float32", device="cpu")
    return net.eval()


def test_parameters_are_counted():
    assert count(MirroredCNN()) == 215_648


@pytest.mark.parametrize("side", [16, 24, 32])
def test_a_mirror_image_gets_the_same_logits(trained, cifar, side):
    x = torch.nn.functional.interpolate(cifar.x_train[:8] / 255, size=(side, side))
    logits = trained(x)
    assert logits.shape == (8, 10)
    assert logits.std() > 0.01  # it does say different things about different pictures
    assert torch.allclose(logits, trained(x.flip(3)), atol=1e-4)
    assert not torch.allclose(logits, trained(x.flip(2)), atol=1e-2)  # upside down is another picture


def test_every_map_has_its_mirror_image(trained, cifar):
    """Also inside: the first half of the maps of a mirrored picture is the second half, mirrored."""
    x = cifar.x_train[:4] / 255
    maps, others = (
        trained.features(torch.relu(trained.whiten(trained.standardise(each)))) for each in (x, x.flip(3))
    )  # (4, 128, 3, 3) each
    assert torch.allclose(maps, others.roll(64, 1).flip(3), atol=1e-4)
    assert not torch.allclose(maps[:, :64], maps[:, 64:], atol=1e-2)


def test_a_pair_is_normalised_as_one():
    torch.manual_seed(0)
    x = torch.randn(6, 8, 5, 7) * torch.arange(1, 9).view(1, 8, 1, 1) + 3
    norm = MirroredNorm(4)
    y = norm(x)
    assert y.shape == x.shape
    pairs = y.unflatten(1, (2, 4)).transpose(0, 2).flatten(1)  # (4, all numbers of a pair)
    assert torch.allclose(pairs.mean(1), torch.zeros(4), atol=1e-5)
    assert torch.allclose(pairs.var(1), torch.ones(4), atol=1e-2)
    assert norm.running_mean.shape == (4,)
    apart = torch.nn.functional.batch_norm(x, None, None, training=True)
    assert not torch.allclose(y, apart, atol=0.1)


def test_first_maps_are_copies_of_the_input():
    x = torch.rand(2, 6, 5, 5)
    y = MirroredConv2d(6, 12, torch.tensor([0, 1, 4, 5, 2, 3]))(x)  # 0 and 1 are their own mirror image
    assert torch.equal(y[:, :4], x[:, :4])
    assert torch.equal(y[:, 6:10], x[:, [0, 1, 4, 5]])


def test_filters_are_even_or_odd(cifar):
    even, odd = mirrored_filters(cifar.x_train)
    assert even.shape == (5, 3, 2, 2) and odd.shape == (3, 3, 2, 2)
    assert torch.allclose(even, even.flip(3), atol=1e-3 * even.abs().max())
    assert torch.allclose(odd, -odd.flip(3), atol=1e-3 * odd.abs().max())


def test_it_can_be_looked_into_as_other_networks_can(trained, cifar):
    """Whatever looks for convolutions finds them: a layer's maps to choose from, and the last one for Grad-CAM."""
    convolutions = [part for part in trained.modules() if isinstance(part, torch.nn.Conv2d)]
    assert len(convolutions) == 1 + 1 + 2 + 3  # the first layer, and the blocks'
    assert len(telling_layers(trained, evaluation.feature_maps(trained, cifar.x_test[0]))) == 7 + 3  # and poolings
    x = cifar.x_test[:8]
    asked = x, trained(x / 255).argmax(1), "Grad-CAM"
    found = attribution.attribute(trained, *asked)
    assert found.shape == (8, 32, 32) and found.std() > 0
    assert torch.equal(found, attribution.attribute(trained, *asked, layer=convolutions[-1]))
    assert multiply_adds(trained) == 16_833_856


def test_odd_widths_are_refused():
    with pytest.raises(ValueError, match="kernels come in pairs, so each is an even number; 63 is odd"):
        MirroredCNN(widths=(32, 63, 128))
