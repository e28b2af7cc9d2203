"""Chapter 05's self-checked exercises: the pictures' statistics, an epoch of training, evaluation, confusion "
"matrix."""

import numpy as np
import torch
from torch import nn

from utils.checks.question import Case, Objection, Question, as_array, untouched


def statistics_cases(rng, wide):
    """Enough pixels that dividing by n or by n − 1 makes no difference; channels and pictures that differ."""
    cases = []
    for N, C, H, W in [(60, 3, 20, 24), (90, 1, 16, 18), *([(70, 4, 25, 19)] * 2 if wide else [])]:
        level = rng.uniform(40, 200, (N, C, 1, 1)) + 30 * np.arange(C)[None, :, None, None] - 20
        spread = rng.uniform(5, 40, (N, C, 1, 1))
        x = np.clip(level + spread * rng.standard_normal((N, C, H, W)), 0, 255).astype("uint8")
        cases += [Case(aspect, {"x": x, "look": i}) for i, aspect in enumerate(("mean", "std"))]
    return cases


def run_statistics(target, given):
    x = torch.tensor(given["x"])
    with untouched(pictures=x):
        result = target(x)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Objection("interface", "two results are wanted, mean and standard deviation: `return mean, std`.")
    name = ("the mean", "the standard deviation")[given["look"]]
    array = as_array(result[given["look"]], name).astype("float64")
    return {"y": array.reshape(-1) if array.size == given["x"].shape[1] else array}


class Probe(nn.Module):
    """A small network with batch norm, whose numbers are given; it notes whether gradients were recorded."""

    def __init__(self, given):
        super().__init__()
        weight = torch.tensor(given["weight"])  # (classes, features)
        self.norm = nn.BatchNorm1d(weight.shape[1], dtype=torch.float64)
        self.layer = nn.Linear(*weight.T.shape, dtype=torch.float64)
        self.layer.load_state_dict({"weight": weight, "bias": weight[:, 0]})
        self.norm.running_mean += 0.5
        self.recorded = []

    def forward(self, x):
        self.recorded.append(torch.is_grad_enabled())
        return self.layer(self.norm(x))


def batches_of(given):
    """Batches with a smaller one at the end, from arrays."""
    x, y = torch.tensor(given["x"]), torch.tensor(given["y"])
    return list(zip(x.split(given["size"]), y.split(given["size"]), strict=True))


def learning_cases(rng, aspects, wide):
    cases = []
    sizes = [(11, 4, 3, 4), (7, 2, 5, 3), *([(23, 6, 4, 5)] * 2 if wide else [])]
    for n, features, classes, size in sizes:
        given = {
            "x": rng.standard_normal((n, features)),
            "y": rng.integers(0, classes, n),
            "weight": rng.standard_normal((classes, features)),
            "size": size,
        }
        cases += [Case(aspect, given | {"look": aspect}, needs) for aspect, needs in aspects.items()]
    return cases


TRAINING = {"training mode": (), "weights": ("training mode",), "loss": ("training mode", "weights")}
EVALUATION = {"accuracy": (), "evaluation mode": (), "no gradients": ()}


def run_epoch(target, given):
    model = Probe(given).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    result = target(model, optimizer, batches_of(given))
    if given["look"] == "training mode":
        return {"running mean": as_array(model.norm.running_mean, "the running mean")}
    if given["look"] == "weights":
        return {"weights": as_array(torch.cat([p.flatten() for p in model.parameters()]), "the weights")}
    return {"loss": as_number(result, "the loss")}


def run_evaluation(target, given):
    model = Probe(given).train()
    if given["look"] == "accuracy":  # of a network for which the mode makes no difference
        model.norm = nn.Identity()
    result = target(model, batches_of(given))
    if given["look"] == "no gradients":
        return {"recorded": np.asarray(float(any(model.recorded)))}
    return {"accuracy": as_number(result, "the accuracy")}


def as_number(value, what: str) -> np.ndarray:
    """One number, Python's or a tensor's."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return np.asarray(float(value))
    array = as_array(value, what)
    if array.size != 1:
        raise Objection("interface", f"{what} holds {array.size} numbers; one is wanted.")
    return array.reshape(()).astype("float64")


def confusion_cases(rng, wide):
    cases = [Case("counts", {"y": np.array([0, 0, 1, 2]), "predicted": np.array([0, 1, 1, 0]), "n": 3})]
    for n, classes in [(40, 4), (25, 6), *([(300, 10)] * 3 if wide else [])]:
        y, predicted = rng.integers(0, classes - 1, n), rng.integers(0, classes, n)  # the last class never occurs
        cases.append(Case("counts", {"y": y, "predicted": predicted, "n": classes}))
    return cases


def run_confusion(target, given):
    y, predicted = torch.tensor(given["y"]), torch.tensor(given["predicted"])
    with untouched(labels=y, predictions=predicted):
        result = target(y, predicted, given["n"])
    return {"matrix": as_array(result, "the matrix").astype("float64")}


QUESTIONS = {
    "channel_statistics": Question(
        name="channel_statistics",
        aspects={"mean": 0, "std": 0},
        tests={"mean": "the mean of each channel", "std": "the standard deviation of each channel over all its pixels"},
        cases=statistics_cases,
        run=run_statistics,
        signature="channel_statistics(x), which takes uint8 pictures (N, C, H, W) and returns mean and std, each (C,)",
    ),
    "train_epoch": Question(
        name="train_epoch",
        aspects=dict.fromkeys(TRAINING, 0),
        tests={
            "training mode": "a network that comes in evaluation mode",
            "weights": "the weights after an epoch",
            "loss": "the mean loss, with a smaller batch at the end",
        },
        cases=lambda rng, wide: learning_cases(rng, TRAINING, wide),
        run=run_epoch,
        signature="train_epoch(model, optimizer, batches), which trains once on every batch (x, y) and returns "
        "the mean loss",
    ),
    "evaluate": Question(
        name="evaluate",
        aspects=dict.fromkeys(EVALUATION, 0),
        tests={
            "accuracy": "the accuracy, with a smaller batch at the end",
            "evaluation mode": "a network that comes in training mode",
            "no gradients": "that no gradients are recorded",
        },
        cases=lambda rng, wide: learning_cases(rng, EVALUATION, wide),
        run=run_evaluation,
        signature="evaluate(model, batches), which returns the fraction of the pictures that are classified correctly",
    ),
    "confusion_matrix": Question(
        name="confusion_matrix",
        aspects={"counts": 0},
        tests={"counts": "several numbers of classes, one of which never occurs"},
        cases=confusion_cases,
        run=run_confusion,
        signature="confusion_matrix(y, predicted, n), which returns counts (n, n): row the true class, column "
        "the predicted",
    ),
}
