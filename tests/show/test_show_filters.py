"""A kernel at work on a photograph."""

import torch

from utils import filters, show

PHOTO = torch.rand(30, 40, generator=torch.Generator().manual_seed(1))


def test_signed_results_and_images_are_told_apart():
    assert "a signed map" in show.filtered(PHOTO, filters.kernel("Laplace")).alt
    assert "a grey image" in show.filtered(PHOTO, filters.kernel("box blur")).alt


def test_clipping_is_admitted_only_where_it_happens():
    assert "shown clipped" in show.filtered(PHOTO, 9 * filters.kernel("box blur")).alt
    assert "clipped" not in show.filtered(PHOTO, filters.kernel("box blur")).alt


def test_the_result_comes_from_the_function_that_was_given():
    def nothing(image, kernel):
        return torch.zeros(image.shape[0] - 2, image.shape[1] - 2)

    assert "values from 0 to 0" in show.filtered(PHOTO, filters.kernel("identity"), correlate=nothing).alt


def test_any_small_kernel_can_be_drawn():
    for kernel in (torch.ones(1, 1), torch.zeros(3, 3), torch.ones(2, 5), torch.rand(7, 7)):
        assert show.filtered(PHOTO, kernel).png
