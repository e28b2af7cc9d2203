"""Chapter 06's figures: what they draw is what they were given, and their words say it too."""

from types import SimpleNamespace

import matplotlib.figure
import pytest
import torch

from utils import data, show

ROWS = [
    {"name": "none", "train": 1.0, "test": 0.42, "sd": 0.01, "seeds": 3},
    {"name": "dropout", "train": 0.8, "test": 0.45, "sd": 0.02, "seeds": 3},
]


@pytest.fixture
def figure(monkeypatch):
    """The last figure that was drawn."""
    figures = []
    save = matplotlib.figure.Figure.savefig
    monkeypatch.setattr(
        matplotlib.figure.Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k))[1]
    )
    return lambda: figures[-1]


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_trainings_are_compared_line_by_line(figure):
    alt = show.comparison(SimpleNamespace(rows=ROWS), title="a title").alt
    axes = figure().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["none", "dropout"]
    assert words(axes) == ["42.0 ± 1.0", "45.0 ± 2.0"]
    train, test = axes.lines[0], axes.lines[1]
    assert list(train.get_xdata()) == [100, 80] and list(test.get_xdata()) == [42, 45]
    assert "dropout 45.0 ± 2.0" in alt


def test_without_training_accuracy_only_test_is_drawn(figure):
    rows = [{key: row[key] for key in ("name", "test", "sd")} for row in ROWS]
    show.comparison(SimpleNamespace(rows=rows))
    assert [line.get_label() for line in figure().axes[0].get_legend_handles_labels()[0]] == ["test, ± 1 sd"]
    with pytest.raises(ValueError, match="no row"):
        show.comparison(SimpleNamespace(rows=[]))


def test_each_augmentation_has_a_row_of_versions(figure):
    x = torch.rand(3, 8, 8)
    alt = show.augmented(x, {"upside down": data.VerticalFlip(p=1), "as it is": data.Flip(p=0)}, copies=3).alt
    shown = [torch.as_tensor(axes.images[0].get_array()) for axes in figure().axes]
    assert len(shown) == 8 and torch.allclose(shown[0], x.permute(1, 2, 0))
    assert torch.allclose(shown[1], x.flip(1).permute(1, 2, 0)) and torch.allclose(shown[7], x.permute(1, 2, 0))
    assert "upside down, as it is" in alt
    show.augmented(torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8), {"flip": data.Flip()}, copies=1)
    with pytest.raises(ValueError, match="one picture"):
        show.augmented(x[None], {"flip": data.Flip()})
    with pytest.raises(ValueError, match="no augmentation"):
        show.augmented(x, {})


def test_a_stopped_training_shows_what_was_never_seen(figure):
    losses = [2.0, 1.0, 1.5, 1.2, 0.5]
    alt = show.stopping(losses, last=4, best=2, patience=2).alt
    axes = figure().axes[0]
    trained, unseen, kept, ended = axes.lines
    assert list(trained.get_ydata()) == losses[:4] and list(unseen.get_ydata()) == losses[3:]
    assert kept.get_xdata()[0] == 2 and ended.get_xdata()[0] == 4
    assert "0.500 in epoch 5, was never seen" in alt
    assert "never seen" not in show.stopping(losses, last=5, best=5, patience=9).alt


def test_a_race_tells_its_runners_apart(figure):
    curves = {name: [(0, 2.0), (1, 1.0 + i)] for i, name in enumerate("abcdefg")}
    alt = show.race(curves).alt
    lines = figure().axes[0].lines
    assert len({(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}) == 7
    assert len({line.get_color() for line in lines}) == 7 and "b ends at 2" in alt
    with pytest.raises(ValueError, match="1 to 7 lines"):
        show.race(curves | {"h": [(0, 1)]})


def rates():
    rows = [
        ("SGD", 0.1, 1.5, False),
        ("SGD", 0.3, 1.2, True),
        ("SGD", 1.0, "diverged", False),
        ("Adam", 0.001, 1.1, True),
    ]
    rows = [dict(zip(("optimizer", "lr", "val_loss", "chosen"), row, strict=True)) for row in rows]

    class Rates(SimpleNamespace):
        def __getitem__(self, column):
            return [row[column] for row in self.rows]

    return Rates(rows=rows)


def test_learning_rates_leave_out_what_diverged_and_ring_the_best(figure):
    alt = show.learning_rates(rates()).alt
    lines = figure().axes[0].lines
    assert list(lines[0].get_xdata()) == [0.1, 0.3] and list(lines[1].get_xdata()) == [0.3]
    assert "SGD 0.3, Adam 0.001" in alt


def test_searches_show_the_best_so_far(figure):
    def run(*values):
        return [{"lr": 0.01, "val_accuracy": value} for value in values]

    alt = show.searches({"grid": [run(0.2, 0.4, 0.3), run(0.4, 0.4, 0.5)], "random": [run(0.1, 0.1, 0.1)] * 2}).alt
    right = figure().axes[1]
    assert right.lines[0].get_ydata().tolist() == pytest.approx([30, 40, 45])
    assert "grid 30.0 after one training, 45.0 after 3" in alt


def test_distances_to_the_nearest(figure):
    alt = show.nearest(torch.tensor([0.01, 0.02, 0.3]), threshold=0.1).alt
    assert "2 of 3 are nearer than 0.1" in alt and "from 0.010 to 0.300" in alt
    assert "nearer" not in show.nearest(torch.tensor([0.01, 0.3])).alt
