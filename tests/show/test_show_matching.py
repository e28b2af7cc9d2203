"""Detections drawn, precision against recall."""

import io

import torch
from PIL import Image

from utils import show

IMAGE, SCORE = torch.zeros(40, 60), torch.zeros(37, 57)
BOXES = torch.tensor([[4, 4, 8, 8], [20, 30, 24, 34]])
SCORE[4, 4], SCORE[10, 50] = 1.0, 0.8


def test_right_wrong_and_missed_are_counted():
    assert "1 right, 1 wrong, 1 missed" in show.detections(IMAGE, SCORE, BOXES, 0.5).alt
    assert "1 right, 0 wrong, 1 missed" in show.detections(IMAGE, SCORE, BOXES, 0.9).alt
    assert "0 right, 0 wrong, 2 missed" in show.detections(IMAGE, SCORE, BOXES, 2.0).alt


def test_each_kind_has_its_colour():
    def colours(threshold):
        image = Image.open(io.BytesIO(show.detections(IMAGE, SCORE, BOXES, threshold).png)).convert("RGB")
        below = image.crop((0, 64, *image.size))  # without the legend
        return {"#{:02X}{:02X}{:02X}".format(*colour) for _, colour in below.getcolors(10_000)} - {"#000000"}

    assert colours(0.5) == {show.GREEN, show.ORANGE, show.PINK}
    assert colours(0.9) == {show.GREEN, show.PINK}
    assert colours(2.0) == {show.PINK}


def test_the_curve_tells_the_best_balance():
    alt = show.precision_recall({"good": [(1.0, 0.5), (1.0, 1.0)], "bad": [(0.0, 0.0), (0.5, 0.5)]}).alt
    assert "good 1.00" in alt and "bad 0.50" in alt
