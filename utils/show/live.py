"""The curves of a training that is under way."""

from __future__ import annotations

from utils.show.picture import BLUE, ORANGE, Picture, picture


def progress(history) -> Picture:
    """The loss between epochs, and the accuracies of the epochs that are through."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
    left.plot(*zip(*history.steps, strict=True), color=BLUE, label="training")
    epochs = history["epoch"]
    if epochs and history["val_loss"][0] is not None:
        left.plot(epochs, history["val_loss"], "o-", color=ORANGE, label="validation")
        right.plot(epochs, history["val_accuracy"], "o-", color=ORANGE, label="validation")
    right.plot(epochs, history["accuracy"], "o--", color=BLUE, label="training")
    left.set(xlabel="epochs", ylabel="loss", xlim=(0, None), ylim=(0, None))
    right.set(xlabel="epochs", ylabel="accuracy", xlim=left.get_xlim(), ylim=(0, 1))
    left.legend()
    where, loss = history.steps[-1]
    latest = history["val_accuracy"][-1] if epochs else None
    told = f", validation accuracy {latest:.1%} after epoch {epochs[-1]}" if latest is not None else ""
    return picture(figure, f"A training under way: loss {loss:.3f} after {where:.2f} epochs{told}.")
