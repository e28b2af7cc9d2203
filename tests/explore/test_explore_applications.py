"""Chapter 09's explorers: a slider redraws, an impossible setting says why."""

import pytest
import torch

from utils import data, explore
from utils.applications import detection, retrieval, segmentation, style, windows


def test_two_boxes_follow_the_sliders_and_stay_on_the_plane():
    explorer = explore.iou()
    assert explorer.widget is explorer.widget and "IoU is 0.125" in explorer.picture.alt
    explorer.controls["x"].value = 9
    assert "leave the plane, which ends at 10: x2 would be 13, y2 7" in explorer.picture
    for name, value in {"x": 1, "y": 1, "width": 5, "height": 4}.items():
        explorer.controls[name].value = value
    assert "IoU is 1.000" in explorer.picture.alt


def test_a_coarser_stride_asks_fewer_windows():
    torch.manual_seed(0)
    picture = torch.rand(3, 64, 72)
    answers = windows.slide(windows.WindowNet().eval(), picture)
    explorer = explore.sliding(picture, answers, data.KINDS)
    assert explorer.widget and "9×11 windows, 4 pixels apart" in explorer.picture.alt
    explorer.controls["stride"].value = 16
    assert "3×3 windows, 16 pixels apart" in explorer.picture.alt
    explorer.controls["threshold"].value = 0.3
    assert "Surer than 0.30" in explorer.picture.alt


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return detection.Detector(width=4).eval()


def test_a_lower_threshold_gives_more_boxes_and_an_nms_of_ones_own_is_asked(detector):
    scenes = data.scenes(5)
    explorer = explore.detector(detector, scenes)
    assert explorer.widget
    explorer.controls["threshold"].value = 0.95
    assert "4 pictures with 0 boxes" in explorer.picture.alt
    explorer.controls["threshold"].value = 0.05
    many = explorer.picture.alt
    assert "with 0 boxes" not in many
    explorer.controls["overlap"].value = 0.05
    assert explorer.picture.alt != many
    own = explore.detector(detector, scenes, lambda boxes, scores, threshold: [0] if len(boxes) else [])
    assert own.widget
    own.controls["threshold"].value = 0.05
    assert "4 pictures with 4 boxes" in own.picture.alt

    def unfinished(boxes, scores, threshold):
        raise NotImplementedError

    assert "not finished yet" in explore.detector(detector, scenes, unfinished).picture


def test_scenes_to_segment_become_as_hard_as_the_sliders_say():
    torch.manual_seed(0)
    explorer = explore.segmentation(segmentation.UNet(width=2).eval(), data.KINDS)
    assert explorer.widget and "rows: truth, network" in explorer.picture.alt
    for name, value in {"covered": 0.5, "dark": 0.8, "turn": 40, "scene": 3}.items():
        before = explorer.picture.png
        explorer.controls[name].value = value
        assert explorer.picture.png != before, name


def test_neighbours_of_another_picture_and_more_of_them():
    x, y = torch.rand(12, 3, 8, 8), torch.arange(12) % 3
    explorer = explore.retrieval(
        x, y, {"pixels": retrieval.pixels(x), "noise": retrieval.unit(torch.rand(12, 4))}, "abc"
    )
    assert explorer.widget and "the 6 pictures most like it. pixels: " in explorer.picture.alt
    explorer.controls["k"].value = 3
    assert "of 3 of the same class; noise: " in explorer.picture.alt
    before = explorer.picture.png
    explorer.controls["picture"].value = 7
    assert explorer.picture.png != before


def test_a_query_is_not_its_own_neighbour():
    x = torch.rand(5, 3, 4, 4)
    same = torch.tensor([0, 1, 2, 3, 4])
    explorer = explore.retrieval(x, same, {"pixels": retrieval.pixels(x)}, "abcde")
    assert explorer.controls["k"].max == 4
    assert "pixels: 0 of 4 of the same class" in explorer.picture.alt


def test_styles_are_chosen_among_those_that_were_made():
    photos = [data.photo(name, size=(24, 24)) for name in ("cat", "brick")]
    runs = {w: style.restyle(style.network(), *photos, weight=w, steps=4, keep=2) for w in (1.0, 100.0)}
    explorer = explore.style(*photos, runs)
    assert explorer.widget and "weight 100, step 4" in explorer.picture.alt
    explorer.controls["weight"].value = 1.0
    explorer.controls["step"].value = 2
    assert "weight 1, step 2" in explorer.picture.alt
    assert f"content, {runs[1.0]['content'][0]:.2f} away" in explorer.picture.alt
