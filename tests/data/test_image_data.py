"""Splits and subsets: every class its share, nothing twice, the same for the same seed."""

from __future__ import annotations

import pytest
import torch

from utils.data import ImageData
from utils.data.image_data import stratified


def example(n_train: int = 1000, n_test: int = 200) -> ImageData:
    """Sorted by class, as the worst copies are; every picture carries its own number, and its label."""

    def part(n):
        y = torch.arange(n) * 10 // n
        x = torch.zeros(n, 1, 1, 3, dtype=torch.uint8)
        x[:, 0, 0, 0], x[:, 0, 0, 1], x[:, 0, 0, 2] = torch.arange(n) // 256, torch.arange(n) % 256, y
        return x, y

    return ImageData("Example", tuple("abcdefghij"), *part(n_train), *part(n_test), False, "made here")


def numbers(x: torch.Tensor) -> set[int]:
    return set((x[:, 0, 0, 0].int() * 256 + x[:, 0, 0, 1]).tolist())


def test_a_split_moves_pictures_and_every_class_keeps_its_share():
    whole = example()
    parts = whole.split(validation=100)
    assert torch.bincount(parts.y_val).tolist() == [10] * 10
    assert torch.bincount(parts.y_train).tolist() == [90] * 10
    assert numbers(parts.x_val) | numbers(parts.x_train) == numbers(whole.x_train)
    assert len(parts.y_val) + len(parts.y_train) == 1000
    for x, y in ((parts.x_val, parts.y_val), (parts.x_train, parts.y_train)):
        assert torch.equal(x[:, 0, 0, 2].long(), y)  # pictures and labels stayed together
        assert y[:20].unique().numel() > 4  # and are in random order
    assert torch.equal(parts.x_test, whole.x_test) and len(whole.y_val) == 0


def test_the_seed_decides():
    assert torch.equal(example().split(100, seed=1).x_val, example().split(100, seed=1).x_val)
    assert not torch.equal(example().split(100, seed=1).x_val, example().split(100, seed=2).x_val)


def test_shares_of_unequal_classes():
    labels = torch.tensor([0] * 700 + [1] * 200 + [2] * 90 + [3] * 10)
    chosen, rest = stratified(labels, 100)
    assert torch.bincount(labels[chosen]).tolist() == [70, 20, 9, 1]
    assert sorted(chosen.tolist() + rest.tolist()) == list(range(1000))


@pytest.mark.parametrize("n", [0, 1, 3, 17, 99, 1000])
def test_any_number_is_as_even_as_whole_numbers_allow(n):
    labels = torch.arange(1000) % 10
    chosen, rest = stratified(labels, n)
    assert len(chosen) == n and len(rest) == 1000 - n
    counts = torch.bincount(labels[chosen], minlength=10)
    assert counts.max() - counts.min() <= 1


def test_a_subset_is_even_in_both_parts():
    small = example().subset(n_train=50, n_test=20, seed=3)
    assert torch.bincount(small.y_train).tolist() == [5] * 10
    assert torch.bincount(small.y_test).tolist() == [2] * 10
    assert torch.equal(small.x_train[:, 0, 0, 2].long(), small.y_train)
    assert len(example().subset(n_test=20).y_train) == 1000


@pytest.mark.parametrize("n", [0, 1000, -5])
def test_impossible_splits_are_explained(n):
    with pytest.raises(ValueError, match=r"between 1 and 999"):
        example().split(validation=n)


def test_a_share_instead_of_a_number_is_explained():
    with pytest.raises(TypeError, match=r"whole number; you gave 0.1"):
        example().split(validation=0.1)


def test_too_large_subsets_and_second_splits_are_explained():
    with pytest.raises(ValueError, match="n_test=201 does not fit"):
        example().subset(n_test=201)
    with pytest.raises(ValueError, match="split already"):
        example().split(100).split(100)


def test_one_line_says_what_it_is():
    text = repr(example().split(100))
    assert text == "Example: 900 training, 100 validation and 200 test pictures, 1×1×3 uint8, 10 classes (made here)"
    assert example()._repr_html_().startswith("<div><strong>Example</strong>: 1,000 training and 200 test")
