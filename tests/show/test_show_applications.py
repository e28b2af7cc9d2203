"""Chapter 09's pictures: what they say is what is so, and impossible ones are refused."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from utils import data, show
from utils.show.applications import painted
from utils.show.picture import PALETTE


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def colours_in(picture):
    return {
        "#" + "".join(f"{v:02X}" for v in colour) for colour in np.unique(pixels_of(picture).reshape(-1, 3), axis=0)
    }


def test_the_overlap_of_two_boxes_is_worked_out():
    alt = show.overlap((0, 0, 4, 2), (2, 1, 6, 4)).alt
    assert "areas 8 and 12; they have 2 in common, their union is 18, so the IoU is 0.111" in alt
    assert "0 in common, their union is 8, so the IoU is 0.000" in show.overlap((0, 0, 2, 2), (5, 0, 7, 2)).alt
    assert "#8FD3BC" in colours_in(show.overlap((0, 0, 4, 2), (2, 1, 6, 4)))
    assert "#8FD3BC" not in colours_in(show.overlap((0, 0, 2, 2), (5, 0, 7, 2)))


def test_a_box_turned_inside_out_is_refused():
    with pytest.raises(ValueError, match="box b is turned inside out: x1 must be less than x2"):
        show.overlap((0, 0, 4, 2), (5, 1, 4, 2))


def test_boxes_are_drawn_in_the_colour_of_their_class():
    scenes = data.scenes(2, objects=2)
    picture = show.boxed(scenes.x, scenes.boxes, torch.tensor([[1, 1], [1, -1]]), scenes.classes, captions=["a", "b"])
    assert picture.alt == "2 pictures with 3 boxes, coloured by class. Below them: a; b."
    frames = (pixels_of(picture)[50:] == [int(PALETTE[1][i : i + 2], 16) for i in (1, 3, 5)]).all(2).sum()
    none = show.boxed(scenes.x, scenes.boxes, torch.full((2, 2), -1), scenes.classes)
    assert frames > 300 and "0 boxes" in none.alt
    with_truth = show.boxed(scenes.x, scenes.boxes, scenes.y, scenes.classes, truth=scenes.boxes, scores=scenes.y + 0.5)
    assert "the true ones in white" in with_truth.alt


def test_boxes_without_pictures_are_refused():
    scenes = data.scenes(3, objects=1)
    with pytest.raises(ValueError, match="3 pictures need as many lists of boxes and labels; here 2, 3"):
        show.boxed(scenes.x, scenes.boxes[:2], scenes.y, scenes.classes)


def test_boxes_outside_a_picture_are_cut_off_or_left_out():
    x = torch.zeros(1, 3, 20, 20)
    outside = show.boxed(x, [torch.tensor([[30.0, 30, 40, 40], [-5, -5, -1, -1]])], [torch.tensor([0, 1])], ("a", "b"))
    inside = show.boxed(x, [torch.tensor([[5.0, 5, 400, 400]])], [torch.tensor([0])], ("a", "b"))
    assert not (pixels_of(outside)[40:] == (0, 114, 178)).all(2).any()
    assert pixels_of(inside).shape == pixels_of(outside).shape


def test_windows_are_counted_as_they_are():
    answers = torch.zeros(5, 9, 9)
    answers[2, 4, 5] = 9.0
    picture = show.slid(torch.rand(3, 64, 64), answers, 0.9, 4, data.KINDS)
    assert "9×9 windows, 4 pixels apart. Surer than 0.90 that something is there: 1; the surest" in picture.alt
    assert (
        "something is there: 0." in show.slid(torch.rand(3, 64, 64), answers[:, ::2, ::2] * 0, 0.9, 8, data.KINDS).alt
    )


def test_labels_have_the_colours_of_their_classes():
    drawn = painted(torch.tensor([[0, 1], [2, 2]]))
    assert drawn[0, 0].tolist() == [232] * 3 and drawn[0, 1].tolist() == [0, 0x72, 0xB2]
    scenes = data.scenes(3, size=32)
    rows = {"truth": scenes.masks, "all ground": scenes.masks * 0}
    picture = show.segmented(scenes.x, rows, scenes.classes, captions=["0.5", "0.6", "0.7"])
    assert picture.alt.endswith("in rows: truth, all ground. Below them: 0.5, 0.6, 0.7.")
    with pytest.raises(
        ValueError, match=r"truth: labels \(3, 32, 32\) expected, one for each pixel; these: \(2, 32, 32\)"
    ):
        show.segmented(scenes.x, {"truth": scenes.masks[:2]}, scenes.classes)


def test_neighbours_are_framed_by_whether_they_are_right():
    x = torch.zeros(2, 3, 8, 8)
    found = {"pixels": torch.zeros(2, 3, 3, 8, 8)}
    picture = show.retrieved(
        x, found, {"pixels": torch.tensor([[True, True, False], [False] * 3])}, names=["cat", "dog"]
    )
    assert picture.alt == "Queries: 2. Beside each the 3 pictures most like it. pixels: 2 of 6 of the same class."
    assert {"#009E73", "#D55E00"} <= colours_in(picture)
    right = show.retrieved(x, found, {"pixels": torch.ones(2, 3, dtype=torch.bool)})
    assert "#D55E00" not in colours_in(right)
