"""Chapter 10's attacks: one step along the sign of the gradient (FGSM), and many small ones (PGD)."""

import numpy as np
import torch
from torch import nn

from utils.checks.question import Case, Objection, Question, as_array, untouched


class Probe(nn.Module):
    """A small curved network with batch norm, whose numbers are given; it does not look at the first pixel."""

    def __init__(self, given):
        super().__init__()
        hidden, weight = torch.tensor(given["_hidden"]), torch.tensor(given["_weight"])
        self.norm = nn.BatchNorm1d(hidden.shape[1], dtype=torch.float64)
        self.norm.running_mean += 0.5
        self.norm.running_var *= 0.1
        self.hidden = nn.Linear(*hidden.T.shape, dtype=torch.float64)
        self.last = nn.Linear(*weight.T.shape, dtype=torch.float64)
        self.hidden.load_state_dict({"weight": hidden, "bias": hidden[:, -1]})
        self.last.load_state_dict({"weight": weight, "bias": weight[:, 0]})

    def forward(self, x):
        return self.last(self.hidden(self.norm(x.flatten(1))).tanh())  # (B, C, H, W) → (B, classes)


def attack_cases(rng, aspects, settings, wide):
    """Small pictures, in the middle of the range or with black and white in them."""
    cases = []
    shapes = [(2, 1, 2, 3), (3, 2, 1, 4), *([(5, 3, 4, 3), (4, 2, 3, 5)] if wide else [])]
    for B, C, H, W in shapes:
        pixels = C * H * W
        hidden = rng.normal(0, 1.5, (7, pixels)) / np.sqrt(pixels)
        hidden[:, 0] = 0  # nothing depends on the first pixel: its gradient is exactly zero
        given = {
            "x": rng.uniform(0.42, 0.58, (B, C, H, W)).round(2),
            "y": rng.integers(0, 4, B),
            "_hidden": hidden,
            "_weight": rng.normal(0, 1.5, (4, 7)),
        }
        extremes = given | {"x": rng.choice([0, 0.02, 0.97, 1], (B, C, H, W))}
        for aspect, needs in aspects.items():
            for setting in settings.get(aspect, settings["step"][:1]):
                cases.append(
                    Case(aspect, (extremes if aspect == "range" else given) | setting | {"_look": aspect}, needs)
                )
    return cases


def run_attack(target, given):
    """What an attack gives, or what became of the model, or whether the result still remembers how it was made."""
    model = Probe(given).eval()
    x, y = torch.tensor(given["x"]), torch.tensor(given["y"])
    settings = {name: given[name] for name in ("epsilon", "step", "steps") if name in given}
    named = {"targeted": True} if given.get("targeted") else {}
    with untouched(pictures=x, labels=y):
        result = target(model, x, y, *settings.values(), **named)
    if given["_look"] == "model":
        return state_of(model)
    if given["_look"] == "result":
        as_array(result, "the result")
        return {"requires_grad": np.asarray(float(getattr(result, "requires_grad", False)))}
    if named == {} and "steps" in given:
        again = target(Probe(given).eval(), x, y, *settings.values())
        if not np.array_equal(as_array(again, "the result"), as_array(result, "the result")):
            raise Objection(
                "not repeatable", "asked twice, your pgd answers differently: begin at x itself, not at random"
            )
    return {"x_adv": as_array(result, "the result").astype("float64")}


def state_of(model) -> dict:
    """The model's numbers, what gradients are left in it, and its mode."""
    left = [p.grad for p in model.parameters() if p.grad is not None]
    return {
        "the model's mode (1: training)": np.asarray(float(any(part.training for part in model.modules()))),
        "the model's weights": as_array(torch.cat([p.flatten() for p in model.parameters()]), "the weights"),
        "the running mean": as_array(model.norm.running_mean, "the running mean"),
        "the gradients left in the weights": np.asarray(sum(float(g.abs().sum()) for g in left)),
    }


FGSM = {"step": (), "range": ("step",), "result": ("step",), "model": ("step",)}
FGSM_SETTINGS = {"step": [{"epsilon": 0.05}, {"epsilon": 0.2}], "range": [{"epsilon": 0.1}]}
PGD = {
    "step": (),
    "steps": ("step",),
    "ball": ("step", "steps"),
    "range": ("step", "steps", "ball"),
    "targeted": ("step",),
    "result": ("step",),
    "model": ("step",),
}
PGD_SETTINGS = {
    "step": [{"epsilon": 0.1, "step": 0.03, "steps": 1}],
    "steps": [{"epsilon": 0.4, "step": 0.08, "steps": 5}],
    "ball": [{"epsilon": 0.1, "step": 0.06, "steps": 4}, {"epsilon": 0.1, "step": 0.16, "steps": 3}],
    "range": [{"epsilon": 0.15, "step": 0.08, "steps": 5}],
    "targeted": [
        {"epsilon": 0.1, "step": 0.03, "steps": 1, "targeted": True},
        {"epsilon": 0.2, "step": 0.08, "steps": 4, "targeted": True},
    ],
    "model": [{"epsilon": 0.1, "step": 0.03, "steps": 3}],
    "result": [{"epsilon": 0.1, "step": 0.03, "steps": 3}],
}
TESTS = {
    "step": "pixels that go up, down and nowhere",
    "range": "black and white pixels, which cannot get darker and lighter",
    "result": "pictures that are plain numbers, without the memory of how they were made",
    "model": "the model's weights, gradients and mode, which stay as they were",
    "steps": "several steps, each from where the last one led",
    "ball": "steps that would lead farther than epsilon from the original",
    "targeted": "steps towards a class that the labels name",
}

QUESTIONS = {
    "fgsm": Question(
        name="fgsm",
        aspects=dict.fromkeys(FGSM, 0),
        tests=TESTS,
        cases=lambda rng, wide: attack_cases(rng, FGSM, FGSM_SETTINGS, wide),
        run=run_attack,
        signature="fgsm(model, x, y, epsilon), which takes pictures (B, C, H, W) in [0, 1] with their labels (B,) and "
        "returns pictures of the same shape",
    ),
    "pgd": Question(
        name="pgd",
        aspects=dict.fromkeys(PGD, 0),
        tests=TESTS,
        cases=lambda rng, wide: attack_cases(rng, PGD, PGD_SETTINGS, wide),
        run=run_attack,
        signature="pgd(model, x, y, epsilon, step, steps, targeted=False), which takes pictures (B, C, H, W) in [0, 1] "
        "with labels (B,) and returns pictures of the same shape",
    ),
}
