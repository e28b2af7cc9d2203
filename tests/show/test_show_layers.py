"""Pictures of layers: their alt texts tell torch's numbers."""

import io
import math

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from utils import show
from utils.show.layers import written


def size(picture):
    return Image.open(io.BytesIO(picture.png)).size


def test_worked_position_writes_out_torch_s_number():
    torch.manual_seed(0)
    x, weight = torch.randint(-3, 4, (3, 5, 6)).float(), torch.randint(-3, 4, (2, 3, 3, 3)).float()
    bias = torch.tensor([1.0, -2.0])
    y = F.conv2d(x[None], weight, bias)[0]
    for place in ((0, 0, 0), (2, 3, 1), (1, 2, 1)):
        drawn = show.worked_position(x, weight, bias, *place)
        row, column, filter = place
        assert drawn.alt.endswith(f"= {written(float(y[filter, row, column]))}.")
    assert "bias (−2)" in drawn.alt


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (-0.0, "0"), (-4.0, "−4"), (math.inf, "∞"), (-math.inf, "−∞"), (0.25, "0.25")]
)
def test_numbers_are_written_short(value, text):
    assert written(value) == text


def test_number_grids_leave_room_for_every_grid():
    one = show.number_grids({"a": torch.eye(3)}, alt="one grid of numbers")
    frames = {"a": [(0, 0, 2, 2), (1, 1, 2, 2)]}
    three = show.number_grids({"a": torch.eye(3), "b": torch.eye(5), "c": torch.eye(2)}, "three of them here", frames)
    assert size(three)[0] > 2 * size(one)[0] and size(three)[1] > size(one)[1]


def test_columns_tell_their_number():
    assert "4×6 matrix" in show.columns(torch.arange(12.0).view(3, 4), 2).alt


def test_connections_count_their_weights():
    alt = show.connections(5, 3).alt
    assert "9 outputs and 25 inputs" in alt
    assert "with 225 different weights" in alt and "local with 81" in alt and "in which 9 weights" in alt


def test_activation_maps_name_their_filters():
    names = ["left", "right", "up", "down", "spot"]
    drawn = show.activation_maps(torch.rand(3, 8, 8), torch.randn(5, 6, 6), names)
    assert "5 activation maps" in drawn.alt and all(name in drawn.alt for name in names)
    assert isinstance(show.activation_maps(torch.rand(1, 8, 8), torch.zeros(1, 6, 6), ["nothing"]), show.Picture)


def test_padding_modes_name_zeros_by_their_name():
    assert "zeros, reflect" in show.padding_modes(torch.rand(3, 9, 9), 3, ("constant", "reflect")).alt


def test_bars_and_curves_keep_the_alt_text():
    assert show.bars({"a": 1.0, "b": 1e6}, "number", alt="two bars of numbers").alt == "two bars of numbers"
    assert show.bars({"a": 1.0, "b": 0.5}, "share", alt="two bars of shares", log=False).png
    assert show.curves([1, 2], {"a": [1, 2], "b": [2, 1]}, "x", "y", alt="two lines that cross").png
