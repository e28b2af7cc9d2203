"""Chapter 06's self-checked exercises: early stopping, near-duplicates, a split by patients, an interval over seeds."""

import numpy as np
import torch
from torch import nn

from utils.checks.question import Case, Objection, Question, as_array, as_int, untouched

# ── early_stopping ───────────────────────────────────────────────────────────────────────────────────────────────────

STOPPING = {"epochs trained": (), "result": ("epochs trained",), "weights": ("epochs trained", "result")}
LOSSES = (  # validation losses as they come, patience, the most epochs
    (
        [2.0, 1.5, 1.2, 1.3, 1.4, 1.1, 0.9, 1.0, 1.3, 1.2, 1.1, 0.5, 0.4],
        3,
        13,
    ),  # recovers once; a better one comes late
    ([1.0, 0.9, 0.95, 0.93, 0.8, 0.85, 0.83, 0.7, 0.75, 0.72, 0.74], 2, 11),  # worse than the best, better than before
    ([1.5, 1.0, 1.0, 1.0, 1.0, 0.6, 0.7], 3, 7),  # equal is not better
    ([3.0, 2.0, 1.0, 0.5, 0.7, 0.6, 0.8], 4, 6),  # the epochs are over first
)


class Lesson:
    """Training that costs nothing: each epoch counts up the only weight and gives the next validation loss."""

    def __init__(self, given):
        self.model = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.model.weight)
        self.losses, self.most, self.done = given["losses"], int(given["epochs"]), 0

    def __call__(self, *args) -> float:
        if self.done == self.most:
            raise Objection("interface", f"you train on after {self.most} epochs; `epochs` is the most there may be.")
        with torch.no_grad():  # as an optimiser does it: in place
            self.model.weight += 1
        self.done += 1
        return float(self.losses[self.done - 1])


def stopping_cases(rng, wide):
    courses = [*LOSSES]
    for _ in range(4 if wide else 2):
        n = int(rng.integers(12, 20))
        courses.append(((np.abs(np.linspace(2, -1.2, n)) + 0.3 * rng.random(n)).tolist(), int(rng.integers(2, 5)), n))
    return [
        Case(aspect, {"losses": np.array(losses), "patience": patience, "epochs": epochs, "look": aspect}, needs)
        for losses, patience, epochs in courses
        for aspect, needs in STOPPING.items()
    ]


def run_stopping(target, given):
    lesson = Lesson(given)
    result = target(lesson.model, lesson, given["patience"], given["epochs"])
    if given["look"] == "epochs trained":
        return {"epochs trained": np.asarray(lesson.done)}
    if given["look"] == "weights":
        return {"epoch of the model's weights": as_array(lesson.model.weight.flatten()[0], "the weight")}
    return {"best epoch": as_int(result, "the best epoch")}


# ── near_duplicates ──────────────────────────────────────────────────────────────────────────────────────────────────


