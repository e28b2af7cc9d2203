"""Chapter 05's explorers: pressing a cell opens its pictures, in whichever way it is pressed."""

import pytest
import torch
from torch import nn

from utils import explore, show

CLASSES = ("cat", "dog", "hippopotamus")
LOGITS = torch.tensor([[2.0, 1, 0], [0, 3, 1], [9, 0, 0], [0, 0.1, 0], [1, 0, 4], [3, 0, 0]])
Y = torch.tensor([0, 1, 1, 2, 2, 1])  # mistakes: dog taken for cat (twice), hippopotamus for dog
X = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def explorer():
    explorer = explore.confusion(Y, LOGITS, X, CLASSES)
    explorer.widget  # noqa: B018  the controls are wired when the widget is first asked for
    return explorer


def framed(matrix):
    return [
        (i, j) for i, row in enumerate(matrix.cells) for j, cell in enumerate(row) if cell.layout is matrix.frames[1]
    ]


def test_it_opens_with_the_most_frequent_mistake(explorer):
    assert explorer.controls["cell"].value == (1, 0) and framed(explorer.controls["cell"]) == [(1, 0)]
    assert explorer.picture == show.confused(X, Y, LOGITS, CLASSES, "dog", "cat")
    assert explore.confusion(Y, LOGITS, X, CLASSES, start=(2, 2)).picture.alt.startswith("Pictures of class hippo")


def test_pressing_a_cell_opens_it_once_and_the_menus_follow(explorer):
    matrix, opened = explorer.controls["cell"], []
    matrix.observe(lambda change: opened.append(change.new), names="value")
    matrix.cells[2][1].click()
    assert opened == [(2, 1)] and framed(matrix) == [(2, 1)]
    assert (matrix.actual.value, matrix.guessed.value) == (2, 1)
    assert explorer.picture == show.confused(X, Y, LOGITS, CLASSES, 2, 1)
    matrix.cells[2][1].click()
    assert opened == [(2, 1)]


def test_the_menus_choose_the_same(explorer):
    matrix = explorer.controls["cell"]
    matrix.actual.value = 2
    assert matrix.value == (2, 0) and explorer.picture == "No picture of class hippopotamus is taken for cat."
    matrix.guessed.value = 2
    assert framed(matrix) == [(2, 2)] and "hippopotamus, recognised: all 1" in explorer.picture.alt


def test_every_cell_has_its_count_a_colour_and_words_for_those_who_cannot_see_it(explorer):
    cells = explorer.controls["cell"].cells
    assert [[cell.description for cell in row] for row in cells] == [["1", "0", "0"], ["2", "1", "0"], ["0", "1", "1"]]
    assert cells[1][0].tooltip == "2 of class dog taken for cat" and cells[1][1].tooltip == "1 of class dog recognised"
    assert (
        cells[0][1].style.button_color == "#ffffff" != cells[1][0].style.button_color != cells[0][0].style.button_color
    )


def test_too_many_classes_and_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"21 classes make too many buttons; look at show\.confusion"):
        explore.confusion(Y, LOGITS, X, [str(i) for i in range(21)])
    with pytest.raises(ValueError, match="5 labels for 6 answers"):
        explore.confusion(Y[:5], LOGITS, X, CLASSES)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 3))


def test_feature_maps_follow_picture_and_layer(net):
    explorer = explore.feature_maps(net, X)
    explorer.widget  # noqa: B018
    assert explorer.controls["layer"].options == (("0  Conv2d", "0"), ("1  ReLU", "1"))
    assert explorer.picture == show.feature_maps(net, X[0], ["0"], 24)
    explorer.controls["picture"].value = 5
    explorer.controls["layer"].value = "1"
    assert explorer.picture == show.feature_maps(net, X[5], ["1"], 24)


def test_one_picture_is_enough_and_a_network_without_maps_is_refused(net):
    explorer = explore.feature_maps(net, X[:1])
    explorer.widget  # noqa: B018
    explorer.controls["picture"].value = 1  # a slider needs two ends
    assert explorer.picture == show.feature_maps(net, X[0], ["0"], 24)
    with pytest.raises(ValueError, match="no layer of this network answers with maps"):
        explore.feature_maps(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), X)
