"""Chapter 10's explorers: epsilon, picture, corruption and severity each draw anew, with the learner's own attack."""

import pytest
import torch
from torch import nn

from utils import explore, failure, show

CLASSES = ("dark", "light")


class Mean(nn.Module):
    def forward(self, x):
        mean = x.mean((1, 2, 3))
        return 20 * torch.stack([0.5 - mean, mean - 0.5], 1)


X = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 1, 0])


def lighter(model, x, y, epsilon):
    return x + epsilon


@pytest.fixture
def attack():
    explorer = explore.attack(Mean(), X, Y, CLASSES, lighter, 0.01)
    explorer.widget  # noqa: B018  the controls are wired when the widget is first asked for
    return explorer


def expected(i, epsilon):
    one = X[i : i + 1]
    return show.before_and_after(Mean(), one, one + epsilon, Y[i : i + 1], CLASSES, difference=True, size=150)


def test_epsilon_and_picture_draw_anew(attack):
    assert attack.picture == expected(0, 0.01)
    attack.controls["epsilon"].value = 0.04
    assert attack.picture == expected(0, 0.04)
    attack.controls["picture"].value = 2
    assert attack.picture == expected(2, 0.04)
    attack.controls["epsilon"].value = 0
    assert "at most 0 in a pixel" in attack.picture.alt


def test_an_attack_that_is_not_finished_or_stops_is_told_in_words():
    def unfinished(model, x, y, epsilon):
        raise NotImplementedError

    def broken(model, x, y, epsilon):
        return x @ x[:, :, :3]

    assert "not finished yet" in explore.attack(Mean(), X, Y, CLASSES, unfinished).picture
    assert "stopped with RuntimeError" in explore.attack(Mean(), X, Y, CLASSES, broken).picture


def test_corruption_severity_and_picture_draw_anew():
    explorer = explore.corruption(Mean(), X, Y, CLASSES)
    explorer.widget  # noqa: B018

    def wanted(name, severity, i):
        one = X[i : i + 1]
        return show.before_and_after(Mean(), one, failure.corrupt(one, name, severity), Y[i : i + 1], CLASSES, size=150)

    assert explorer.picture == wanted("noise", 2, 0)
    explorer.controls["name"].value = "fog"
    explorer.controls["severity"].value = 5
    explorer.controls["picture"].value = 3
    assert explorer.picture == wanted("fog", 5, 3)
    assert list(explorer.controls["name"].options) == list(failure.CORRUPTIONS)


def test_one_picture_is_enough():
    assert explore.corruption(Mean(), X[:1], Y[:1], CLASSES).picture.alt.startswith("1 picture before")
