"""Chapter 07's explorers: a slider redraws, and what they say is what torch counts."""

import torch

from utils import explore, models
from utils.explore.architectures import draw_gradients, draw_inception


def test_gradients_follow_depth_shortcuts_and_batch_norm():
    explorer = explore.gradients(start=8)
    assert explorer.widget and "plain" in explorer.picture.alt and "last of 7" in explorer.picture.alt
    explorer.controls["depth"].value = 20
    assert "last of 19" in explorer.picture.alt
    explorer.controls["shortcuts"].value = False
    assert "residual" not in explorer.picture.alt
    before = explorer.picture.alt
    explorer.controls["batch_norm"].value = False
    assert explorer.picture.alt != before


def test_gradients_leave_the_random_numbers_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    draw_gradients.__wrapped__(8, True, True)
    assert torch.equal(torch.rand(1), expected)


def test_an_inception_block_costs_what_torch_counts():
    explorer = explore.inception()
    assert explorer.widget
    block = models.inception(192, 64, 96, 128, 16, 32, 32)
    products = models.multiply_adds(block, (192, 28, 28))
    assert f"{models.count(block):,} parameters and {products:,} multiply-adds" in explorer.picture.alt
    assert "without 1×1 reductions 393,472 and 308,281,344. It needs 42%" in explorer.picture.alt
    explorer.controls["n5_reduce"].value = 192
    assert "256 channels out" in explorer.picture.alt and "It needs 42%" not in explorer.picture.alt
    explorer.controls["n5"].value = 64
    assert "288 channels out" in explorer.picture.alt


def test_a_reduction_can_cost_more_than_it_saves():
    assert "It needs 1" in draw_inception(64, 192, 128, 192, 32, 32).alt  # more than 100 %
