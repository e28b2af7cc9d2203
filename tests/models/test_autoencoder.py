"""Networks whose answer is a picture: their shapes, and what each layer is there for."""

import pytest
import torch
import torch.nn.functional as F

from utils import models
from utils.models.autoencoder import UPSAMPLING


@pytest.mark.parametrize("how", UPSAMPLING)
def test_every_way_of_upsampling_doubles_height_and_width(how):
    assert models.upsample(3, 5, how)(torch.rand(2, 3, 4, 7)).shape == (2, 5, 8, 14)


def test_only_resizing_leaves_a_flat_picture_flat():
    grey = torch.full((1, 2, 12, 12), 0.4)
    torch.manual_seed(0)
    spread = {how: models.upsample(2, 1, how)(grey)[..., 6:-6, 6:-6].std().item() for how in UPSAMPLING}
    assert spread["resize"] < 1e-6 < 1e-3 < min(spread["kernel 3"], spread["kernel 4"])


def test_an_unknown_way_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'bilinear' is not known; there are: kernel 3, kernel 4, resize"):
        models.upsample(1, 1, "bilinear")


@pytest.mark.parametrize(("shape", "code"), [((1, 28, 28), 16), ((3, 12, 20), 5)])
@pytest.mark.parametrize("make", [models.conv_autoencoder, models.dense_autoencoder])
def test_autoencoders_squeeze_a_picture_into_a_code_and_back(make, shape, code):
    net, x = make(shape, code), torch.rand(4, *shape)
    assert net.encoder(x).shape == (4, code)
    assert net(x).shape == x.shape
    assert torch.equal(net(x), net.decoder(net.encoder(x)))


def test_the_dense_one_is_linear_unless_it_has_hidden_layers():
    x, y = torch.rand(2, 5, 1, 4, 4)
    linear, other = models.dense_autoencoder((1, 4, 4), 3), models.dense_autoencoder((1, 4, 4), 3, hidden=(8, 6))
    assert torch.allclose(linear((x + y) / 2), (linear(x) + linear(y)) / 2, atol=1e-6)
    assert not torch.allclose(other((x + y) / 2), (other(x) + other(y)) / 2, atol=1e-6)
    sizes = [
        layer.out_features for half in (other.encoder, other.decoder) for layer in half if hasattr(layer, "weight")
    ]
    assert sizes == [8, 6, 3, 6, 8, 16]


def test_sizes_that_cannot_be_halved_twice_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 28, 30\): height and width are halved twice"):
        models.conv_autoencoder((1, 28, 30))


def test_the_denoiser_keeps_the_shape_through_maps_of_half_the_size():
    net, x = models.denoiser(3, width=7), torch.rand(2, 3, 8, 12)
    assert net[0](x).shape == (2, 7, 4, 6)
    assert net(x).shape == x.shape


@pytest.mark.parametrize("how", UPSAMPLING)
def test_super_resolution_adds_details_to_the_bilinear_picture(how):
    net, x = models.SuperResolution(3, 4, how), torch.rand(2, 3, 5, 6)
    assert net(x).shape == (2, 3, 10, 12)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    assert torch.equal(net(x), F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
