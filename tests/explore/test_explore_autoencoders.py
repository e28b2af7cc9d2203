"""Chapter 08's explorers: a slider redraws, an impossible setting says why."""

import pytest
import torch

from utils import explore, models


def test_stamps_follow_the_sliders_and_refuse_what_torch_refuses():
    explorer = explore.stamps()
    assert explorer.widget is explorer.widget
    first = explorer.picture.png
    explorer.controls["kernel_size"].value = 4
    assert explorer.picture.png != first
    explorer.controls["output_padding"].value = 2
    assert "smaller than the stride" in explorer.picture
    explorer.controls["stride"].value = 3
    assert "3 apart" in explorer.picture.alt
    explorer.controls["output_padding"].value = 0
    for name, value in {"kernel_size": 1, "stride": 1, "padding": 2}.items():
        explorer.controls[name].value = value
    assert "cuts off everything" in explorer.picture


def test_noise_and_pictures_can_be_chosen():
    torch.manual_seed(0)
    explorer = explore.denoised(models.denoiser(), torch.rand(6, 1, 8, 8), trained=0.3)
    assert explorer.widget and "noise 0.30" in explorer.picture.alt
    explorer.controls["sigma"].value = 0.6
    assert "noise 0.60" in explorer.picture.alt
    before = explorer.picture.png
    explorer.controls["picture"].value = 3
    assert explorer.picture.png != before


def test_a_walk_through_the_codes_decodes_each_place():
    torch.manual_seed(0)
    net = models.conv_autoencoder((1, 8, 8), code=2)
    explorer = explore.codes(net, torch.rand(30, 1, 8, 8), torch.arange(30) % 10)
    assert explorer.widget
    before = explorer.picture.png
    slider = explorer.controls["first"]
    slider.value = slider.max
    assert explorer.picture.png != before and "is decoded" in explorer.picture.alt


def test_codes_of_more_than_two_numbers_are_refused():
    with pytest.raises(ValueError, match="a code of two numbers is wanted"):
        explore.codes(models.conv_autoencoder((1, 8, 8), code=3), torch.rand(5, 1, 8, 8), torch.arange(5))
