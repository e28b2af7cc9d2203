"""The figures of chapter 06: trainings compared, augmentations, early stopping, optimisers, searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from utils.show.picture import BLUE, GREEN, ORANGE, PALETTE, Picture, picture

MARKERS = "osD^vPX"
LINES = ("-", "--", "-.", ":")


def comparison(result, *, title: str = "") -> Picture:
    """Trainings side by side: test accuracy with its standard deviation, and training accuracy where there is any.

    Parameters
    ----------
    result : a recorded result (or anything with `rows`) whose first column is a name, with `test`, `sd` and, perhaps,
        `train` as shares from 0 to 1, and `seeds`
    """
    from matplotlib.figure import Figure

    rows = result.rows
    if not rows:
        raise ValueError("there is no row to draw.")
    names = [str(next(iter(row.values()))) for row in rows]
    figure = Figure(figsize=(9, 0.36 * len(rows) + 1.3), layout="constrained")
    axes = figure.subplots()
    y = range(len(rows))
    test, sd = ([100 * row[column] for row in rows] for column in ("test", "sd"))
    axes.axvspan(test[0] - sd[0], test[0] + sd[0], color=BLUE, alpha=0.12, linewidth=0)
    if "train" in rows[0]:
        train = [100 * row["train"] for row in rows]
        axes.hlines(y, test, train, color="#BBBBBB", linewidth=1.2, zorder=1)
        axes.plot(train, y, "o", color="white", markeredgecolor=ORANGE, markeredgewidth=1.6, label="training")
    axes.errorbar(test, y, xerr=sd, fmt="s", color=BLUE, capsize=3, markersize=5, label="test, ± 1 sd")
    for at, value, deviation in zip(y, test, sd, strict=True):
        axes.annotate(
            f"{value:.1f} ± {deviation:.1f}", (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=9
        )
    axes.set_yticks(list(y), names)
    axes.invert_yaxis()
    axes.set_xlabel("accuracy (%)")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    if title:
        figure.suptitle(title, fontsize=11)
    told = "; ".join(
        f"{name} {value:.1f} ± {deviation:.1f}" for name, value, deviation in zip(names, test, sd, strict=True)
    )
    return picture(figure, f"Test accuracy in per cent, mean and standard deviation over the seeds: {told}.")


def augmented(x: torch.Tensor, steps: dict[str, Callable], *, copies: int = 8, seed: int = 0) -> Picture:
    """Each augmentation's versions of one picture, a row for each.

    Parameters
    ----------
    x : one picture (C, H, W), uint8 or float in [0, 1]
    steps : by name, functions (x, generator) → x as in `data.augment`
    copies : versions in a row, after the original
    """
    if x.ndim != 3:
        raise ValueError(f"one picture (C, H, W) expected; you gave shape {tuple(x.shape)}.")
    if not steps:
        raise ValueError("there is no augmentation to show: steps is empty.")
    from matplotlib.figure import Figure

    x = x.float() / 255 if x.dtype == torch.uint8 else x
    figure = Figure(figsize=(1.9 + 0.8 * (copies + 1), 0.82 * len(steps) + 0.3), layout="constrained")
    grid = figure.subplots(len(steps), copies + 1, squeeze=False)
    for line, (name, step) in zip(grid, steps.items(), strict=True):
        made = step(x.expand(copies, -1, -1, -1), torch.Generator().manual_seed(seed))  # (copies, C, H, W)
        for axes, one in zip(line, [x, *made], strict=True):
            axes.imshow(one.permute(1, 2, 0) if len(one) == 3 else one[0], cmap="gray", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    grid[0, 0].set_title("original", fontsize=9)
    return picture(figure, f"One picture and {copies} versions of it by each of: {', '.join(steps)}.")


def stopping(losses: Sequence[float], last: int, best: int, patience: int) -> Picture:
    """A validation loss by epoch, where a training with this patience would have ended, and the weights it would keep.

    Parameters
    ----------
    losses : of all epochs, had it gone on
    last, best : numbers of epochs, from 1
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    axes = figure.subplots()
    epochs = list(range(1, len(losses) + 1))
    axes.plot(epochs[:last], losses[:last], "o-", color=BLUE, markersize=4, label="trained")
    if last < len(losses):
        axes.plot(epochs[last - 1 :], losses[last - 1 :], "o:", color="#999999", markersize=3, label="never seen")
    axes.axvline(best, color=GREEN, linewidth=1.5, label=f"kept: epoch {best}, loss {losses[best - 1]:.3f}")
    axes.axvline(last, color=ORANGE, linestyle="--", linewidth=1.5, label=f"ended after epoch {last}")
    least = min(range(len(losses)), key=losses.__getitem__) + 1
    axes.set(xlabel="epoch", ylabel="validation loss (nats)", title=f"patience {patience}")
    axes.title.set_fontsize(11)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    missed = "" if best == least else f" The smallest loss, {losses[least - 1]:.3f} in epoch {least}, was never seen."
    return picture(
        figure,
        f"Validation loss by epoch. With patience {patience} the training ends after epoch {last} and keeps "
        f"epoch {best}, loss {losses[best - 1]:.3f}.{missed}",
    )


