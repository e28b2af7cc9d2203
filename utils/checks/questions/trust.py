"""Chapter 10's self-checked exercises on groups and on trust."""

import numpy as np
import torch
from torch import nn

from utils.checks.question import Case, Objection, Question, as_array, untouched


def as_shares(value, what: str) -> np.ndarray:
    """Numbers as float64, from a tensor, an array, or a list of numbers."""
    if isinstance(value, list | tuple) and value and all(isinstance(v, float | int | torch.Tensor) for v in value):
        value = torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in value])
    return as_array(value, what).astype("float64")


def as_number(value, what: str) -> np.ndarray:
    """One number, Python's or a tensor's."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return np.asarray(float(value))
    array = as_array(value, what)
    if array.size != 1:
        raise Objection("interface", f"{what} holds {array.size} numbers; one is wanted.")
    return array.reshape(()).astype("float64")


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def accuracy_cases(rng, wide):
    """Groups of very different size; none is a class, and what is predicted is no group."""
    small = {
        "predicted": np.array([2, 2, 0, 1, 2, 1]),
        "y": np.array([2, 2, 0, 2, 0, 1]),
        "group": np.array([0, 0, 0, 0, 1, 1]),
    }
    cases = [Case("accuracy", small)]
    for n, classes, groups in [(40, 5, 3), (90, 4, 2), *([(300, 10, 7)] * 3 if wide else [])]:
        y, group = rng.integers(0, classes, n), rng.integers(0, groups, n) * (rng.random(n) < 0.6)
        group[:groups] = np.arange(groups)  # each occurs
        right = rng.random(n) < 0.9 - 0.25 * group
        cases.append(Case("accuracy", {"predicted": np.where(right, y, (y + 1) % classes), "y": y, "group": group}))
    return cases


def run_accuracy(target, given):
    predicted, y, group = (torch.tensor(given[name]) for name in ("predicted", "y", "group"))
    with untouched(predictions=predicted, labels=y, groups=group):
        result = target(predicted, y, group)
    return {"accuracies": as_shares(result, "the result")}


def weight_cases(rng, wide):
    cases = [
        Case("weights", {"group": np.array([0, 0, 0, 1])}),
        Case("weights", {"group": np.array([1, 0, 2, 2, 2, 2])}),
    ]
    for n, groups in [(60, 4), *([(300, 9)] * 3 if wide else [])]:
        cases.append(Case("weights", {"group": np.minimum(rng.geometric(0.4, n) - 1, groups - 1)}))
    gap = np.array([0, 0, 0, 5, 5, 2, 2, 2, 2, 0])  # of six numbers, three occur
    return [*cases, Case("empty groups", {"group": gap}, needs=("weights",))]


def run_weights(target, given):
    group = torch.tensor(given["group"])
    with untouched(groups=group):
        result = target(group)
    return {"weights": as_shares(result, "the result")}


# ── attribution ──────────────────────────────────────────────────────────────────────────────────────────────────────


def small_network(given) -> nn.Module:
    """A convolution and a dense layer with the given numbers, in float64."""
    kernel, matrix = torch.tensor(given["kernel"]), torch.tensor(given["matrix"])
    net = nn.Sequential(nn.Conv2d(3, len(kernel), 2, dtype=torch.float64), nn.Tanh(), nn.Flatten())
    net.append(nn.Linear(*matrix.T.shape, dtype=torch.float64))
    net[0].weight.data, net[3].weight.data = kernel, matrix
    net[0].bias.data.zero_()
    net[3].bias.data.zero_()
    return net


def saliency_cases(rng, wide):
    cases = []
    for n, height, width, classes in [(1, 4, 5, 3), (3, 5, 4, 4), *([(5, 6, 7, 6)] * 2 if wide else [])]:
        given = {
            "kernel": rng.standard_normal((2, 3, 2, 2)),
            "matrix": rng.standard_normal((classes, 2 * (height - 1) * (width - 1))),
            "x": rng.random((n, 3, height, width)),
            "label": rng.integers(0, classes, n),
        }
        cases.append(Case("map", given))
    return cases


def run_saliency(target, given):
    net, x, label = small_network(given).eval(), torch.tensor(given["x"]), torch.tensor(given["label"])
    with untouched(pictures=x, labels=label):
        result = target(net, x, label)
    return {"map": as_array(result, "the map").astype("float64")}


# ── confidence ───────────────────────────────────────────────────────────────────────────────────────────────────────


def confidence_cases(rng, wide):
    """Too sure, not sure enough, and both in one; no confidence lies on the border of a bin."""
    cases = [
        Case(
            "error",
            {
                "confidence": np.array([0.95, 0.93, 0.91, 0.45, 0.42]),
                "right": np.array([1, 0, 0, 1, 1]) > 0,
                "bins": 10,
            },
        )
    ]
    for n, bins, tilt in [(80, 10, -0.3), (60, 5, 0.25), (90, 10, 0.0), *([(400, 15, 0.1)] * 3 if wide else [])]:
        confidence = 0.2 + 0.79 * rng.random(n)
        on_border = np.abs(confidence * bins - np.round(confidence * bins)) < 1e-3
        confidence = np.where(on_border, confidence - 0.004, confidence)
        chance = confidence + tilt + 0.3 * np.sin(9 * confidence) * (tilt == 0)
        cases.append(Case("error", {"confidence": confidence, "right": rng.random(n) < chance, "bins": bins}))
    return cases


def run_confidence(target, given):
    confidence, right = torch.tensor(given["confidence"]), torch.tensor(given["right"])
    with untouched(confidences=confidence, answers=right):
        result = target(confidence, right, given["bins"])
    return {"error": as_number(result, "the result")}


def temperature_cases(rng, wide):
    """Logits whose best temperature is well inside 0.2 to 5, on both sides of 1."""
    cases = []
    for n, classes, scale in [(300, 4, 2.5), (400, 3, 0.4), *([(500, 6, 1.7)] * 2 if wide else [])]:
        fair = 1.5 * rng.standard_normal((n, classes))
        chances = np.exp(fair) / np.exp(fair).sum(1, keepdims=True)
        y = (chances.cumsum(1) < rng.random((n, 1))).sum(1)
        cases.append(Case("temperature", {"logits": scale * fair, "y": y.clip(max=classes - 1)}))
    return cases


def run_temperature(target, given):
    logits, y = torch.tensor(given["logits"]), torch.tensor(given["y"])
    with untouched(logits=logits, labels=y):
        result = target(logits, y)
    return {"temperature": as_number(result, "the temperature")}


QUESTIONS = {
    "group_accuracy": Question(
        name="group_accuracy",
        aspects={"accuracy": 0},
        tests={"accuracy": "groups of very different size, with several numbers of classes"},
        cases=accuracy_cases,
        run=run_accuracy,
        signature="group_accuracy(predicted, y, group), all (N,), which returns the accuracy in each group, (G,)",
    ),
    "group_weights": Question(
        name="group_weights",
        aspects={"weights": 0, "empty groups": 0},
        tests={
            "weights": "that all groups weigh the same, and a picture 1 on average",
            "empty groups": "numbers of groups that no picture has",
        },
        cases=weight_cases,
        run=run_weights,
        signature="group_weights(group), (N,), which returns a weight for each picture, (N,)",
    ),
    "saliency": Question(
        name="saliency",
        aspects={"map": 0},
        tests={"map": "one picture and several, asked about different classes"},
        cases=saliency_cases,
        run=run_saliency,
        signature="saliency(net, x, label), pictures (B, 3, H, W) and classes (B,), which returns maps (B, H, W)",
    ),
    "calibration_error": Question(
        name="calibration_error",
        aspects={"error": 0},
        tests={"error": "answers that are too sure, not sure enough, and both; several numbers of bins"},
        cases=confidence_cases,
        run=run_confidence,
        signature="calibration_error(confidence, right, bins), both (N,), which returns one number",
    ),
    "fit_temperature": Question(
        name="fit_temperature",
        aspects={"temperature": 0},
        tests={"temperature": "networks that are too sure, and one that is not sure enough"},
        cases=temperature_cases,
        run=run_temperature,
        signature="fit_temperature(logits, y), (N, classes) and (N,), which returns the temperature, one number",
    ),
}
