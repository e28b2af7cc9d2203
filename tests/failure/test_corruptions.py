"""Corruptions get worse with their severity; movements go where they say; elsewhere are the same shapes."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from utils import data, failure
from utils.failure.corruptions import CORRUPTIONS, SEVERITIES

SHAPES = data.shapes10(8, seed=1)
GENERATOR = torch.Generator().manual_seed(0)
SMOOTH = F.interpolate(torch.rand(4, 3, 4, 4, generator=GENERATOR), (24, 32), mode="bilinear") * 0.5 + 0.2


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_is_farther_from_the_original_than_the_one_before(name):
    x = SHAPES.x.float() / 255
    away = [float((failure.corrupt(SHAPES.x, name, severity) - x).square().mean()) for severity in (0, *SEVERITIES)]
    assert away[0] == 0
    assert all(later > sooner for sooner, later in pairwise(away)), away


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_pictures_of_any_kind_stay_pictures_and_the_callers_stay_as_they_are(name):
    for x in (SHAPES.x, SMOOTH, SMOOTH[:, :1], SMOOTH.double()):
        before = x.clone()
        worse = failure.corrupt(x, name, 5)
        assert worse.shape == x.shape and worse.dtype == torch.float32
        assert worse.min() >= 0 and worse.max() <= 1 and torch.equal(x, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_pictures(name):
    once, again, other = (failure.corrupt(SHAPES.x, name, 3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert torch.equal(once, other) == (name not in ("noise", "fog"))


def test_noise_has_its_deviation_and_brightness_its_amount():
    grey = torch.full((4, 3, 32, 32), 0.5)
    for severity, sd in zip(SEVERITIES, CORRUPTIONS["noise"][1], strict=True):
        assert failure.corrupt(grey, "noise", severity).std() == pytest.approx(sd, rel=0.05)
    assert torch.allclose(failure.corrupt(grey, "brightness", 4), torch.tensor(0.8))


def test_contrast_keeps_the_mean_and_blur_keeps_what_is_flat():
    pale = failure.corrupt(SMOOTH, "contrast", 2)
    assert torch.allclose(pale.mean((2, 3)), SMOOTH.mean((2, 3)), atol=1e-5)
    assert torch.allclose(pale.std((2, 3)), SMOOTH.std((2, 3)) / 2, atol=1e-4)
    flat = torch.full((1, 3, 16, 20), 0.3)
    assert torch.allclose(failure.corrupt(flat, "blur", 5), flat, atol=1e-6)
    edge = torch.zeros(1, 1, 9, 20)
    edge[..., 10:] = 1
    soft = failure.corrupt(edge, "blur", 5)
    assert torch.allclose(soft[..., 9] + soft[..., 10], torch.tensor(1.0), atol=1e-5) and soft[0, 0, 4, 9] > 0.2
    assert torch.allclose(failure.corrupt(edge.mT, "blur", 5), soft.mT, atol=1e-6)  # the same up and down


def test_fog_only_adds_light_where_the_picture_is_dark():
    black = torch.zeros(2, 3, 32, 32)
    black[..., 0, 0] = 1  # the brightest pixel sets the scale
    foggy = failure.corrupt(black, "fog", 3)
    assert foggy[..., 1:, 1:].mean() > 0.1 and foggy.std((2, 3)).min() > 0.02  # in clouds, not as an even veil


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((SHAPES.x, "rain", 1), "no corruption is called 'rain'; there are: noise, blur"),
        ((SHAPES.x, "noise", 6), "severity is a whole number from 0"),
        ((SHAPES.x, "noise", 1.5), "you gave 1.5"),
        ((SHAPES.x[0], "noise", 1), r"Add the batch axis: x\[None\]"),
        ((SHAPES.y, "noise", 1), "you gave torch.int64"),
    ],
)
def test_what_cannot_be_corrupted_is_refused_in_words(given, words):
    with pytest.raises(ValueError, match=words):
        failure.corrupt(*given)


def test_a_translation_by_whole_pixels_moves_every_pixel_right_and_down():
    x = torch.rand(2, 3, 10, 14)
    moved = failure.translate(x, right=3, down=2)
    assert torch.allclose(moved[:, :, 2:, 3:], x[:, :, :-2, :-3], atol=1e-5)
    each = failure.translate(x, right=torch.tensor([0.0, 3]), down=torch.tensor([0.0, 2]))
    assert torch.allclose(each[0], x[0], atol=1e-5) and torch.allclose(each[1], moved[1], atol=1e-5)


def test_a_rotation_by_90_degrees_is_torchs_and_counter_clockwise():
    x = torch.rand(2, 3, 16, 16)
    assert torch.allclose(failure.rotate(x, 90), x.rot90(1, (2, 3)), atol=1e-4)
    each = failure.rotate(x, torch.tensor([0.0, 180]))
    assert torch.allclose(each[0], x[0], atol=1e-5) and torch.allclose(each[1], x[1].flip(1, 2), atol=1e-4)
    oblong = torch.rand(1, 1, 12, 20)
    assert torch.allclose(failure.rotate(oblong, 180), oblong.flip(2, 3), atol=1e-4)
    quarter = failure.rotate(oblong, 90)[0, 0, :, 4:16]  # as far as the picture reaches
    assert torch.allclose(quarter, oblong[0, 0, :, 4:16].rot90(), atol=1e-4)


def test_elsewhere_are_the_same_shapes_in_the_same_places():
    away = failure.elsewhere(SHAPES, seed=1, background=(0.9, 0.9, 0.9))
    assert torch.equal(away.y, SHAPES.y)
    for factor in ("position", "scale", "rotation", "texture", "noise"):
        assert torch.equal(away.factors[factor], SHAPES.factors[factor])
    assert (away.factors["color"] - 0.9).abs().amax(1).min() >= 0.35  # still to be seen
    textured = failure.elsewhere(SHAPES, seed=1, texture=0.8)
    assert torch.equal(textured.factors["color"], SHAPES.factors["color"])
    assert torch.equal(failure.elsewhere(SHAPES, seed=1).x, SHAPES.x)


def test_as_augmentation_half_stays_and_the_rest_is_changed():
    x = (SHAPES.x.float() / 255).repeat(5, 1, 1, 1)  # (40, 3, 32, 32)
    worse = failure.Corrupted(("noise", "contrast"))(x, torch.Generator().manual_seed(0))
    same = (worse == x).flatten(1).all(1)
    assert worse.shape == x.shape and same[:20].all() and not same[20:].any()
    moved = failure.Moved(20, 3)(x, torch.Generator().manual_seed(0))
    share = (moved == x).flatten(1).all(1).float().mean()
    assert 0.25 < share < 0.75


def test_recoloured_channels_are_themselves_or_their_negatives():
    x = SHAPES.x.float() / 255
    new = failure.Recoloured()(x.repeat(5, 1, 1, 1), torch.Generator().manual_seed(0))
    same = (new == x.repeat(5, 1, 1, 1)).flatten(2).all(2)  # (40, 3)
    assert torch.allclose(new[~same], 1 - x.repeat(5, 1, 1, 1)[~same]) and 0.3 < same.float().mean() < 0.7
    assert torch.equal(failure.Recoloured(p=0.0)(x, torch.Generator()), x)


def test_the_same_generator_gives_the_same_augmentation():
    x = SHAPES.x.float() / 255
    for augment in (failure.Corrupted(("noise", "fog")), failure.Moved(), failure.Recoloured()):
        once, again = (augment(x, torch.Generator().manual_seed(3)) for _ in range(2))
        assert torch.equal(once, again)
