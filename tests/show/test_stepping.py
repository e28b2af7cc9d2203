"""The kernel that steps across a matrix, and the arithmetic below it."""

import pytest
import torch

from utils import filters, show
from utils.show import stepping

IMAGE = torch.tensor([[12.0, 3, 19], [25, 10, 1], [9, 7, 17]])
KERNEL = torch.tensor([[1.0, -2], [3, 4]])


def test_the_products_of_the_position_are_written_out():
    window = IMAGE[0:2, 1:3]
    assert stepping.arithmetic(window, KERNEL) == ["   3·1 + 19·(−2)", "+ 10·3 + 1·4"]
    assert "row 0, column 1: " in show.step(IMAGE, KERNEL, 1).alt
    assert "= −1." in show.step(IMAGE, KERNEL, 1).alt


def test_every_position_is_another_picture():
    pictures = {show.step(IMAGE, KERNEL, position).png for position in range(4)}
    assert len(pictures) == 4


def test_a_function_that_disagrees_with_the_arithmetic_is_named():
    def flipped(image, kernel):
        return filters.correlate(image, kernel.flip(0, 1))

    assert "but flipped says 90 here" in show.step(IMAGE, torch.tensor([[1.0, 2], [3, 4]]), 1, correlate=flipped).alt
    assert "but" not in show.step(IMAGE, torch.ones(2, 2), 1, correlate=flipped).alt


@pytest.mark.parametrize("position", [-1, 4])
def test_a_position_outside_is_refused(position):
    with pytest.raises(ValueError, match="the output has 4"):
        show.step(IMAGE, KERNEL, position)


def test_node_graph_counts_lines_and_weights():
    alt = show.node_graph(3, 3, torch.full((2, 2), 0.5)).alt
    assert "9 input nodes" in alt and "4 output nodes" in alt and "only 4 inputs" in alt and "weights, 0.5," in alt
    with pytest.raises(ValueError, match="does not fit"):
        show.node_graph(2, 3, torch.ones(3, 3))