def race(curves: dict[str, list], *, ylabel: str = "training loss (nats)", ylim: tuple | None = None) -> Picture:
    """Lines by epoch, each with its own marker.

    Parameters
    ----------
    curves : by name, pairs (epoch, loss)
    """
    from matplotlib.figure import Figure

    if not 0 < len(curves) <= len(PALETTE):
        raise ValueError(f"1 to {len(PALETTE)} lines can be told apart; you gave {len(curves)}.")
    figure = Figure(figsize=(9.5, 4), layout="constrained")
    axes = figure.subplots()
    for i, (name, points) in enumerate(curves.items()):
        x, y = zip(*points, strict=True)
        style = {"color": PALETTE[i], "marker": MARKERS[i], "linestyle": LINES[i % 4], "markevery": max(1, len(x) // 8)}
        axes.plot(x, y, label=name, markersize=5, linewidth=1.5, **style)
    axes.set(xlabel="epoch", ylabel=ylabel, ylim=ylim)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    told = "; ".join(f"{name} ends at {points[-1][1]:.3g}" for name, points in curves.items())
    return picture(figure, f"{ylabel} by epoch: {told}.")


def learning_rates(result) -> Picture:
    """Validation loss by learning rate, a line for each optimiser; what was chosen is ringed.

    Parameters
    ----------
    result : rows with `optimizer`, `lr`, `val_loss` (or a word, where the training diverged) and `chosen`
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 4), layout="constrained")
    axes = figure.subplots()
    told = []
    for i, name in enumerate(dict.fromkeys(result["optimizer"])):
        rows = [row for row in result.rows if row["optimizer"] == name and not isinstance(row["val_loss"], str)]
        style = {"color": PALETTE[i % 7], "marker": MARKERS[i % 7], "linestyle": LINES[i % 4]}
        axes.plot([row["lr"] for row in rows], [row["val_loss"] for row in rows], label=name, markersize=5, **style)
        best = next(row for row in rows if row["chosen"])
        axes.plot(
            best["lr"], best["val_loss"], "o", markersize=13, markerfacecolor="none", markeredgecolor=PALETTE[i % 7]
        )
        told.append(f"{name} {best['lr']:g}")
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="validation loss (nats)")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(figure, f"Validation loss by learning rate; the best of each optimiser: {', '.join(told)}.")


def lr_curve(curve) -> Picture:
    """What a learning-rate finder saw: the loss of each step, smoothed, by learning rate.

    Parameters
    ----------
    curve : training.LRCurve
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(curve.lrs, curve.losses, color="#AAAAAA", linewidth=1, label="each step")
    axes.plot(curve.lrs, curve.smooth, color=BLUE, linewidth=2, label="smoothed")
    for value, colour, name in ((curve.steepest, GREEN, "falls fastest"), (curve.lowest, ORANGE, "lowest")):
        axes.axvline(value, color=colour, linestyle="--", label=f"{name}: {value:.1e}")
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss (nats)", ylim=(0, min(max(curve.losses), 3 * curve.losses[0]) * 1.05))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(
        figure,
        f"Loss by learning rate, which rises from step to step: from {curve.smooth[0]:.2f} it falls fastest at "
        f"{curve.steepest:.1e}, is lowest at {curve.lowest:.1e}, and ends at {curve.smooth[-1]:.2f}.",
    )


def searches(tried: dict[str, list[list[dict]]]) -> Picture:
    """Ways of searching: what each one tried in its first search, and its best so far, the mean of all its searches.

    Parameters
    ----------
    tried : by method, searches; each a list of settings with their `val_accuracy`, in the order of trying
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    told = []
    for i, (method, runs) in enumerate(tried.items()):
        style = {"color": PALETTE[i % 4], "marker": MARKERS[i % 4]}
        first = runs[0]
        left.plot(
            [t["lr"] for t in first], [100 * t["val_accuracy"] for t in first], linestyle="", label=method, **style
        )
        so_far = torch.tensor([[t["val_accuracy"] for t in run] for run in runs]).cummax(1).values.mean(0) * 100
        right.plot(range(1, len(so_far) + 1), so_far, label=method, markersize=4, **style)
        told.append(f"{method} {so_far[0]:.1f} after one training, {so_far[-1]:.1f} after {len(so_far)}")
    left.set_xscale("log")
    left.set(xlabel="learning rate", ylabel="validation accuracy (%)", title="what was tried, one search each")
    right.set(xlabel="trainings so far", ylabel="best validation accuracy so far (%)", title="mean of all searches")
    for axes in (left, right):
        axes.title.set_fontsize(11)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(figure, f"Best validation accuracy so far in per cent, mean of all searches: {'; '.join(told)}.")


def nearest(distances: torch.Tensor, threshold: float | None = None) -> Picture:
    """How far each picture is from its nearest neighbour: a histogram, and the threshold."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 2.9), layout="constrained")
    axes = figure.subplots()
    axes.hist(distances.tolist(), bins=40, color=BLUE)
    near = ""
    if threshold is not None:
        axes.axvline(threshold, color=ORANGE, linestyle="--", label=f"threshold {threshold:g}")
        axes.legend(frameon=False)
        near = f" {int((distances < threshold).sum())} of {len(distances)} are nearer than {threshold:g}."
    axes.set(xlabel="distance to the nearest training picture (white = 1)", ylabel="test pictures")
    axes.spines[["top", "right"]].set_visible(False)
    low, high = distances.min(), distances.max()
    return picture(figure, f"Distances to the nearest training picture, from {low:.3f} to {high:.3f}.{near}")
