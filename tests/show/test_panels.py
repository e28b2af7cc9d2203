"""Images and matrices side by side."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from utils import show

GREY = torch.rand(20, 30)


def size(picture):
    return Image.open(io.BytesIO(picture.png)).size


def dark(picture):
    return (np.asarray(Image.open(io.BytesIO(picture.png))) < 80).sum()


def test_panels_stand_side_by_side_or_in_rows():
    one = size(show.images({"a": GREY}, "one grey image"))
    two = size(show.images({"a": GREY, "b": GREY}, "two grey images"))
    stacked = size(show.images({"a": GREY, "b": GREY}, "two grey images", columns=1))
    assert two[0] > 1.6 * one[0] and stacked[1] > 1.6 * one[1]


def test_a_signed_map_gets_a_scale_of_its_own():
    plain = size(show.images({"a": GREY - 0.5}, "a map without a scale"))
    scaled = size(show.images({"a": GREY - 0.5}, "a map with its scale", signed=["a"]))
    assert scaled != plain
    assert show.images({"a": torch.zeros(4, 4)}, "nothing but zeros", signed=True).png  # a scale of zero width


def test_a_colour_image_and_nothing_at_all_are_refused():
    with pytest.raises(ValueError, match=r"b has shape \(3, 4, 4\)"):
        show.images({"b": torch.zeros(3, 4, 4)}, "a colour image here")
    for draw in (show.images, show.grids):
        with pytest.raises(ValueError, match="empty"):
            draw({}, "nothing to see here")


def test_grids_grow_with_their_matrices_and_leave_zeros_out_on_request():
    small = show.grids({"A": torch.eye(2)}, "a small matrix here")
    large = show.grids({"A": torch.eye(2), "B": torch.ones(5, 4)}, "two matrices, one larger")
    assert size(large)[0] > size(small)[0] and size(large)[1] > size(small)[1]
    assert dark(show.grids({"A": torch.eye(2)}, "a small matrix here", zeros=False)) < dark(small)


def test_every_picture_has_its_alt_text():
    assert show.grids({"A": torch.eye(2)}, "a  unit\nmatrix").alt == "a unit matrix"
