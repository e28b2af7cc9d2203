"""The kernels are what their names say, and a learner's function is looked at before it is drawn."""

import pytest
import torch
from scipy import signal

from utils import filters

PHOTO = torch.rand(9, 7, generator=torch.Generator().manual_seed(0))


def test_kernels_that_keep_brightness_sum_to_one_and_edge_kernels_to_zero():
    sums = {name: round(float(filters.kernel(name).sum()), 5) for name in filters.KERNELS}
    ones = {"identity", "box blur", "Gaussian", "sharpen"}
    assert {name for name, total in sums.items() if total == 1} == ones
    assert {name for name, total in sums.items() if total == 0} == set(filters.KERNELS) - ones


def test_sobel_answers_with_a_positive_number_where_it_gets_brighter():
    ramp = torch.arange(5.0).repeat(5, 1)
    assert (filters.correlate(ramp, filters.kernel("Sobel x")) == 8).all()
    assert (filters.correlate(ramp.T, filters.kernel("Sobel y")) == 8).all()


def test_correlate_agrees_with_scipy():
    kernel = torch.rand(2, 3)
    expected = torch.from_numpy(signal.correlate2d(PHOTO, kernel, mode="valid"))
    assert torch.allclose(filters.correlate(PHOTO, kernel), expected)


@pytest.mark.parametrize(
    ("image", "kernel", "correlate", "words"),
    [
        (PHOTO[None], filters.kernel("identity"), filters.correlate, "one grey channel"),
        (PHOTO[:2], filters.kernel("identity"), filters.correlate, "does not fit"),
        (PHOTO, filters.kernel("identity"), lambda image, kernel: None, "returns a NoneType"),
        (PHOTO, filters.kernel("identity"), lambda image, kernel: image, r"returns shape \(9, 7\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(image, kernel, correlate, words):
    with pytest.raises(ValueError, match=words):
        filters.filtered(image, kernel, correlate)


def test_an_unknown_kernel_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="box blur"):
        filters.kernel("blurr")
