"""Chapter 07's figures say in words what they show."""

import io

import numpy as np
import pytest
from PIL import Image

from utils import results, show
from utils.show.architectures import place


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


HISTORY = results.load("architectures_history")


def test_the_timeline_tells_names_and_errors():
    picture = show.timeline(HISTORY)
    for words in ("1998 LeNet-5", "2015 ResNet, the input is carried", "2020 ViT", "2012 16.4", "next best had 26.2"):
        assert words in picture.alt
    assert pixels_of(picture).shape[1] > 1000


def test_years_stand_in_order_and_the_gap_is_short():
    places = [place(year) for year in (1998, 2010, 2011, 2022)]
    assert places == sorted(places) and places[2] - places[1] == 1 and 1 < places[1] - places[0] < 4


def test_the_lectures_figures_are_in_the_file():
    errors = {row["year"]: row["error"] for row in HISTORY.about["errors"]}
    assert (errors[2012], HISTORY.about["next_best_2012"]) == (16.4, 26.2)
    assert HISTORY.about["residual"] == {
        "plain": {"18": 27.94, "34": 28.54},
        "residual": {"18": 27.88, "34": 25.03},
    }
    assert [row["name"] for row in HISTORY.rows][:5] == ["LeNet-5", "AlexNet", "VGG", "GoogLeNet", "ResNet"]


def test_costs_are_told_for_every_network():
    rows = [
        {"name": name, "parameters": p, "multiply_adds": m, "top1": t}
        for name, p, m, t in (("small", 1e6, 5e8, 60.0), ("large", 1e8, 1.5e10, 72.5), ("beside it", 9e7, 1.6e10, 72.0))
    ]
    assert "small 0.50, 60.0 %; large 15.00, 72.5 %" in show.costs(rows).alt


def test_gradients_are_told_from_the_first_layer_to_the_last():
    picture = show.by_layer({"plain": [[100.0, 10, 1], [100, 10, 1]], "residual": [[1.0, 1, 1]]}, "title")
    assert "plain: 1e+02 in the first layer, 1 in the last of 3; residual: 1 in the first layer" in picture.alt
    assert "0 in the last" not in show.by_layer({"dead": [[1.0, 0.0]]}).alt
    with pytest.raises(ValueError, match="no gradient to draw"):
        show.by_layer({})


def test_lines_with_spread_tell_their_numbers():
    picture = show.with_spread({"error (%)": {"plain": {8: (50.0, 1.25), 20: (60, 2)}}}, "layers", alt="So it is.")
    assert picture.alt == "So it is. error (%), plain: 8: 50.0 ± 1.2, 20: 60.0 ± 2.0."
    two = show.with_spread({"a": {"x": {1: (1, 0)}}, "b": {"x": {1: (1, 0)}}}, "n", log=True)
    assert pixels_of(two).shape[1] > pixels_of(show.with_spread({"a": {"x": {1: (1, 0)}}}, "n")).shape[1]
    with pytest.raises(ValueError, match="no line to draw"):
        show.with_spread({"error": {}}, "layers")


def test_branches_draw_bars_as_long_as_their_costs():
    def of(large):
        costs = {"1×1": [("1×1", 10, 100)], "3×3": [("reduce", 5, 50), ("3×3", 20, large)]}
        return show.branches(costs, (35, 150 + large), (90, 1000), 8)

    picture = of(600)
    assert "3 convolutions and 8 channels out: 35 parameters and 750 multiply-adds" in picture.alt
    assert "It needs 75%" in picture.alt
    row = pixels_of(picture)[44 + 2 * 30]  # the third convolution's
    other = pixels_of(of(300))[44 + 2 * 30]
    green = [int((abs(each.astype(int) - [0, 158, 115]).sum(1) < 30).sum()) for each in (row, other)]
    assert green[0] == pytest.approx(2 * green[1], abs=4) and green[1] > 50
