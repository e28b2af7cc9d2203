"""Chapter 06's exercises: right answers in several styles pass; what the catalogue does not hold fails all the same."""

import copy
import statistics

import numpy as np
import pytest
import torch

from utils.checks import judged, yours_or_torch


def stopping_with_a_counter(model, train_epoch, patience, epochs):
    best, waited, kept, best_epoch = float("inf"), 0, None, 0
    for epoch in range(1, epochs + 1):
        loss = train_epoch(model)
        if loss < best:
            best, waited, best_epoch = loss, 0, epoch
            kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        else:
            waited += 1
            if waited >= patience:
                break
    model.load_state_dict(kept)
    return best_epoch


def stopping_by_epochs_since_the_best(model, train_epoch, patience, epochs):
    losses, copies = [], []
    while len(losses) < epochs:
        losses.append(train_epoch(model))
        copies.append(copy.deepcopy(model).state_dict())
        best = losses.index(min(losses))
        if len(losses) - 1 - best == patience:
            break
    model.load_state_dict(copies[best])
    return best + 1


def stopping_with_tensors(model, train_epoch, patience, epochs):
    losses, kept = torch.empty(0), None
    for _ in range(epochs):
        losses = torch.cat([losses, torch.tensor([train_epoch(model)])])
        if len(losses) == 1 or losses[-1] < losses[:-1].min():
            kept = copy.deepcopy(model.state_dict())
        if len(losses) > patience and (losses[-patience:] >= losses[:-patience].min()).all():
            break
    model.load_state_dict(kept)
    return int(losses.argmin()) + 1


def duplicates_at_once(train, test, threshold):
    a, b = train.flatten(1).float() / 255, test.flatten(1).float() / 255
    distance = (b[:, None] - a[None]).square().mean(2).sqrt()
    return (distance.min(dim=1).values < threshold).nonzero().flatten()


def duplicates_by_loop(train, test, threshold):
    found = []
    for i, picture in enumerate(test):
        rest = (train.double() - picture.double()) / 255
        if rest.pow(2).mean((1, 2, 3)).sqrt().min() < threshold:
            found.append(i)
    return torch.tensor(found, dtype=torch.int64)


def duplicates_as_a_mask(train, test, threshold):
    x, z = (p.numpy().reshape(len(p), -1) / 255 for p in (train, test))
    return np.array([np.sqrt(((x - row) ** 2).mean(1)).min() < threshold for row in z])


def split_with_isin(groups, share, generator):
    different = groups.unique()
    order = torch.randperm(len(different), generator=generator)
    chosen = different[order[: round(share * len(different))]]
    inside = torch.isin(groups, chosen)
    return (~inside).nonzero().flatten(), inside.nonzero().flatten()


def split_with_a_set(groups, share, generator):
    names = sorted(set(groups.tolist()))
    shuffled = [names[i] for i in torch.randperm(len(names), generator=generator)]
    test_names = set(shuffled[: int(share * len(names))])
    train = [i for i, name in enumerate(groups.tolist()) if name not in test_names]
    test = [i for i, name in enumerate(groups.tolist()) if name in test_names]
    return torch.tensor(train), torch.tensor(test)


def split_with_a_key(groups, share, generator):
    names, member = groups.unique(return_inverse=True)
    luck = torch.rand(len(names), generator=generator)
    limit = luck.sort().values[int(share * len(names))]
    mask = (luck < limit)[member]
    return torch.where(~mask)[0].numpy(), torch.where(mask)[0].numpy()


def interval_by_hand(accuracies):
    from scipy import stats

    n = len(accuracies)
    half = stats.t.ppf(0.975, n - 1) * accuracies.std() / n**0.5
    return accuracies.mean() - half, accuracies.mean() + half


def interval_of_scipys_test(accuracies):
    from scipy import stats

    found = stats.ttest_1samp(accuracies.numpy(), 0).confidence_interval(0.95)
    return found.low, found.high


def interval_with_python(accuracies):
    from scipy import stats

    values = accuracies.tolist()
    error = statistics.stdev(values) / len(values) ** 0.5
    half = error * float(stats.t(len(values) - 1).isf(0.025))
    return [statistics.fmean(values) - half, statistics.fmean(values) + half]


STYLES = {
    "early_stopping": [stopping_with_a_counter, stopping_by_epochs_since_the_best, stopping_with_tensors],
    "near_duplicates": [duplicates_at_once, duplicates_by_loop, duplicates_as_a_mask],
    "split_by_group": [split_with_isin, split_with_a_set, split_with_a_key],
    "seed_interval": [interval_by_hand, interval_of_scipys_test, interval_with_python],
}


@pytest.mark.parametrize("name, style", [(name, style) for name, styles in STYLES.items() for style in styles])
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


def for_ever(model, train_epoch, patience, epochs):
    while True:
        train_epoch(model)


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("early_stopping", for_ever, "the most there may be"),
        ("early_stopping", lambda *given: stopping_with_a_counter(*given) and None, "best epoch is None"),
        ("early_stopping", lambda *given: float(stopping_with_a_counter(*given)), "a float"),
        ("near_duplicates", lambda train, test, limit: [], "not a tensor"),
        ("near_duplicates", lambda train, test, limit: torch.zeros(len(train) + 99, dtype=torch.bool), "a mask"),
        ("near_duplicates", lambda train, test, limit: duplicates_at_once(train, test.fill_(3), limit), "in place"),
        ("near_duplicates", lambda train, test, limit: duplicates_at_once(train, test, limit).float(), "indices"),
        ("split_by_group", lambda groups, share, generator: torch.arange(len(groups)), "two results"),
        ("split_by_group", lambda groups, share, generator: split_with_isin(groups, 0.5, generator), "share"),
        ("split_by_group", lambda *given: [part + 5000 for part in split_with_isin(*given)], "leave that range"),
        ("seed_interval", lambda accuracies: accuracies.mean(), "two numbers"),
        ("seed_interval", lambda accuracies: (accuracies - 1, accuracies + 1), "one number"),
        ("seed_interval", lambda accuracies: interval_by_hand(accuracies)[::-1], "width"),
    ],
)
def test_what_is_wrong_in_another_way_fails(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text


def test_in_place_of_an_open_exercise_torchs_own_goes_on():
    def open_exercise(*given):
        raise NotImplementedError

    groups = torch.arange(30) // 3
    train, test = yours_or_torch("split_by_group", open_exercise)(groups, 0.3, torch.Generator().manual_seed(1))
    assert len(train) + len(test) == 30 and not set(groups[train].tolist()) & set(groups[test].tolist())
    pictures = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    found = yours_or_torch("near_duplicates", open_exercise)(pictures[:2], pictures[1:], 0.05)
    assert found.tolist() == [0]
    low, high = yours_or_torch("seed_interval", open_exercise)(torch.tensor([0.80, 0.84, 0.82]))
    assert abs(low - 0.7703) < 1e-3 and abs(high - 0.8697) < 1e-3
    layer, losses = torch.nn.Linear(1, 1), iter([3.0, 2.0, 2.5, 2.4, 1.0])
    stopping = yours_or_torch("early_stopping", open_exercise)
    assert stopping(layer, lambda model: next(losses), patience=2, epochs=5) == 2
