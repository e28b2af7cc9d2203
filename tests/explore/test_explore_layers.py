"""Chapter 02's explorers: controls move, pictures follow, nothing is decided in the widget."""

import torch

from utils import explore, show


def test_output_size_starts_where_the_lectures_stumble():
    explorer = explore.output_size()
    assert explorer.picture.alt == show.windows(7, 3, 3).alt


def test_output_size_follows_every_slider_and_refuses_in_words():
    explorer = explore.output_size()
    explorer.widget  # noqa: B018  the controls are wired when the widget is first asked for
    for name, value in (("padding", 1), ("dilation", 2), ("n", 9), ("kernel_size", 5), ("stride", 1)):
        before = explorer.picture
        explorer.controls[name].value = value
        assert explorer.picture != before
    assert explorer.picture.alt == show.windows(9, 5, 1, 1, 2).alt
    explorer.controls["n"].value = 1
    assert explorer.picture.startswith("Impossible")


def test_receptive_field_takes_the_sliders_layer_by_layer():
    photo = torch.rand(3, 64, 64)
    explorer = explore.receptive_field(photo, at=(20, 30), stack=((3, 1, 1), (2, 2, 1)))
    explorer.widget  # noqa: B018
    assert explorer.picture.alt == show.receptive_field(photo, [(3, 1, 1), (2, 2, 1)], (20, 30)).alt
    explorer.controls["stride_1"].value = 2
    explorer.controls["dilation_2"].value = 3
    assert explorer.picture.alt == show.receptive_field(photo, [(3, 2, 1), (2, 2, 3)], (20, 30)).alt
    explorer.controls["kernel_size_2"].value = 7
    assert "sees 3, then 39 pixels" in explorer.picture.alt


def test_worked_example_reaches_every_output_and_no_further():
    x, weight, bias = torch.rand(2, 5, 6), torch.rand(3, 2, 3, 3), torch.rand(3)
    explorer = explore.worked_example(x, weight, bias)
    explorer.widget  # noqa: B018
    assert [control.max for control in explorer.controls.values()] == [2, 3, 2]
    for control in explorer.controls.values():
        control.value = control.max
    assert explorer.picture.alt == show.worked_position(x, weight, bias, 2, 3, 2).alt
