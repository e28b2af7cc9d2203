"""Retrieval: nearest neighbours, precision at k, verification."""

import pytest
import torch

from utils.applications import retrieval

VECTORS = retrieval.unit(torch.tensor([[1.0, 0], [2, 0.1], [0, 1], [0.1, 3], [-1, 0]]))
Y = torch.tensor([0, 0, 1, 1, 2])


def test_vectors_have_length_one_and_keep_their_direction():
    assert torch.allclose(VECTORS.norm(dim=1), torch.ones(5))
    x = torch.rand(3, 3, 4, 5)
    assert retrieval.unit(x).shape == (3, 60) and torch.allclose(retrieval.unit(x), retrieval.unit(7 * x))


def test_pixels_are_compared_without_brightness_and_contrast():
    x = torch.randint(0, 100, (2, 3, 4, 4), dtype=torch.uint8)
    assert torch.allclose(retrieval.pixels(x), retrieval.pixels(x.float() * 1.5 + 20), atol=1e-5)


def test_the_most_similar_come_first():
    assert retrieval.nearest(VECTORS[:1], VECTORS, 3).tolist() == [[0, 1, 3]]
    with pytest.raises(ValueError, match="between 1 and the 5 pictures of the gallery; you gave 6"):
        retrieval.nearest(VECTORS, VECTORS, 6)


def test_precision_is_the_share_of_the_same_class():
    order = torch.tensor([[0, 1], [2, 0]])
    assert retrieval.precision_at(order, torch.tensor([0, 1]), Y) == 0.75


def test_verification_is_judged_over_all_pairs():
    found = retrieval.verification(VECTORS, Y)
    assert found["auc"] == found["right"] == 1.0 and 0.2 < found["threshold"] <= 1
    mixed = retrieval.verification(VECTORS, torch.tensor([0, 1, 2, 3, 0]))
    assert mixed["auc"] < 0.5 <= mixed["right"] < 1
