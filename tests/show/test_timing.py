"""Times in words and in pictures."""

import pytest

from utils import show
from utils.show import timing


@pytest.mark.parametrize(
    ("value", "words"), [(7200, "2 h"), (1.25, "1.25 s"), (0.034, "34 ms"), (5.6e-4, "560 µs"), (3e-8, "30 ns")]
)
def test_durations_take_the_unit_that_suits_them(value, words):
    assert timing.seconds(value) == words


@pytest.mark.parametrize(
    ("ratio", "words"), [(13_333, "13,000 times faster"), (3.44, "3.4 times faster"), (0.25, "4.0 times slower")]
)
def test_comparisons_are_in_words(ratio, words):
    assert timing.compared(ratio) == words


def test_bars_tell_every_time_and_refuse_an_unknown_reference():
    times = {"loops": 1.5, "conv2d": 2e-5}
    assert "loops 1.5 s, conv2d 20 µs" in show.timings(times).alt
    assert show.timings(times).png != show.timings(times, than="conv2d").png
    with pytest.raises(ValueError, match="loops, conv2d"):
        show.timings(times, than="unfold")


def test_growth_tells_both_ends():
    assert "fast from 1 to 2" in show.growth([3, 9], {"fast": [1.0, 2.0]}, "kernel size (pixels)").alt
