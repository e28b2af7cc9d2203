"""Chapter 08's pictures: what they say is what torch computes, and impossible ones are refused."""

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from utils import results, show
from utils.show.autoencoders import limits


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


X = torch.tensor([[0.0, 1], [2, 3]])


def test_stamps_add_up_to_the_lectures_example():
    picture = show.stamps(X, X)
    assert "[[0.0, 0.0, 1.0], [0.0, 4.0, 6.0], [4.0, 12.0, 9.0]]" in picture.alt
    assert "4 pixels each stamp a 2×2 kernel, 1 apart" in picture.alt and "cut off" not in picture.alt


@pytest.mark.parametrize(
    ("stride", "padding", "output_padding"), [(2, 1, 0), (2, 1, 1), (3, 0, 2), (2, 2, 1), (3, 1, 2)]
)
def test_stamps_are_cut_as_torch_cuts_them(stride, padding, output_padding):
    weight = torch.arange(1.0, 13).view(3, 4)
    wanted = F.conv_transpose2d(X[None, None], weight[None, None], None, stride, padding, output_padding)[0, 0]
    assert str(wanted.tolist()) in show.stamps(X, weight, stride, padding, output_padding).alt


def test_a_padding_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="padding=2 cuts off everything: the stamps cover 2×2 pixels"):
        show.stamps(X, torch.ones(1, 1), padding=2)


def test_rows_of_pictures_show_small_ones_as_large_as_the_others():
    x = torch.rand(5, 3, 8, 8)
    picture = show.rebuilt({"original": x, "small": x[:, :, ::2, ::2], "dark": x * 0}, list("abcde"), note="So it is.")
    assert picture.alt == "5 pictures in 3 rows: original, small, dark. So it is."
    other = show.rebuilt({"original": x, "small": x[:, :, ::2, ::2], "dark": x * 0 + 2}, list("abcde"))
    assert pixels_of(picture).shape == pixels_of(other).shape
    changed = (pixels_of(picture) != pixels_of(other)).any(2).any(1).nonzero()[0]
    assert changed.min() > 2 * 64  # only the third row of pictures


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"as many pictures as there are columns; these have \[2, 3\]"):
        show.rebuilt({"a": torch.rand(2, 1, 4, 4), "b": torch.rand(3, 1, 4, 4)})
    with pytest.raises(ValueError, match="every row needs"):
        show.rebuilt({"a": torch.rand(2, 1, 4, 4)}, ["one"])


def decoder(z):
    """A picture as bright as the first number of its code."""
    return z[:, :1, None, None].expand(-1, 1, 6, 6)


Z, Y = torch.rand(50, 2, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 10


def test_codes_show_what_a_point_decodes_to_and_whose_code_is_nearest():
    point = (float(Z[7, 0]), float(Z[7, 1]) + 1e-3)
    picture = show.codes(decoder, Z, Y, point)
    assert "50 digits" in picture.alt and "nearest code is that of a 7" in picture.alt
    assert pixels_of(picture).shape[1] > pixels_of(show.codes(decoder, Z, Y)).shape[1]
    bright, dark = (pixels_of(show.codes(decoder, Z, Y, (value, 0.5)))[110, 490] for value in (0.9, 0.1))
    assert bright.mean() > dark.mean() + 100


def test_codes_of_more_numbers_are_refused():
    with pytest.raises(ValueError, match=r"codes of two numbers, \(N, 2\), are wanted; these are \(50, 3\)"):
        show.codes(decoder, torch.rand(50, 3), Y)


def test_the_plane_is_decoded_from_left_to_right_and_from_top_to_bottom():
    def seen(z):
        seen.grid = z
        return decoder(z)

    picture = show.decoded_plane(seen, Z, steps=3, size=20)
    (left, low), (right, high) = (corner.tolist() for corner in limits(Z))
    assert seen.grid[0].tolist() == pytest.approx([left, high]) and seen.grid[-1].tolist() == pytest.approx(
        [right, low]
    )
    rows = pixels_of(picture).mean(2)
    assert rows[40, 22] < rows[40, 42] < rows[40, 62] and "3×3 codes" in picture.alt


def test_recorded_denoisers_are_drawn_with_their_numbers():
    picture = show.by_levels(results.load("autoencoders_noise"), "More is better.")
    row = results.load("autoencoders_noise").rows[-1]
    assert str(row["at 0.3"]) in picture.alt and picture.alt.endswith("More is better.")
