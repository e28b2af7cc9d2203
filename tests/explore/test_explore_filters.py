"""Chapter 01's explorers, without a browser: what the controls do to the picture."""

import pytest
import torch

from utils import explore, filters
from utils.explore.controls import OWN, KernelEditor, Position

PHOTO = torch.rand(12, 14, generator=torch.Generator().manual_seed(2))
IMAGE = torch.tensor([[12.0, 3, 19], [25, 10, 1], [9, 7, 17]])
KERNEL = torch.tensor([[1.0, 2], [3, 4]])


def test_a_preset_fills_the_cells_at_one_stroke():
    editor, seen = KernelEditor(filters.KERNELS, "identity"), []
    editor.observe(lambda change: seen.append(change.new), names="value")
    editor.menu.value = "Sobel x"
    assert [cell.value for cell in editor.cells] == [-1, 0, 1, -2, 0, 2, -1, 0, 1]
    assert seen == [(-1, 0, 1, -2, 0, 2, -1, 0, 1)]  # one change, so one redrawing


def test_a_preset_is_exact_though_its_cells_are_rounded():
    editor = KernelEditor(filters.KERNELS, "box blur")
    assert sum(editor.value) == pytest.approx(1, abs=1e-12) and editor.cells[0].value == 0.1111


def test_an_edited_cell_makes_the_menu_say_own_and_a_preset_brings_it_back():
    editor = KernelEditor(filters.KERNELS, "identity")
    editor.cells[5].value = 2.0
    assert editor.menu.value == OWN and editor.value == (0, 0, 0, 0, 1, 2, 0, 0, 0)
    editor.menu.value = "identity"
    assert editor.value == (0, 0, 0, 0, 1, 0, 0, 0, 0)


def test_the_kernel_explorer_follows_its_editor():
    explorer = explore.kernel(PHOTO, "identity")
    assert explorer.widget and "kernel 0 0 0; 0 1 0; 0 0 0" in explorer.picture.alt
    explorer.controls["kernel"].cells[0].value = -1.0
    assert "kernel −1 0 0; 0 1 0; 0 0 0" in explorer.picture.alt
    with pytest.raises(ValueError, match="Sobel x"):
        explore.kernel(PHOTO, "Sobel z")


def test_slider_player_and_pad_move_together():
    position = Position(2, 3)
    position.pad[4].click()
    assert (position.value, position.slider.value, position.play.value) == (4, 4, 4)
    position.play.value = 5
    assert (position.value, position.slider.value) == (5, 5)
    position.slider.value = 1
    assert [button.button_style for button in position.pad] == ["info", "success", "", "", "", ""]


def test_the_step_explorer_follows_its_position():
    explorer = explore.step(IMAGE, KERNEL)
    assert explorer.widget and "= 133." in explorer.picture.alt
    explorer.controls["position"].slider.value = 3
    assert "= 101." in explorer.picture.alt


def test_a_single_position_is_no_problem_and_a_huge_matrix_is_refused():
    assert "= 2." in explore.step(torch.eye(2), torch.tensor([[1.0, -1], [-1, 1]])).picture.alt
    with pytest.raises(ValueError, match="take a corner"):
        explore.step(PHOTO, torch.ones(1, 1))


def test_the_threshold_decides_what_is_found():
    score = torch.zeros(37, 57)
    score[4, 4], score[20, 30] = 1.0, 0.5
    boxes = torch.tensor([[4, 4, 8, 8], [20, 30, 24, 34]])
    explorer = explore.threshold(torch.zeros(40, 60), score, boxes, start=0.8)
    assert explorer.widget and "1 right, 0 wrong, 1 missed" in explorer.picture.alt
    explorer.controls["threshold"].value = 0.3
    assert "2 right, 0 wrong, 0 missed" in explorer.picture.alt


def unfinished(image, kernel):
    raise NotImplementedError


def wrong_size(image, kernel):
    return image


def stops(image, kernel):
    return image[99]


@pytest.mark.parametrize(
    ("mine", "words"),
    [(unfinished, "not finished yet"), (wrong_size, "returns shape"), (stops, "stopped with IndexError")],
)
def test_trouble_in_the_learners_own_function_is_said_not_raised(mine, words):
    assert words in explore.kernel(PHOTO, correlate=mine).picture
    assert words in explore.step(IMAGE, KERNEL, correlate=mine).picture
