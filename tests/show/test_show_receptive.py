"""The receptive field that is drawn is the support of a gradient."""

import pytest
import torch
import torch.nn.functional as F

from utils.show import Picture, influence, receptive_field
from utils.show.receptive import paths

STACKS = [[], [(3, 1, 1)] * 3, [(3, 2, 1), (3, 1, 1)], [(2, 2, 1), (3, 1, 2), (5, 3, 2)], [(3, 2, 2), (3, 1, 2)]]


@pytest.mark.parametrize("layers", STACKS)
def test_paths_are_the_gradient_of_an_all_ones_stack(layers):
    x = torch.zeros(1, 1, 200, dtype=torch.float64, requires_grad=True)
    y = x
    for k, s, d in layers:
        y = F.conv1d(y, torch.ones(1, 1, k, dtype=y.dtype), stride=s, dilation=d)
    y[0, 0, 0].backward()  # the first output's field begins at the first pixel
    expected = x.grad[0, 0, : int(x.grad[0, 0].nonzero().max()) + 1]
    assert torch.equal(paths(layers), expected)


def test_picture_names_every_size_and_the_holes():
    drawn = receptive_field(torch.rand(3, 64, 64), [(3, 2, 2), (3, 1, 2)])
    assert isinstance(drawn, Picture)
    assert "sees 5, then 13 pixels" in drawn.alt
    assert f"{int((paths([(3, 2, 2), (3, 1, 2)]) == 0).sum())} of its 13 rows" in drawn.alt


def test_grey_photos_and_corners_can_be_drawn():
    assert isinstance(receptive_field(torch.rand(40, 50), [(7, 1, 1)], at=(0, 49)), Picture)


def test_a_field_larger_than_the_photo_is_said_so():
    said = receptive_field(torch.rand(3, 20, 30), [(7, 4, 1), (7, 1, 1)])
    assert isinstance(said, str) and "31×31" in said and "20×30" in said


def test_influence_is_drawn():
    assert "21×21" in influence(torch.rand(21, 21), 21).alt
