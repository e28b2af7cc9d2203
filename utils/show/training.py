"""How a training went: loss and accuracy after each epoch, of one training or of several."""

from __future__ import annotations

import numpy as np

from utils.show.picture import PALETTE, Picture, picture

# What a row may hold, and how it is drawn: part of the data → prefix of the columns, line, marker.
PARTS = {"training": ("", "--", "."), "validation": ("val_", "-", "o"), "test": ("test_", "-", "s")}
AXES = {"epoch": "epoch", "seconds": "training time (s)", "minutes": "training time (min)"}


def learning_curves(histories, *, against: str = "epoch", title: str = "") -> Picture:
    """Losses and accuracies after each epoch: dashed on training pictures, solid on validation or test pictures.

    Parameters
    ----------
    histories : a `History`, a recorded result, or several by name: {"yours": history, "tutorial": log}
        Anything whose `rows` are dicts with `epoch`, `loss`, `accuracy` and, where they were measured, `val_loss`,
        `val_accuracy`, `test_loss`, `test_accuracy` and `seconds` (of each epoch). Accuracies are shares from 0 to 1.
    against : "epoch", or "seconds" or "minutes" of training so far, on a logarithmic axis

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    from matplotlib.figure import Figure

    histories = histories if isinstance(histories, dict) else {"": histories}
    if against not in AXES:
        raise ValueError(f"curves are drawn against one of {', '.join(AXES)}; you gave {against!r}.")
    if not histories or any(not history.rows for history in histories.values()):
        raise ValueError("there is no completed epoch to draw.")
    figure = Figure(figsize=(11.5, 3.7), layout="constrained")
    axes = figure.subplots(1, 2)
    told = []
    for (name, history), colour in zip(histories.items(), PALETTE, strict=False):
        told.append(draw_history(axes, name, history, colour, against))
    for panel, label in zip(axes, ("loss (nats)", "accuracy (%)"), strict=True):
        panel.set(xlabel=AXES[against], ylabel=label)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    finish_axes(axes, histories, against)
    axes[1].legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(title, fontsize=11)
    return picture(figure, f"Loss and accuracy against {AXES[against]}. {' '.join(told)}")


def draw_history(axes, name: str, history, colour: str, against: str) -> str:
    """Draw one training into the two panels, and say in a sentence what there is to see."""
    x = positions(history.rows, against)
    steps = getattr(history, "steps", None)
    if steps:  # the loss within the epochs
        epochs, losses = zip(*steps, strict=True)
        ends = [0, *(row["epoch"] for row in history.rows)]
        axes[0].plot(np.interp(epochs, ends, [0, *x]), losses, color=colour, alpha=0.35, linewidth=1)
    told = []
    for part, (prefix, line, marker) in PARTS.items():
        style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 4}
        for panel, quantity, factor in zip(axes, ("loss", "accuracy"), (1, 100), strict=True):
            values = [row.get(prefix + quantity) for row in history.rows]
            found = [(at, factor * value) for at, value in zip(x, values, strict=True) if value is not None]
            if found:
                label = part_label(name, part, quantity, found)
                panel.plot(*zip(*found, strict=True), label=label, alpha=0.6 if part == "training" else 1, **style)
                told += tell(part, quantity, found)
    epochs = "1 epoch" if len(history.rows) == 1 else f"{len(history.rows)} epochs"
    return f"{name or 'The training'}, {epochs}: {'; '.join(told)}."


def part_label(name: str, part: str, quantity: str, found: list) -> str:
    """A line of the legend; with the best accuracy, where that is not of training pictures."""
    label = f"{name}: {part}" if name else part
    best = max(value for _, value in found)
    return f"{label}, best {best:.1f}%" if quantity == "accuracy" and part != "training" else label


def tell(part: str, quantity: str, found: list) -> list[str]:
    """A line in words: where it starts, where it ends."""
    form = "{:.1f}%" if quantity == "accuracy" else "{:.3g}"
    first, last = (form.format(found[i][1]) for i in (0, -1))
    best = max(value for _, value in found)
    words = f"{part} {quantity} from {first} to {last}"
    higher = quantity == "accuracy" and part != "training" and best > found[-1][1]
    return [words + (f", best {best:.1f}%" if higher else "")]


def positions(rows: list[dict], against: str) -> np.ndarray:
    """Where each row stands on the x axis."""
    if against == "epoch":
        return np.array([row["epoch"] for row in rows], dtype=float)
    if any(row.get("seconds") is None for row in rows):
        raise ValueError('these rows have no "seconds": draw them against="epoch".')
    seconds = np.cumsum([row["seconds"] for row in rows])
    return seconds / (60 if against == "minutes" else 1)


def finish_axes(axes, histories: dict, against: str) -> None:
    """Whole epochs, or a logarithmic time, on the x axis; the loss from 0."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for panel in axes:
        if against == "epoch":
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        else:
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0].set_ylim(bottom=0)
