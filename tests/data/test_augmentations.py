"""The augmentations of a batch: what torchvision's do to one picture, for each picture with its own luck."""

import math

import pytest
import torch
from torchvision.transforms.v2 import RandomHorizontalFlip
from torchvision.transforms.v2 import functional as tv

from utils import data
from utils.data import augment as a

ALL = [
    data.Flip(),
    data.VerticalFlip(),
    data.Rotate(30),
    data.Scale(),
    data.ResizedCrop(0.5),
    data.Crop(3),
    data.GaussianNoise(0.1),
    data.SaltPepper(0.2),
    data.Brightness(0.5),
    data.Contrast(0.5),
    data.Saturation(0.5),
    data.Each(RandomHorizontalFlip()),
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def x():
    """Pictures with something everywhere: (B, C, H, W)."""
    return torch.rand(6, 3, 16, 16, generator=seeded(9))


@pytest.mark.parametrize("step", ALL, ids=repr)
def test_every_picture_is_changed_in_its_own_way(step, x):
    same = x[:1].expand(40, -1, -1, -1)
    before = same.clone()
    after = step(same, seeded())
    assert torch.equal(same, before), "the pictures that came in were changed"
    assert after.shape == same.shape and after.dtype == same.dtype
    assert after.min() >= 0 and after.max() <= 1
    assert len({picture.numpy().tobytes() for picture in after}) > 1
    assert torch.equal(after, step(same, seeded())), "the same generator gave something else"
    assert not torch.equal(after, step(same, seeded(1)))


def factor_of(step_strength, seed=0):
    return float(1 + step_strength * (2 * torch.rand(1, generator=seeded(seed)) - 1))


@pytest.mark.parametrize(
    ("step", "theirs"),
    [
        (data.Brightness(0.4), tv.adjust_brightness),
        (data.Contrast(0.4), tv.adjust_contrast),
        (data.Saturation(0.4), tv.adjust_saturation),
    ],
    ids=["brightness", "contrast", "saturation"],
)
def test_colours_change_as_in_torchvision(step, theirs, x):
    for seed in range(4):
        ours = step(x[:1], seeded(seed))
        assert torch.allclose(ours, theirs(x[:1], factor_of(0.4, seed)), atol=1e-3)


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_turning_is_torchvisions_by_the_same_angle(size):
    x = torch.rand(1, 3, *size, generator=seeded(9))
    for seed in range(4):
        angle = float((2 * torch.rand(1, generator=seeded(seed)) - 1) * 40)
        theirs = tv.rotate(x[:1], angle, tv.InterpolationMode.BILINEAR)
        assert torch.allclose(data.Rotate(40)(x[:1], seeded(seed)), theirs, atol=2e-3)


def test_turning_by_up_to_180_degrees_turns_some_upside_down():
    x = torch.zeros(200, 1, 9, 9)
    x[:, :, :4] = 1  # white above, black below
    after = data.Rotate(180)(x, seeded())
    lower = (after[:, :, 5:].mean((1, 2, 3)) > 0.7).float().mean()
    assert 0.1 < lower < 0.6


def test_scaling_keeps_the_middle_and_its_border_is_as_asked():
    x = torch.ones(50, 1, 15, 15)
    smaller = data.Scale(0.5, 0.6)(x, seeded())
    assert smaller[:, :, 7, 7].min() > 0.999 and (smaller[:, :, 0, 0] == 0).all()
    share = smaller.mean((1, 2, 3))
    assert share.min() > 0.2 and share.max() < 0.4  # 0.5² and 0.6² of the area
    assert data.Scale(0.5, 0.6, mode="replicate")(x, seeded()).min() > 0.999
    assert data.Scale(1.5, 2)(x, seeded()).min() > 0.999


def test_a_resized_crop_shows_a_section_and_nothing_from_outside():
    ramp = torch.linspace(0.1, 0.9, 16).expand(300, 1, 16, 16)
    after = data.ResizedCrop(0.5)(ramp, seeded())
    width = after[:, 0, 8, -1] - after[:, 0, 8, 0]  # in the ramp's own units: how much of it is to be seen
    assert after.min() >= 0.1 - 1e-6 and after.max() <= 0.9 + 1e-6
    assert 0.35 < width.min() < 0.45 and 0.65 < width.max() <= 0.8
    left = after[:, 0, 8, 0]
    assert left.min() < 0.13 and left.max() > 0.4
    whole = data.ResizedCrop(1.0)(ramp, seeded())
    assert torch.allclose(whole, ramp, atol=1e-6)


def test_noise_has_the_deviation_that_was_asked_for():
    x = torch.full((4, 3, 64, 64), 0.5)
    noise = data.GaussianNoise(0.05)(x, seeded()) - x
    assert abs(noise.std() - 0.05) < 0.001 and abs(noise.mean()) < 0.001
    assert abs(torch.corrcoef(noise[0].flatten(1))[0, 1]) < 0.05, "the channels share their noise"


def test_salt_and_pepper_are_whole_pixels_in_equal_parts():
    x = torch.full((4, 3, 64, 64), 0.5)
    after = data.SaltPepper(0.1)(x, seeded())
    white, black = ((after == value).all(1).float().mean() for value in (1, 0))
    assert abs(white - 0.05) < 0.005 and abs(black - 0.05) < 0.005
    assert abs((after != 0.5).any(1).float().mean() - white - black) < 1e-6


def test_grey_pictures_have_no_colour_to_change():
    x = torch.rand(3, 1, 8, 8)
    assert torch.allclose(data.Saturation(0.9)(x, seeded()), x, atol=1e-6)
    assert not torch.allclose(data.Brightness(0.9)(x, seeded()), x)


def test_a_vertical_flip_is_top_for_bottom(x):
    assert torch.equal(data.VerticalFlip(p=1)(x, seeded()), x.flip(2))
    assert torch.equal(data.VerticalFlip(p=0)(x, seeded()), x)
    half = data.VerticalFlip()(x[:1].expand(400, -1, -1, -1), seeded())
    assert 0.4 < (half == x[0].flip(1)).flatten(1).all(1).float().mean() < 0.6


def test_torchvisions_transforms_leave_torchs_own_luck_alone(x):
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    data.Each(RandomHorizontalFlip())(x, seeded())
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: data.Scale(0, 1), "positive"),
        (lambda: data.Scale(2, 1), "low ≤ high"),
        (lambda: data.ResizedCrop(0), "0 < smallest ≤ 1"),
        (lambda: data.Rotate(3, mode="black")(torch.rand(1, 1, 4, 4), seeded()), "constant, replicate, reflect"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


def test_grey_is_as_bright_as_to_the_eye():
    assert math.isclose(float(a.grey(torch.ones(1, 3, 1, 1))), 1.0, abs_tol=2e-4)
    red, green = (a.grey(torch.eye(3)[i].view(1, 3, 1, 1)) for i in (0, 1))
    assert green > red