def album(rng, n_train, n_test, size):
    """Pictures, some of them again among the test pictures: the same, lighter, noisy; and which those are."""
    train = rng.integers(0, 256, (n_train, 3, size, size))
    test = rng.integers(0, 256, (n_test, 3, size, size))
    copied = np.sort(rng.choice(n_test, n_test // 2, replace=False))
    for k, i in enumerate(copied):
        change = (0, rng.integers(-9, 10, train[0].shape), 8, -6)[k % 4]
        test[i] = np.clip(train[rng.integers(n_train)] + change, 0, 255)
    return train.astype("uint8"), test.astype("uint8")


def dark_album(rng, size):
    """Nearly black pictures, which differ little though none is another's copy, one white, one exact copy."""
    train = rng.integers(0, 40, (5, 1, size, size)).astype("uint8")
    test = rng.integers(0, 40, (4, 1, size, size)).astype("uint8")
    test[1], test[3] = 255, train[2]
    return train, test


def balanced_album(size):
    """Chessboards: the reversed one differs everywhere, by as much up as down."""
    board = np.indices((size, size)).sum(0) % 2
    train = np.stack([np.where(board, 200, 50), np.full_like(board, 10)])[:, None]
    test = np.stack([np.where(board, 50, 200), np.where(board, 198, 52), np.full_like(board, 120)])[:, None]
    return train.astype("uint8"), test.astype("uint8")


def touched_album(rng, size):
    """Two copies in which one value of many has changed, by a little and by a little more, and a picture of its own."""
    train, test = rng.integers(20, 230, (2, 3, 3, size, size)).astype("uint8")
    test[:2] = train[:2]
    test[0, 0, 3, 4] -= 1
    test[1, 2, 5, 6] += 5
    return train, test


def duplicate_cases(rng, wide):
    albums = [
        (*touched_album(rng, 16), 0.05),
        (*dark_album(rng, 6), 0.02),
        (*balanced_album(8), 0.05),
        (*album(rng, 9, 6, 8), 0.05),
        (*album(rng, 5, 12, 7), 0.05),
    ]
    albums += [(*album(rng, 40, 30, 8), 0.05)] * (2 if wide else 0)
    return [Case("found", {"train": x, "test": z, "threshold": limit}) for x, z, limit in albums]


def run_duplicates(target, given):
    train, test = torch.tensor(given["train"]), torch.tensor(given["test"])
    with untouched(training=train, test=test):
        result = target(train, test, given["threshold"])
    found = as_array(result, "the result")
    if found.dtype == bool:
        if found.shape != (len(test),):
            raise Objection("interface", f"a mask of shape {found.shape}; there are {len(test)} test pictures.")
        found = found.nonzero()[0]
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise Objection("interface", f"indices (n,) are wanted, whole numbers; yours are {found.dtype} {found.shape}.")
    return {"test pictures that are near-duplicates": np.sort(found).astype("int64")}


# ── split_by_group ───────────────────────────────────────────────────────────────────────────────────────────────────

SPLITTING = {"every picture once": (), "no group on both sides": (), "share": (), "chance": ()}


def group_cases(rng, wide):
    """Groups of four to eight pictures, in random order, with numbers that are no positions."""
    cases = []
    for number in (20, 35, *([50] if wide else [])):
        groups = np.repeat(rng.choice(1000, number, replace=False), rng.integers(4, 9, number))
        groups = rng.permutation(groups)
        cases += [Case(aspect, {"groups": groups, "share": 0.25, "look": aspect}) for aspect in SPLITTING]
    return cases


def run_split(target, given):
    groups = torch.tensor(given["groups"])

    def split(seed):
        with untouched(groups=groups):
            parts = target(groups, given["share"], torch.Generator().manual_seed(seed))
        if not isinstance(parts, tuple | list) or len(parts) != 2:
            raise Objection("interface", "two results are wanted: `return train, test`, indices of the pictures.")
        indices = [as_array(part, name) for part, name in zip(parts, ("train", "test"), strict=True)]
        if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in indices):
            raise Objection("interface", "train and test are the pictures' *indices*, whole numbers, each (n,).")
        if any(part.size and (part.min() < 0 or part.max() >= len(groups)) for part in indices):
            raise Objection("interface", f"indices go from 0 to {len(groups) - 1}; yours leave that range.")
        return indices

    train, test = split(0)
    if given["look"] == "every picture once":
        counts = np.bincount(np.concatenate([train, test]), minlength=len(groups))
        return {"pictures that are missing or twice": np.asarray((counts != 1).sum())}
    if given["look"] == "no group on both sides":
        both = np.intersect1d(given["groups"][train], given["groups"][test])
        return {"groups on both sides": np.asarray(len(both))}
    if given["look"] == "share":
        wanted = given["share"] * len(np.unique(given["groups"]))
        got = len(np.unique(given["groups"][test]))
        return {"number of test groups is right": np.asarray(abs(got - wanted) < 1.01)}
    others = [np.unique(given["groups"][split(seed)[1]]) for seed in range(1, 5)]
    first = np.unique(given["groups"][test])
    return {"other seeds give other splits": np.asarray(any(not np.array_equal(first, other) for other in others))}


# ── seed_interval ────────────────────────────────────────────────────────────────────────────────────────────────────


def interval_cases(rng, wide):
    runs = [np.array([0.80, 0.84, 0.82]), rng.uniform(0.6, 0.9, 5), rng.uniform(0.2, 0.99, 10)]
    runs += [rng.uniform(0.4, 0.6, int(n)) for n in rng.integers(2, 30, 4)] if wide else []
    return [Case(aspect, {"accuracies": run, "look": i}) for run in runs for i, aspect in enumerate(("mean", "half"))]


def run_interval(target, given):
    accuracies = torch.tensor(given["accuracies"])
    with untouched(accuracies=accuracies):
        result = target(accuracies)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Objection("interface", "two numbers are wanted, the ends of the interval: `return low, high`.")
    ends = [as_array(torch.as_tensor(end, dtype=torch.float64), "an end") for end in result]
    if any(end.size != 1 for end in ends):
        raise Objection("interface", "each end of the interval is one number.")
    low, high = (float(end.reshape(())) for end in ends)
    if given["look"] == 0:
        return {"middle of the interval": np.asarray((low + high) / 2)}
    return {"half of the interval's width": np.asarray((high - low) / 2)}


QUESTIONS = {
    "early_stopping": Question(
        name="early_stopping",
        aspects=dict.fromkeys(STOPPING, 0),
        tests={
            "epochs trained": "when the training ends",
            "result": "which epoch was the best",
            "weights": "the weights that the model has in the end",
        },
        cases=stopping_cases,
        run=run_stopping,
        signature="early_stopping(model, train_epoch, patience, epochs), where train_epoch(model) trains for an epoch "
        "and gives the validation loss, and which returns the number of the best epoch",
    ),
    "near_duplicates": Question(
        name="near_duplicates",
        aspects={"found": 0},
        tests={"found": "copies that are exact, lighter, darker or noisy, and pictures that only look alike in sum"},
        cases=duplicate_cases,
        run=run_duplicates,
        signature="near_duplicates(train, test, threshold), which takes uint8 pictures (N, C, H, W) and (M, C, H, W) "
        "and returns the indices of the test pictures that are nearly a training picture",
    ),
    "split_by_group": Question(
        name="split_by_group",
        aspects=dict.fromkeys(SPLITTING, 0),
        tests={
            "every picture once": "that each picture is in one part",
            "no group on both sides": "that no group is in both parts",
            "share": "the test part's share of the groups",
            "chance": "that the generator decides",
        },
        cases=group_cases,
        run=run_split,
        signature="split_by_group(groups, share, generator), which returns two tensors of indices, train and test",
    ),
    "seed_interval": Question(
        name="seed_interval",
        aspects={"mean": 0, "half": 0},
        tests={"mean": "the middle of the interval", "half": "its width, for 3, 5 and 10 runs"},
        cases=interval_cases,
        run=run_interval,
        signature="seed_interval(accuracies), which takes one accuracy for each seed, (n,), and returns low and high",
    ),
}
