"""Shapes-10: the shapes are where the factors say, and every factor can be fixed, drawn from a range, or given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from utils import data

PLAIN = {"background": (0, 0, 0), "color": (1, 1, 1), "texture": 0, "noise": 0, "position": (0, 0), "rotation": 0}


def areas(**factors) -> torch.Tensor:
    """How many pixels each of the ten shapes covers, and the pictures (10, 32, 32), white on black."""
    picture = data.shapes10(10, labels=range(10), **PLAIN | {"scale": 1.0} | factors).x[:, 0].double() / 255
    return picture.sum((1, 2)), picture


def test_format():
    shapes = data.shapes10(50)
    assert shapes.x.shape == (50, 3, 32, 32) and shapes.x.dtype == torch.uint8
    assert shapes.y.dtype == torch.int64 and torch.bincount(shapes.y).tolist() == [5] * 10
    assert shapes.classes == data.SHAPES and len(set(data.SHAPES)) == 10
    assert {name: tuple(values.shape) for name, values in shapes.factors.items()} == {
        "background": (50, 3),
        "color": (50, 3),
        "position": (50, 2),
        "scale": (50,),
        "rotation": (50,),
        "texture": (50,),
        "noise": (50,),
    }


def test_the_seed_decides():
    first, again, other = data.shapes10(300, seed=5), data.shapes10(300, seed=5), data.shapes10(300, seed=6)
    assert torch.equal(first.x, again.x) and torch.equal(first.y, again.y)
    assert not torch.equal(first.x, other.x) and not torch.equal(first.y, other.y)
    for name in first.factors:
        assert not torch.equal(first.factors[name], other.factors[name]), name


def test_areas_are_those_of_geometry():
    area, _ = areas()
    r = 10.0
    hexagon = 1.5 * 3**0.5 * r**2
    triangle = 0.75 * 3**0.5 * r**2
    cross = 4 * 9.5 * 3 * 2 - 4 * 3 * 3 * 1  # two bars of 19 × 6, the middle counted once
    star = 5 * r * 4.2 * np.sin(np.pi / 5)
    expected = {
        "circle": np.pi * 8.5**2,
        "square": 15.0**2,
        "triangle": triangle,
        "star": star,
        "cross": 2 * 19 * 6 - 36,
        "ring": np.pi * (9.0**2 - 5.0**2),
        "arrow": 11 * 5.6 + 0.5 * 17 * 9,
        "hexagon": hexagon,
    }
    assert cross > 0
    for name, exact in expected.items():
        assert area[data.SHAPES.index(name)].item() == pytest.approx(exact, rel=0.03), name


def test_turned_by_a_right_angle_the_picture_turns():
    _, upright = areas()
    _, turned = areas(rotation=90.0)  # counter-clockwise, as torch.rot90 turns
    assert torch.allclose(torch.rot90(upright, 1, (1, 2)), turned, atol=2 / 255)


def test_position_moves_right_and_down():
    _, middle = areas()
    _, moved = areas(position=(3, -2))
    assert torch.allclose(torch.roll(middle, (-2, 3), (1, 2)), moved, atol=2 / 255)


def test_area_grows_with_the_square_of_the_scale():
    small, large = areas(scale=0.6)[0], areas(scale=1.2)[0]
    assert torch.allclose(large / small, torch.tensor(4.0, dtype=torch.double), rtol=0.05)


def test_upright_shapes_stand_upright():
    _, pictures = areas()
    rows = torch.arange(32.0, dtype=torch.double)
    star, triangle, heart, arrow = (pictures[data.SHAPES.index(s)] for s in ("star", "triangle", "heart", "arrow"))
    assert triangle.sum(1).argmax() > 15 and heart.sum(1).argmax() < 15  # broad at the bottom, broad at the top
    assert (arrow.sum(0) * rows).sum() / arrow.sum() > 15.5  # the head, on the right, outweighs the shaft
    assert (star.sum(1) > 0).nonzero()[0] == 6  # a tip points up


def test_colours_are_as_given_inside_and_outside():
    shapes = data.shapes10(10, labels=np.ones(10, int), **PLAIN | {"color": (1.0, 0.5, 0.0), "background": (0, 0, 1)})
    assert (shapes.x[:, :, 16, 16] == torch.tensor([255, 128, 0], dtype=torch.uint8)).all()
    assert (shapes.x[:, :, 0, 0] == torch.tensor([0, 0, 255], dtype=torch.uint8)).all()


def test_a_factor_may_be_given_for_every_picture():
    y = torch.arange(40) % 10
    grounds = torch.rand(10, 3, generator=torch.Generator().manual_seed(0))
    shapes = data.shapes10(40, labels=y, background=grounds[y], texture=0, noise=0)
    assert torch.equal(shapes.y, y) and torch.equal(shapes.factors["background"], grounds[y])
    corner = shapes.x[:, :, 0, 0].float() / 255
    assert torch.allclose(corner, grounds[y], atol=1 / 255)


def test_a_range_is_drawn_from():
    values = data.shapes10(500, rotation=(-180, 180), scale=(0.5, 0.6)).factors
    assert values["rotation"].min() < -150 and values["rotation"].max() > 150
    assert values["scale"].min() >= 0.5 and values["scale"].max() <= 0.6


def test_one_factor_changed_leaves_the_others_alone():
    first = data.shapes10(200, color=(1, 1, 1))
    second = data.shapes10(200, color=(1, 1, 1), background=(0, 0, 0), noise=0.0)
    assert torch.equal(first.y, second.y)
    for name in ("position", "scale", "rotation", "texture"):
        assert torch.equal(first.factors[name], second.factors[name])


def test_two_pictures_may_be_given_as_an_array_or_drawn_from_a_pair():
    assert data.shapes10(2, scale=np.array([0.5, 1.0])).factors["scale"].tolist() == [0.5, 1.0]
    drawn = data.shapes10(2, scale=(0.5, 1.0)).factors["scale"]
    assert ((drawn > 0.5) & (drawn < 1)).all()


def test_colours_can_be_told_from_their_backgrounds():
    factors = data.shapes10(5000).factors
    contrast = (factors["color"] - factors["background"]).abs().amax(1)
    assert contrast.min() > 0.2 and (contrast >= 0.35).float().mean() > 0.99


def test_noise_and_texture_have_the_size_that_was_asked_for():
    grey = {"background": (0.5, 0.5, 0.5), "color": (0.5, 0.5, 0.5)}
    noisy = data.shapes10(50, **grey, texture=0, noise=0.1).x.double() / 255
    assert noisy.std().item() == pytest.approx(0.1, rel=0.02)
    blotchy = data.shapes10(50, **grey, texture=0.3, noise=0).x[:, :, 0].double() / 255
    assert 0.7 < blotchy.max() <= 0.8 + 1 / 255 and 0.2 - 1 / 255 <= blotchy.min() < 0.3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "n is the number of pictures"),
        ({"n": 2.5}, "n is the number of pictures"),
        ({"labels": [0, 1]}, "labels must be 5 whole numbers from 0 to 9"),
        ({"labels": [0, 1, 2, 3, 10]}, "labels must be 5 whole numbers from 0 to 9"),
        ({"labels": [0.0, 1.0, 2.0, 3.0, 4.0]}, "labels must be 5 whole numbers"),
        ({"color": 0.5}, "color has the shape .* It takes 3 numbers"),
        ({"scale": np.ones(4)}, r"scale has the shape \(4,\).*shape \(5,\)"),
        ({"scale": 0}, "scale must be greater than 0"),
        ({"rotation": float("nan")}, "rotation holds a value that is not a finite number"),
        ({"background": np.ones((4, 3))}, r"array or tensor of shape \(5, 3\)"),
    ],
)
def test_what_cannot_be_drawn_is_explained(arguments, words):
    with pytest.raises(ValueError, match=words):
        data.shapes10(**{"n": 5} | arguments)


def test_easy_for_neighbourhoods_hard_for_single_pixels():
    """The nearest training picture, pixel by pixel, says little: what counts is the shape, not where it is."""
    train, test = data.shapes10(500, seed=0), data.shapes10(200, seed=1)
    nearest = torch.cdist(test.x.float().flatten(1), train.x.float().flatten(1)).argmin(1)
    assert (train.y[nearest] == test.y).float().mean() < 0.4
