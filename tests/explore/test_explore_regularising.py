"""Chapter 06's explorers: every slider redraws, and patience asks the learner's own function."""

import pytest
import torch
from torch import nn

from utils import explore
from utils.checks import answers
from utils.explore.regularising import STRENGTHS

X = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_kind_strength_and_picture_redraw():
    explorer = explore.augmentation(X)
    explorer.widget  # noqa: B018  the controls are wired when the widget is first asked for
    seen = [explorer.picture]
    for name, value in (("kind", "contrast"), ("strength", 9), ("picture", 2)):
        explorer.controls[name].value = value
        assert explorer.picture not in seen, f"{name} changed nothing"
        seen.append(explorer.picture)
    assert "contrast" in explorer.picture.alt


@pytest.mark.parametrize("kind", STRENGTHS)
def test_strength_0_changes_nothing_and_10_much(kind):
    none, much = (STRENGTHS[kind](strength)(X, torch.Generator().manual_seed(1)) for strength in (0, 10))
    assert torch.allclose(none, X, atol=1e-5)
    assert (much - X).abs().mean() > 0.02


LOSSES = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.6]


def test_patience_asks_the_function_that_it_was_given():
    explorer = explore.patience(LOSSES, answers.find("early_stopping").reference)
    explorer.widget  # noqa: B018
    assert "patience 3 the training ends after epoch 7 and keeps epoch 7" in explorer.picture.alt
    explorer.controls["patience"].value = 1
    assert "patience 1 the training ends after epoch 3 and keeps epoch 2" in explorer.picture.alt
    asked = []

    def own(model, train_epoch, patience, epochs):
        asked.append((type(model), patience, epochs))
        return [train_epoch(model) for _ in range(5)].index(0.7) + 1

    assert "ends after epoch 5 and keeps epoch 4" in explore.patience(LOSSES, own).picture.alt
    assert asked == [(nn.Linear, 3, 7)]
