"""Detections: every peak once, every true place once."""

import pytest
import torch

from utils import matching

BOXES = torch.tensor([[2, 3, 6, 7], [2, 20, 6, 24]])


def test_peaks_come_highest_first_and_the_threshold_is_exclusive():
    score = torch.zeros(10, 30)
    score[2, 3], score[8, 25], score[5, 14] = 5.0, 7.0, 1.0
    assert matching.peaks(score, 1.0).tolist() == [[8, 25], [2, 3]]


def test_of_two_near_peaks_the_higher_stays():
    score = torch.zeros(10, 30)
    score[2, 3], score[4, 6], score[2, 20] = 5.0, 4.0, 3.0
    assert matching.peaks(score, 0.5, distance=4).tolist() == [[2, 3], [2, 20]]


def test_the_distance_itself_is_still_near():
    score = torch.zeros(10, 30)
    score[2, 3], score[2, 7] = 5.0, 5.0
    assert len(matching.peaks(score, 0.5, distance=4)) == 1
    assert len(matching.peaks(score, 0.5, distance=3)) == 2


def test_a_plateau_counts_once():
    score = torch.zeros(6, 30)
    score[2:4, 3:6] = 1.0
    assert len(matching.peaks(score, 0.5)) == 1


def test_no_peak_gives_an_empty_list_of_places():
    assert matching.peaks(torch.zeros(5, 5), 0.5).shape == (0, 2)
    with pytest.raises(ValueError, match=r"one map \(H, W\)"):
        matching.peaks(torch.zeros(1, 5, 5), 0.5)


def test_precision_and_recall():
    score = matching.precision_recall(torch.tensor([[3, 4], [9, 9], [2, 3]]), BOXES)
    assert score.hits.tolist() == [True, False, False]  # the third is the first place again
    assert (score.precision, score.recall) == (pytest.approx(1 / 3), 0.5)
    assert "1 of 3 detections" in str(score)


def test_the_tolerance_counts_in_both_directions():
    for corner, hit in (([4, 5], True), ([5, 3], False), ([2, 6], False)):
        assert matching.precision_recall(torch.tensor([corner]), BOXES).hits.tolist() == [hit]


def test_nothing_found_is_nothing_wrong():
    score = matching.precision_recall(torch.empty(0, 2, dtype=torch.int64), BOXES)
    assert (score.precision, score.recall) == (1.0, 0.0)
    with pytest.raises(ValueError, match="no true places"):
        matching.precision_recall(torch.empty(0, 2), torch.empty(0, 4))
