"""The sheet: numbers as they are written, colours that mean a sign."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from utils.show import sheet


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3.0, "3"),
        (-4.0, "−4"),
        (1 / 9, "0.11"),
        (0.5, "0.5"),
        (-0.0, "0"),
        (-0.001, "0"),
        (12.34, "12.3"),
        (-0.25, "−0.25"),
    ],
)
def test_numbers_are_short_and_have_a_true_minus(value, written):
    assert sheet.number(value) == written


def test_signed_colours_white_at_zero_and_different_on_both_sides():
    low, zero, high = sheet.signed_pixels(torch.tensor([[-2.0, 0.0, 2.0]]), 2.0)[0].astype(int)
    assert zero.min() > 240
    assert low[0] > low[2] and high[2] > high[0]  # orange, violet


def test_grey_pixels_are_clipped_not_wrapped():
    assert sheet.grey_pixels(torch.tensor([[-1.0, 0.5, 3.0]])).tolist() == [[0, 128, 255]]


def test_tints_stay_light_enough_to_read_on():
    tints = sheet.tints(torch.tensor([[-5.0, 0.0, 5.0]]))
    assert all(sum(colour) / 3 > 120 for colour in tints.values())
    assert len(set(tints.values())) == 3
    assert set(sheet.tints(torch.zeros(2, 2)).values()) == {tints[0, 1]}  # all zero: no division by zero


def test_an_image_keeps_its_pixels_sharp_and_in_place():
    paper = sheet.Sheet(40, 20)
    paper.image(10, 0, np.array([[0, 255]], dtype=np.uint8), 20, 20)
    row = pixels(paper.picture("half black, half white"))[10, :, 0]
    assert set(row[10:20]) == {0} and set(row[20:]) == {255} and set(row[:10]) == {255}


def test_cells_not_shown_stay_empty():
    def ink(shown):
        paper = sheet.Sheet(60, 60)
        paper.grid(5, 5, torch.tensor([[8.0]]), 50, shown=shown)
        return (pixels(paper.picture("one cell, maybe a number")) < 50).sum()

    assert ink(torch.tensor([[True]])) > 50
    assert ink(torch.tensor([[False]])) == 0
