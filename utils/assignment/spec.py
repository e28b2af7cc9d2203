"""How both networks are trained: one object, so that nothing but the network differs between them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, training

OPTIMIZERS = ("Muon", "Adam", "AdamW", "SGD")
SCHEDULES = ("triangle", "cosine", "constant")
AUGMENTATIONS = {
    "flip": lambda n: data.Flip(),
    "crop": lambda n: data.Crop(n, mode="reflect"),
    "cutout": data.Cutout,
}
KEEP = ("best", "last")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One optimisation configuration. It cannot be changed; `spec.changed(epochs=8)` makes another one.

    Attributes
    ----------
    epochs, batch_size : int
    optimizer : "Muon", "Adam", "AdamW" or "SGD" (with Nesterov's momentum 0.9)
    lr : float
        The highest learning rate. With Muon that of the convolutions' kernels, a part of their norm: 0.02 to 0.2.
    bias_lr, classifier_lr : float, with Muon only
        Learning rates of all vectors (biases, batch norm), and of all matrices (dense layers); both learn by SGD.
    weight_decay : float
    schedule : "triangle" (up in a straight line during `warmup`, then down to zero), "cosine" (down along half a
        wave) or "constant"
    warmup : float, the fraction of the training in which the learning rate rises
    label_smoothing : float
    augment : some of "flip", "crop1" … "crop8" (moved by up to so many pixels), "cutout1" … "cutout16" (a grey square)
    keep : "best" keeps the weights of the epoch with the best validation accuracy, "last" those of the last epoch

    Raises
    ------
    ValueError, TypeError
        If a value makes no sense; the message says which, and what is possible.
    """

    epochs: int = 5
    batch_size: int = 250
    optimizer: str = "Adam"
    lr: float = 1e-3
    bias_lr: float | None = None
    classifier_lr: float | None = None
    weight_decay: float = 0.0
    schedule: str = "triangle"
    warmup: float = 0.2
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = ()
    keep: str = "best"

    def __post_init__(self):
        for name, low, high in (("epochs", 1, 200), ("batch_size", 2, 5000)):
            whole(name, getattr(self, name), low, high)
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("keep", self.keep, KEEP)
        number("lr", self.lr, 0, 10, open_below=True)
        number("weight_decay", self.weight_decay, 0, 1)
        number("warmup", self.warmup, 0, 0.9)
        number("label_smoothing", self.label_smoothing, 0, 0.9)
        self.check_muon()
        if isinstance(self.augment, str):
            raise TypeError(f"augment is a tuple of names: write ({self.augment!r},), with the comma.")
        object.__setattr__(self, "augment", tuple(self.augment))  # a list would not be frozen
        for name in self.augment:
            augmentation(name)

    def check_muon(self) -> None:
        """What only Muon has, and what it has not."""
        for name, default in (("bias_lr", 0.1), ("classifier_lr", 0.04)):
            value = getattr(self, name)
            if self.optimizer == "Muon":
                object.__setattr__(self, name, default if value is None else value)
                number(name, getattr(self, name), 0, 10, open_below=True)
            elif value is not None:
                raise ValueError(f"{name} is for Muon only; {self.optimizer} has one learning rate, lr. Leave it out.")
        if self.optimizer == "Muon" and self.weight_decay:
            raise ValueError("Muon keeps the norm of every kernel, so weight_decay would do nothing: leave it at 0.")

    def changed(self, **choices) -> Spec:
        """Another spec that differs in these choices."""
        return replace(self, **choices)

    def to_json(self) -> dict:
        """A dict that JSON can say."""
        return asdict(self) | {"augment": list(self.augment)}

    @classmethod
    def from_json(cls, content: dict) -> Spec:
        """What `to_json` gave; ValueError if it is no spec."""
        if not isinstance(content, dict):
            raise ValueError(f"a spec is a dict of choices; this is a {type(content).__name__}.")
        known = {field.name for field in fields(cls)}
        if strange := sorted(content.keys() - known):
            raise ValueError(f"a spec has no {', '.join(strange)}; it has: {', '.join(sorted(known))}.")
        return cls(**content)

    # what training.fit needs

    def made_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """The optimiser, for this model's parameters."""
        if self.optimizer == "Muon":
            return training.Muon(model, lr=self.lr, bias_lr=self.bias_lr, classifier_lr=self.classifier_lr)
        more = {"momentum": 0.9, "nesterov": True} if self.optimizer == "SGD" else {}
        learning = [p for p in model.parameters() if p.requires_grad]
        return getattr(torch.optim, self.optimizer)(learning, lr=self.lr, weight_decay=self.weight_decay, **more)

    def made_schedule(self) -> Callable[[float], float]:
        """The factor of the learning rate, for each fraction of the training."""
        if self.schedule == "triangle":
            return training.triangle(peak=self.warmup)
        return training.cosine(warmup=self.warmup) if self.schedule == "cosine" else training.constant

    def made_augment(self) -> list[Callable]:
        """What is done to the training pictures, in this order."""
        return [augmentation(name) for name in self.augment]

    def made_loss(self) -> Callable:
        """Cross-entropy, with the labels smoothed."""
        return partial(F.cross_entropy, label_smoothing=self.label_smoothing)

    def __repr__(self) -> str:
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return "Spec(" + ", ".join(f"{name}={value!r}" for name, value in said.items()) + ")"


def augmentation(name: str) -> Callable:
    """The augmentation that a name such as "crop4" means."""
    match = re.fullmatch(r"(flip)|(crop)([1-8])|(cutout)([1-9]|1[0-6])", name) if isinstance(name, str) else None
    if not match:
        raise ValueError(f'augment knows "flip", "crop1" to "crop8" and "cutout1" to "cutout16"; you gave {name!r}.')
    flip, crop, pixels, cutout, side = match.groups()
    return AUGMENTATIONS[flip or crop or cutout](int(pixels or side or 0))


def whole(name: str, value, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is a whole number; you gave {value!r}.")
    if not low <= value <= high:
        raise ValueError(f"{name} is between {low} and {high:,}; you gave {value:,}.")


def number(name: str, value, low: float, high: float, open_below: bool = False) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{name} is a number; you gave {value!r}.")
    if not low <= value <= high or (open_below and value == low):
        span = f"above {low:g}, at most {high:g}" if open_below else f"between {low:g} and {high:g}"
        raise ValueError(f"{name} is {span}; you gave {value:g}.")


def one_of(name: str, value, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {', '.join(map(repr, known[:-1]))} or {known[-1]!r}; you gave {value!r}.")
