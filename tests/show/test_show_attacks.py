"""Before and after: both pictures and what was added are there, and the words are the network's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from utils import show

CLASSES = ("dark", "light")


class Mean(nn.Module):
    """Light is what is brighter than 0.5."""

    def forward(self, x):
        mean = x.mean((1, 2, 3))
        return 20 * torch.stack([0.5 - mean, mean - 0.5], 1)


X, Y = torch.full((2, 3, 8, 8), 0.45), torch.tensor([0, 1])
LIGHTER = X + 0.1


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def count(picture, grey):
    return (pixels(picture) == round(255 * grey)).all(-1).sum()


def test_both_pictures_are_shown_and_the_text_says_what_changed():
    picture = show.before_and_after(Mean(), X, LIGHTER, Y, CLASSES, size=100)
    assert count(picture, 0.45) > 15_000 and count(picture, 0.55) > 15_000
    assert "2 pictures before and after a change of at most 0.1 in a pixel" in picture.alt
    assert "1 right before, 1 after." in picture.alt
    assert "The first, of class dark, is called dark before, light after." in picture.alt


def test_what_was_added_is_shown_between_them_in_the_colours_of_its_sign():
    plain = show.before_and_after(Mean(), X, LIGHTER, Y, CLASSES)
    up, down = (show.before_and_after(Mean(), X, x, Y, CLASSES, difference=True) for x in (LIGHTER, X - 0.1))
    assert pixels(up).shape[1] > pixels(plain).shape[1]
    height, width, _ = pixels(up).shape
    red, _, blue = pixels(up)[height // 4, width // 2].astype(int)
    assert blue > red  # violet: lighter
    red, _, blue = pixels(down)[height // 4, width // 2].astype(int)
    assert red > blue  # orange: darker


def test_a_picture_that_did_not_change_is_no_trouble():
    picture = show.before_and_after(Mean(), X, X, Y, CLASSES, difference=True)
    assert "at most 0 in a pixel" in picture.alt


def test_bytes_are_shown_like_numbers():
    bytes_ = (255 * X).round().to(torch.uint8)
    assert count(show.before_and_after(Mean(), bytes_, LIGHTER, Y, CLASSES, size=100), 0.45) > 15_000


def test_pictures_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="one of each is wanted"):
        show.before_and_after(Mean(), X, LIGHTER[:1], Y, CLASSES)
    with pytest.raises(ValueError, match="and 1 labels"):
        show.before_and_after(Mean(), X, LIGHTER, Y[:1], CLASSES)
