"""Scenes: boxes and masks say what is drawn, each difficulty changes what it is to change and nothing else."""

import pytest
import torch

from utils import data
from utils.data.shapes import shapes10


@pytest.fixture(scope="module")
def plain():
    return data.scenes(60, noise=0.0)


def test_shapes_types_and_repeatability(plain):
    assert plain.x.dtype == torch.uint8 and plain.x.shape == (60, 3, 48, 48)
    assert plain.boxes.shape == (60, 3, 4) and plain.y.shape == (60, 3) and plain.masks.shape == (60, 48, 48)
    again = data.scenes(60, noise=0.0)
    assert all(torch.equal(vars(plain)[name], vars(again)[name]) for name in ("x", "boxes", "y", "masks"))
    assert not torch.equal(plain.x, data.scenes(60, seed=1, noise=0.0).x)
    assert "60 scenes, 3×48×48 uint8" in repr(plain) and "circle, triangle, star, cross" in repr(plain)


def test_every_mask_lies_in_its_box_and_touches_all_four_edges(plain):
    for boxes, y, mask in zip(plain.boxes, plain.y, plain.masks, strict=True):
        assert set(mask.unique().tolist()) <= {0, *(y[y >= 0] + 1).tolist()}
        outside = mask.clone()
        for x1, y1, x2, y2 in boxes[y >= 0].int().tolist():
            outside[y1:y2, x1:x2] = 0
        assert not outside.any()
    alone = data.scenes(30, objects=1, noise=0.0)
    for (x1, y1, x2, y2), mask in zip(alone.boxes[:, 0].int().tolist(), alone.masks, strict=True):
        rows, columns = (mask > 0).any(1).nonzero(), (mask > 0).any(0).nonzero()
        assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == [x1, y1, x2, y2]


def test_where_there_is_no_shape_there_is_no_box(plain):
    none = plain.y < 0
    assert none.any() and (plain.boxes[none] == 0).all()
    inside = plain.boxes[~none]
    assert (inside[:, 2:] > inside[:, :2]).all() and inside.min() >= 0 and inside.max() <= 48


def test_as_many_shapes_as_asked_for_and_all_classes():
    two = data.scenes(80, objects=2)
    assert (two.y >= 0).all() and two.y.shape == (80, 2) and set(two.y.flatten().tolist()) == {0, 1, 2, 3}
    ranged = (data.scenes(80, objects=(1, 4)).y >= 0).sum(1)
    assert set(ranged.tolist()) == {1, 2, 3, 4}
    named = data.scenes(5, classes=("heart", "ring"))
    assert named.classes == ("heart", "ring") and named.y.max() <= 1


def test_shapes_seldom_cover_one_another():
    scenes = data.scenes(100, objects=3, size=64)
    centres = (scenes.boxes[..., :2] + scenes.boxes[..., 2:]) / 2
    apart = torch.cdist(centres, centres)[:, [0, 0, 1], [1, 2, 2]]
    assert (apart > 10).double().mean() > 0.98


def test_a_bar_hides_its_share_and_leaves_box_and_class(plain):
    half = data.scenes(60, noise=0.0, covered=0.5)
    assert torch.equal(half.boxes, plain.boxes) and torch.equal(half.y, plain.y)
    seen = (half.masks > 0).sum() / (plain.masks > 0).sum()
    assert 0.35 < seen < 0.65
    assert torch.equal(half.masks > 0, (half.masks > 0) & (plain.masks == half.masks))  # what is seen is what was there
    same = half.masks == plain.masks
    assert (half.x != plain.x).any(1)[~same].all()  # where a shape has gone, something else is drawn


def test_light_takes_away_and_changes_no_mask(plain):
    dark = data.scenes(60, noise=0.0, dark=0.9)
    assert torch.equal(dark.masks, plain.masks)
    share = dark.x.float().mean((1, 2, 3)) / plain.x.float().mean((1, 2, 3))
    assert ((share > 0.35) & (share < 0.8)).all()
    corners = [(0, 0), (0, 47), (47, 0), (47, 47)]
    ratio = torch.stack([dark.x[:, :, r, c].sum(1) / plain.x[:, :, r, c].sum(1).clamp(min=1) for r, c in corners])
    assert ratio.min(0).values.mean() < 0.35 and ratio.max(0).values.mean() > 0.75


def test_another_viewpoint_makes_shapes_narrower_and_not_lower():
    kinds = {"classes": ("circle",), "objects": 1, "noise": 0.0}
    front, side = data.scenes(40, **kinds).boxes[:, 0], data.scenes(40, turn=60.0, **kinds).boxes[:, 0]
    width, height = (side[:, 2:] - side[:, :2]).mean(0) / (front[:, 2:] - front[:, :2]).mean(0)
    assert width == pytest.approx(0.5, abs=0.07) and height == pytest.approx(1, abs=0.02)


def test_bending_changes_the_shape_where_it_is(plain):
    bent = data.scenes(60, noise=0.0, bend=1.0)
    changed = (bent.masks != plain.masks).double().mean()
    assert 0.005 < changed < 0.1
    assert torch.equal(bent.y, plain.y)


def test_scenes_are_taken_in_slices(plain):
    some = plain[10:20]
    assert len(some) == 10 and torch.equal(some.x, plain.x[10:20]) and torch.equal(some.masks, plain.masks[10:20])
    assert torch.equal(some.boxes, plain.boxes[10:20]) and torch.equal(some.y, plain.y[10:20])
    with pytest.raises(TypeError, match=r"as a slice, as in scenes\[:100\]"):
        plain[3]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"n": 0}, "a whole number from 1 on; you gave 0"),
        ({"size": 8}, "16 to 512 pixels; you gave 8"),
        ({"objects": (3, 1)}, "at least 1; you gave 3 to 1"),
        ({"classes": ("circle", "moon")}, "no shape is called moon; there are: circle"),
        ({"colour": 1}, "no factor colour; there are: scale, rotation"),
        ({"covered": 0.95}, "covered lies between 0 and 0.9; 0.95 to 0.95 was asked for"),
        ({"turn": 90.0}, "turn lies between 0 and 75"),
        ({"scale": 3.0}, "does not fit into 48×48 pixels"),
        ({"dark": [1, 2, 3]}, "dark has the shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        data.scenes(**({"n": 3} | wrong))


def test_shapes10_still_draws_what_it_did():
    assert int(shapes10(20, seed=3).x.long().sum()) == 6299288
