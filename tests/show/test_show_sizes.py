"""The picture of landing windows agrees with PyTorch's own layers."""

import itertools
import re

import pytest
import torch
from torch import nn

from utils.show import Picture, windows
from utils.show.sizes import landings

SETTINGS = [
    setting
    for setting in itertools.product((1, 4, 7, 10), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2, 3))
    if setting[0] + 2 * setting[3] > setting[4] * (setting[1] - 1)
]


def torch_size(n, kernel_size, stride, padding, dilation):
    return nn.Conv2d(1, 1, kernel_size, stride, padding, dilation)(torch.zeros(1, 1, n, n)).shape[-1]


def test_windows_land_as_often_as_in_torch():
    assert len(SETTINGS) > 200
    for setting in SETTINGS:
        cells = landings(*setting)
        assert cells.shape == (torch_size(*setting), setting[1]), setting


def test_windows_read_what_torch_reads():
    row = torch.arange(1.0, 10)
    kernel = torch.tensor([1.0, 10, 100])
    expected = nn.functional.conv1d(row[None, None], kernel[None, None], stride=2, padding=1, dilation=2)[0, 0]
    padded = nn.functional.pad(row, (1, 1))
    assert torch.equal(padded[landings(9, 3, 2, 1, 2)] @ kernel, expected)


@pytest.mark.parametrize("setting", [(7, 3, 3, 0, 1), (9, 3, 2, 1, 2), (16, 5, 1, 2, 1), (5, 3, 1, 0, 2)])
def test_picture_tells_the_size(setting):
    drawn = windows(*setting)
    size = torch_size(*setting)
    assert isinstance(drawn, Picture)
    assert f"the output is {size}×{size}" in drawn.alt


def test_alt_text_counts_what_is_left_over():
    assert "1 cell at the end of each row left over" in windows(7, 3, 3).alt
    assert "0 cells at the end" in windows(7, 3, 2).alt


@pytest.mark.parametrize("setting", [(2, 3, 1, 0, 1), (4, 3, 1, 0, 2), (1, 7, 2, 1, 1), (3, 5, 1, 1, 3)])
def test_impossible_settings_are_refused_with_a_remedy_that_works(setting):
    n, kernel_size, stride, padding, dilation = setting
    with pytest.raises(RuntimeError):
        torch_size(*setting)
    said = windows(*setting)
    assert isinstance(said, str) and said.startswith("Impossible")
    more_padding = int(re.search(r"with (\d+) more padding", said)[1])
    more_cells = int(re.search(r"(\d+) more input cell", said)[1])
    assert torch_size(n, kernel_size, stride, padding + more_padding, dilation) >= 1
    assert torch_size(n + more_cells, kernel_size, stride, padding, dilation) == 1
