"""The spec: what it takes, what it refuses and how, and that it says in JSON what it is."""

import json

import pytest
import torch
from torch import nn

from utils.assignment import Spec


def test_json_and_back():
    spec = Spec(epochs=3, optimizer="Muon", augment=("flip", "crop4", "cutout8"), label_smoothing=0.1)
    assert Spec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert spec.to_json()["augment"] == ["flip", "crop4", "cutout8"]


def test_it_cannot_be_changed_but_copied():
    spec = Spec(epochs=3)
    with pytest.raises(AttributeError):
        spec.epochs = 4
    assert spec.changed(epochs=4).epochs == 4
    assert spec.epochs == 3
    assert Spec(augment=["flip"]).augment == ("flip",)


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"epochs": 0}, "epochs is between 1 and 200; you gave 0"),
        ({"epochs": 2.0}, "epochs is a whole number; you gave 2.0"),
        ({"epochs": True}, "epochs is a whole number"),
        ({"batch_size": 1}, "batch_size is between 2"),
        ({"optimizer": "adam"}, "'AdamW' or 'SGD'; you gave 'adam'"),
        ({"lr": 0}, "lr is above 0, at most 10; you gave 0"),
        ({"lr": "fast"}, "lr is a number; you gave 'fast'"),
        ({"lr": float("nan")}, "lr is a number"),
        ({"schedule": "step"}, "schedule is 'triangle', 'cosine' or 'constant'"),
        ({"warmup": 1.0}, "warmup is between 0 and 0.9"),
        ({"label_smoothing": -0.1}, "label_smoothing is between"),
        ({"augment": "flip"}, r"write \('flip',\), with the comma"),
        ({"augment": ("crop",)}, "you gave 'crop'"),
        ({"augment": ("crop9",)}, "you gave 'crop9'"),
        ({"augment": ("cutout17",)}, "you gave 'cutout17'"),
        ({"augment": (4,)}, "you gave 4"),
        ({"keep": "first"}, "keep is 'best' or 'last'"),
        ({"bias_lr": 0.1}, "bias_lr is for Muon only; Adam has one learning rate"),
        ({"optimizer": "Muon", "weight_decay": 0.1}, "leave it at 0"),
        ({"optimizer": "Muon", "classifier_lr": 0}, "classifier_lr is above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(choice, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Spec(**choice)


def test_strange_json_is_refused():
    with pytest.raises(ValueError, match="has no speed; it has: augment"):
        Spec.from_json({"speed": 3})
    with pytest.raises(ValueError, match="this is a list"):
        Spec.from_json([])


@pytest.mark.parametrize("optimizer", ["Muon", "Adam", "AdamW", "SGD"])
def test_optimizers_take_the_choices(optimizer):
    decay = 0.0 if optimizer == "Muon" else 0.05
    made = Spec(optimizer=optimizer, lr=0.03, weight_decay=decay).made_optimizer(nn.Conv2d(3, 4, 3))
    assert type(made).__name__ == optimizer
    assert made.param_groups[0]["lr"] == 0.03
    if optimizer != "Muon":
        assert made.param_groups[0]["weight_decay"] == 0.05


@pytest.mark.parametrize(
    ("schedule", "warmup", "factors"),
    [("constant", 0.2, (1, 1, 1)), ("cosine", 0.0, (1, 0.5, 0)), ("triangle", 0.0, (1, 0.5, 0))],
)
def test_schedules(schedule, warmup, factors):
    factor = Spec(schedule=schedule, warmup=warmup).made_schedule()
    assert [factor(done) for done in (0.0, 0.5, 1.0)] == pytest.approx(factors)


def test_augmentation_and_loss_are_those_that_are_named():
    spec = Spec(augment=("flip", "crop3", "cutout5"), label_smoothing=0.1)
    assert [repr(step) for step in spec.made_augment()] == [
        "Flip(p=0.5)", "Crop(padding=3, mode='reflect')", "Cutout(size=5)",
    ]  # fmt: skip
    logits, y = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    assert spec.made_loss()(logits, y) > Spec().made_loss()(logits, y)
