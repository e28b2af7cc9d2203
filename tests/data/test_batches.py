"""Batches: every picture once an epoch, in an order that only seed and epoch decide; augmented each in its own way."""

import pytest
import torch

from utils.data import Batches, Crop, Cutout, Flip

X = torch.arange(10 * 3 * 4 * 5, dtype=torch.int64).remainder(256).to(torch.uint8).view(10, 3, 4, 5)
Y = torch.arange(10)


def order(batches):
    return torch.cat([y for _, y in batches]).tolist()


def test_every_picture_once_with_its_label_as_floats():
    batches = Batches(X, Y, 4)
    assert len(batches) == 3 and [len(y) for _, y in batches] == [4, 4, 2]
    for x, y in batches:
        assert x.dtype == torch.float32 and torch.equal((x * 255).round().to(torch.uint8), X[y])
    assert sorted(order(batches)) == list(range(10)) != order(batches)


def test_pictures_in_double_precision_come_in_single():
    x, _ = next(iter(Batches(X.double() / 255, Y, 4, shuffle=False)))
    assert x.dtype == torch.float32 and torch.allclose(x, X[:4].float() / 255)


def test_order_depends_on_seed_and_epoch_only():
    one, other = Batches(X, Y, 3, seed=1), Batches(X, Y, 4, seed=1)
    first, second = order(one), order(one)
    torch.rand(7)
    assert first == order(other) and second == order(other) and first != second
    one.set_epoch(0)
    assert order(one) == first != order(Batches(X, Y, seed=2))


def test_the_end_may_be_left_out_and_the_order_kept():
    assert len(Batches(X, Y, 4, drop_last=True)) == 2 and len(order(Batches(X, Y, 4, drop_last=True))) == 8
    assert order(Batches(X, Y, 4, shuffle=False)) == list(range(10))


def test_easy_pictures_are_left_out_once_they_have_been_seen():
    batches = Batches(X, Y, 4, skip_easy=(0.2, 0.5))
    assert [batches.steps(epoch) for epoch in range(4)] == [3, 2, 2, 2] and len(batches) == 3
    seen = []
    for _, y in batches:
        seen += y.tolist()
        batches.note(y.float())  # as if picture 9 were the hardest
    assert sorted(seen) == list(range(10))
    assert sorted(order(batches)) == list(range(2, 10))  # 20 % of 10 are left out
    assert sorted(order(batches)) == sorted(order(batches)) == [5, 6, 7, 8, 9]  # and then half of them, every time
    batches.losses[0] = 9.5
    shuffled = order(batches)
    assert sorted(shuffled) == [0, 6, 7, 8, 9] != shuffled
    with pytest.raises(ValueError, match=r"skip_easy holds shares of the pictures, 0 ≤ share < 1; you gave \(0.5, 1\)"):
        Batches(X, Y, 4, skip_easy=(0.5, 1))


def test_pictures_come_in_the_layout_that_is_fast():
    x, _ = next(iter(Batches(X, Y, 4, device="cpu")))
    assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "x, y, said",
    [
        (X[:, 0], Y, r"uint8 or float \(N, C, H, W\).*torch.uint8 \(10, 4, 5\). Add the channel"),
        (X.long(), Y, "these are torch.int64"),
        (X, Y[:9], "one int64 label for each of 10 pictures"),
        (X, Y.float(), "these are torch.float32"),
        (X[:0], Y[:0], "no picture"),
        (X.float(), Y, r"go from 0 to 255. Divide uint8 pictures by 255"),
    ],
)
def test_what_does_not_fit_together_is_refused(x, y, said):
    with pytest.raises(ValueError, match=said):
        Batches(x, y)


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_a_batch_has_a_whole_number_of_pictures(size):
    with pytest.raises(ValueError, match="batch_size is a whole number"):
        Batches(X, Y, size)
    with pytest.raises(ValueError, match="leaves none of 10"):
        Batches(X, Y, 11, drop_last=True)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_crops_are_all_the_shifts_and_each_picture_has_its_own():
    x = torch.rand(400, 3, 4, 5, generator=seeded())
    cut = Crop(1)(x, seeded())
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    found = set()
    for before, after in zip(padded, cut, strict=True):
        shifts = [(i, j) for i in range(3) for j in range(3) if torch.equal(before[:, i : i + 4, j : j + 5], after)]
        assert len(shifts) == 1
        found |= set(shifts)
    assert len(found) == 9
    assert torch.equal(Crop(1)(x, seeded()), cut)


def test_a_crop_may_reflect():
    cut = Crop(1, mode="reflect")(torch.ones(50, 3, 4, 5), seeded())
    assert torch.equal(cut, torch.ones(50, 3, 4, 5))


def test_half_are_mirrored():
    x = torch.rand(400, 3, 4, 5)
    flipped = Flip()(x, seeded())
    mirrored = [torch.equal(a.flip(2), b) for a, b in zip(x, flipped, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(x, flipped, strict=True)]
    assert all(m != k for m, k in zip(mirrored, kept, strict=True)) and 150 < sum(mirrored) < 250
    assert torch.equal(Flip(0)(x, seeded()), x) and torch.equal(Flip(1)(x, seeded()), x.flip(3))


def test_cutout_is_a_square_anywhere():
    cut = Cutout(3)(torch.zeros(500, 3, 8, 9), seeded()) == 0.5
    rows, columns = cut[:, 0].any(2).sum(1), cut[:, 0].any(1).sum(1)
    assert torch.equal(cut[:, 0], cut[:, 2]) and torch.equal(cut[:, 0].sum((1, 2)), rows * columns)
    assert rows.max() == columns.max() == 3 and rows.min() >= 1  # at the border, less of it is to be seen
    assert cut[:, 0].any(0).all()


def test_augmentations_are_applied_in_order():
    batches = Batches(X, Y, 10, shuffle=False, augment=[lambda x, g: x + 1, lambda x, g: x * 2])
    x, _ = next(iter(batches))
    assert torch.allclose(x, (X.float() / 255 + 1) * 2)
