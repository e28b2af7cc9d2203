"""Chapter 06's small trainings: they repeat themselves, and each setting does what it says."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils import data, trials

TINY = trials.Trial(pictures=40, epochs=1, batch_size=20, channels=(2, 2, 2))


@pytest.fixture(scope="module")
def pictures():
    x, y = data.shapes10(600, seed=1).x, data.shapes10(600, seed=1).y
    whole = data.ImageData("shapes", tuple("abcdefghij"), x[:500], y[:500], x[500:], y[500:], True, "drawn")
    return trials.small(whole, n_train=280, n_val=40)


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_small_pictures_are_means_and_come_in_parts(pictures):
    assert pictures.x_train.shape == (280, 3, 16, 16) and len(pictures.y_val) == 40 and len(pictures.y_test) == 100
    x = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).view(2, 3, 4, 4)
    assert trials.shrink(x, 2)[0, 0].tolist() == [[2, 4], [10, 12]]  # 2.5 and 4.5 are rounded to even
    assert "16×16" in pictures.origin
    with pytest.raises(ValueError, match="does not divide 16"):
        trials.small(pictures, size=5)


def test_the_same_seed_is_the_same_training(pictures):
    one, same, other = (trials.run(TINY, pictures, seed) for seed in (3, 3, 4))
    assert torch.equal(weights(one.net), weights(same.net)) and one.scores == same.scores
    assert not torch.equal(weights(one.net), weights(other.net))
    assert set(one.scores) == {f"{part}_{what}" for part in ("train", "val", "test") for what in ("accuracy", "loss")}
    assert "test_loss" not in trials.run(TINY, pictures, test=False).scores


def test_the_seed_also_chooses_pictures_unless_they_are_chosen(pictures, monkeypatch):
    seen = []
    fit = trials.training.fit
    monkeypatch.setattr(
        trials.training, "fit", lambda net, train, *a, **k: (seen.append(train), fit(net, train, *a, **k))[1]
    )
    for seed, chosen in ((0, None), (1, None), (2, 0)):
        trials.run(TINY, pictures, seed, chosen=chosen)
    assert not torch.equal(seen[0][0], seen[1][0]) and torch.equal(seen[0][0], seen[2][0])


def test_penalties_are_sums_over_weights_without_biases():
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[3.0, -4.0]])
        net.bias[:] = 100
    logits, y = torch.tensor([[1.0, 2.0]]), torch.tensor([0])
    plain = float(F.cross_entropy(logits, y))
    for l1, l2, price in ((0, 0, 0), (0.1, 0, 0.7), (0, 0.1, 2.5)):
        assert math.isclose(trials.penalised(net, l1, l2)(logits, y).item(), plain + price, rel_tol=1e-6)


@pytest.mark.parametrize("name", trials.REGULARISERS)
def test_every_regulariser_changes_the_training(pictures, name):
    def short(trial):
        few = max(1, round(trial.epochs / 30))
        return trials.run(trial.changed(epochs=3 * few, pictures=trial.pictures // 20), pictures, test=False)

    plain, other = short(trials.PLAIN), short(trials.REGULARISERS[name])
    if name == "none":
        assert torch.equal(weights(plain.net), weights(other.net))
    elif name != "early stopping":  # three epochs are too few for it to end
        same = weights(plain.net).shape == weights(other.net).shape
        assert not same or not torch.equal(weights(plain.net), weights(other.net))


def test_early_stopping_goes_back_to_the_best(pictures):
    run = trials.run(TINY.changed(epochs=12, patience=2, lr=0.1), pictures, test=False)
    assert run.history.best_epoch < len(run.history) < 12, "it never got worse: nothing was tested"
    assert run.scores["val_accuracy"] == max(run.history["val_accuracy"])
    assert run.scores["val_loss"] == pytest.approx(run.history.best["val_loss"], rel=1e-4)


def test_the_tables_are_what_they_say():
    assert trials.REGULARISERS["all five"] == trials.together(*trials.TOGETHER) and len(trials.TOGETHER) == 5
    for left in trials.TOGETHER:
        assert trials.REGULARISERS[f"all but {left}"] != trials.REGULARISERS["all five"]
    named = ("flip", "vertical flip", "rotation", "scaling", "crop", "translation", "Gaussian noise", "salt and pepper")
    assert set(named) | {"brightness", "contrast", "saturation"} <= set(trials.AUGMENTATIONS)
    steps = {name: trial.pictures * trial.epochs for name, trial in trials.REGULARISERS.items() if "long" not in name}
    assert max(steps.values()) <= 1.1 * min(steps.values())  # one budget
    assert {trial.pictures for trial in trials.AUGMENTATIONS.values()} == {1000}


@pytest.mark.parametrize("name", trials.OPTIMISERS)
def test_every_optimiser_learns(name):
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = trials.OPTIMISERS[name]([weight], lr=0.01, weight_decay=0.0)
    for _ in range(3):
        weight.grad = torch.tensor([2.0])
        optimizer.step()
    assert weight < 1


def test_schedules_go_from_one_to_small():
    for name, schedule in trials.SCHEDULES.items():
        factors = [schedule(share / 50) for share in range(50)]
        assert max(factors) == 1 and min(factors) >= 0
        assert (factors[-1] < 0.1) == (name != "constant")


def test_tuning_walks_on_while_the_best_is_at_the_edge():
    asked = []

    def loss_at(lr):
        asked.append(lr)
        return abs(math.log10(lr) - 1)  # best at 10

    found = trials.tuned(loss_at, first=0.1, factor=10)
    assert min(found, key=found.get) == pytest.approx(10) and max(found) == pytest.approx(100)
    assert len(asked) == len(found) == 5
    assert min(trials.tuned(loss_at, first=1000.0, factor=10)) == pytest.approx(1)
    assert len(trials.tuned(lambda lr: -lr, first=1.0, factor=10, most=6)) == 6


def test_a_collection_has_frames_of_its_scenes(pictures):
    x, y, scene = trials.collection(pictures, scenes=20, frames=3, singles=30)
    assert x.shape == (90, 3, 16, 16) and x.dtype == torch.uint8
    counts = scene.unique(return_counts=True)[1]
    assert sorted(counts.tolist()) == [1] * 30 + [3] * 20
    apart = torch.cdist(x.flatten(1).double(), x.flatten(1).double()) / 255 / 768**0.5
    same = scene[:, None] == scene[None]
    assert apart[same].max() < 0.08 < apart[~same].min()
    assert all(len(y[scene == one].unique()) == 1 for one in scene.unique())
    with pytest.raises(ValueError, match="more than the 280"):
        trials.collection(pictures, scenes=200, singles=100)


def test_judging_trains_on_all_and_asks_about_the_others(pictures, monkeypatch):
    seen = []
    run = trials.run
    monkeypatch.setattr(
        trials, "run", lambda trial, parts, *a, **k: (seen.append((trial, parts)), run(trial, parts, *a, **k))[1]
    )
    x, y = pictures.x_train, pictures.y_train
    right = trials.judge(TINY, (x[:50], y[:50]), (x[50:80], y[50:80]), pictures.classes)
    ((trial, parts),) = seen
    assert right.shape == (30,) and right.dtype == torch.bool
    assert trial.pictures == len(parts.y_train) == 50 and torch.equal(parts.x_val, x[50:80])
