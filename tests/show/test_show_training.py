"""Learning curves: of a history, of a recorded log, and of both in one picture."""

from types import SimpleNamespace

import matplotlib.figure
import pytest

from utils import results, show
from utils.training.history import History

LOSSES, ACCURACIES = (1.5, 1.0, 0.75), (0.4, 0.6, 0.5)
ROWS = [
    {"epoch": i + 1, "loss": loss, "accuracy": acc, "val_loss": loss + 1, "val_accuracy": acc / 2, "seconds": 30.0}
    for i, (loss, acc) in enumerate(zip(LOSSES, ACCURACIES, strict=True))
]
HISTORY = History(rows=ROWS, steps=[(0.5, 1.8), (1.5, 1.2), (2.5, 0.9)])


@pytest.fixture
def drawn(monkeypatch):
    """The lines of the last figure: [loss panel, accuracy panel], each a list of (label, x, y)."""
    figures = []
    save = matplotlib.figure.Figure.savefig
    monkeypatch.setattr(
        matplotlib.figure.Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k))[1]
    )

    def lines():
        return [
            [(li.get_label(), list(li.get_xdata()), list(li.get_ydata())) for li in ax.lines] for ax in figures[-1].axes
        ]

    return lines


def test_a_history_gives_loss_and_accuracy_of_both_parts(drawn):
    alt = show.learning_curves(HISTORY).alt
    loss, accuracy = drawn()
    assert [line[1:] for line in loss] == [
        ([0.5, 1.5, 2.5], [1.8, 1.2, 0.9]),  # within the epochs
        ([1, 2, 3], [1.5, 1.0, 0.75]),
        ([1, 2, 3], [2.5, 2.0, 1.75]),
    ]
    assert [line[2] for line in accuracy] == [[40, 60, 50], [20, 30, 25]]
    assert [line[0] for line in accuracy] == ["training", "validation, best 30.0%"]
    assert alt == (
        "Loss and accuracy against epoch. The training, 3 epochs: training loss from 1.5 to 0.75; training accuracy "
        "from 40.0% to 50.0%; validation loss from 2.5 to 1.75; validation accuracy from 20.0% to 25.0%, best 30.0%."
    )


def test_the_tutorials_log_stands_beside_the_learners_history(drawn):
    alt = show.learning_curves({"yours": HISTORY, "the tutorial's": results.load("seed_log")}).alt
    assert "the tutorial's, 20 epochs" in alt and "test accuracy from 57.5% to 85.0%, best 86.1%" in alt
    labels = [line[0] for line in drawn()[1]]
    assert labels[2:] == ["the tutorial's: training", "the tutorial's: test, best 86.1%"]


def test_against_time_the_epochs_add_up(drawn):
    show.learning_curves(HISTORY, against="seconds")
    assert drawn()[1][0][1] == [30, 60, 90] and drawn()[0][0][1] == [15, 45, 75]
    show.learning_curves(HISTORY, against="minutes")
    assert drawn()[1][0][1] == [0.5, 1.0, 1.5]


def test_without_validation_and_with_gaps_what_there_is_is_drawn(drawn):
    rows = [dict(row, val_loss=None, val_accuracy=None) for row in ROWS[:2]]
    rows.append(ROWS[2])  # validated once, at the end
    show.learning_curves(SimpleNamespace(rows=rows))
    assert [line[1:] for line in drawn()[1]] == [([1, 2, 3], [40, 60, 50]), ([3], [25])]
    assert "1 epoch:" in show.learning_curves(SimpleNamespace(rows=rows[:1])).alt


def test_nothing_to_draw_is_said():
    for empty in (History(), {}, {"a": HISTORY, "b": History()}):
        with pytest.raises(ValueError, match="no completed epoch"):
            show.learning_curves(empty)
    with pytest.raises(ValueError, match="one of epoch, seconds, minutes; you gave 'steps'"):
        show.learning_curves(HISTORY, against="steps")
    with pytest.raises(ValueError, match='draw them against="epoch"'):
        show.learning_curves(SimpleNamespace(rows=[{"epoch": 1, "loss": 1.0, "accuracy": 0.5}]), against="minutes")
