"""The figures of chapter 07: the story, what networks cost, gradients layer by layer, what an Inception block costs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from utils.show.picture import BLUE, GREEN, ORANGE, PALETTE, PINK, Picture, picture
from utils.show.sheet import GREY, Sheet

MARKERS = "osD^v"
LEVELS = (0, 2, 1, 3, 0, 2, 1, 3, 0, 2, 1)  # heights of the timeline's notes, so that neighbours do not touch
GAP_YEARS = range(1999, 2010)  # left out of the timeline


def timeline(history) -> Picture:
    """Who brought what, and below it the best top-5 error of the ImageNet challenge in each year.

    Parameters
    ----------
    history : the recorded result "architectures_history"
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.25, 1))
    for row, level in zip(history.rows, LEVELS, strict=False):
        note(above, row, level)
    above.axhline(0, color="black", linewidth=1)
    above.set(ylim=(0, 4.6), yticks=[])
    above.spines[["top", "right", "left", "bottom"]].set_visible(False)
    above.tick_params(bottom=False)
    errors, beaten, human = (history.about[name] for name in ("errors", "next_best_2012", "human"))
    for row in errors:
        x = place(row["year"])
        below.bar(x, row["error"], width=0.6, color=BLUE if row["cnn"] else "#BBBBBB")
        height = row["error"] if row["error"] > human else human  # not into the dashed line
        below.text(x, height + 0.8, f"{row['error']:.1f}", ha="center", fontsize=10)
    below.plot([place(2012) - 0.38, place(2012) + 0.38], [beaten] * 2, color=ORANGE, linewidth=3)
    below.annotate(f"next best: {beaten:g}", (place(2012) + 0.45, beaten), va="center", color=ORANGE, fontsize=10)
    below.axhline(human, color=GREEN, linestyle="--", linewidth=1.2)
    below.text(place(2022), human + 0.8, f"one trained person: {human:g}", color=GREEN, ha="right", fontsize=10)
    below.text(-0.7, 31, "grey: hand-made\nfeatures\nblue: CNNs", fontsize=10, va="top", color="#444444")
    years = [1998, *range(2010, 2023)]
    below.set_xticks([place(year) for year in years], [str(year) for year in years])
    below.text(place(2010) - 1, -0.6, "⋯", ha="center", va="top", fontsize=14)
    below.set(ylabel="best top-5 error (%)", ylim=(0, 32), xlim=(-0.9, place(2022) + 1.1))
    below.spines[["top", "right"]].set_visible(False)
    names = "; ".join(f"{row['year']} {row['name']}, {row['news']}" for row in history.rows)
    falling = ", ".join(f"{row['year']} {row['error']:g}" for row in errors)
    return picture(
        figure,
        f"A timeline: {names}. Below it the best top-5 errors of the ImageNet challenge in per cent: {falling}; in "
        f"2012 the next best had {beaten:g}; one trained person had {human:g}.",
    )


def place(year: int) -> float:
    """Where a year stands on the axis, on which some years are left out."""
    return float(year - 1998 - (len(GAP_YEARS) - 1.2 if year > GAP_YEARS[-1] else 0))


def note(axes, row: dict, level: int) -> None:
    """A name with what was new, on a stem of its own height."""
    x, y = place(row["year"]), 0.28 + 1.08 * level
    same = {"VGG": -0.45, "GoogLeNet": 0.25, "MobileNet": -0.3, "SENet": 0.3}.get(row["name"], 0)
    axes.plot([x + same / 3] * 2, [0, y], color=GREY, linewidth=1, zorder=1)
    words = "\n".join(textwrap.wrap(row["news"], 19))
    box = {"facecolor": "white", "edgecolor": "#BBBBBB", "boxstyle": "round,pad=0.25"}
    axes.text(x + same, y, f"$\\bf{{{row['name']}}}$\n{words}", fontsize=8.5, ha="center", va="bottom", bbox=box)


def costs(rows: Sequence[dict]) -> Picture:
    """Top-1 accuracy against multiply-adds; the area of a disc is the number of parameters.

    Parameters
    ----------
    rows : dicts with name, parameters, multiply_adds, top1 (%)
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 4.8), layout="constrained")
    axes = figure.subplots()
    x, y, size = (np.array([row[column] for row in rows], float) for column in ("multiply_adds", "top1", "parameters"))
    axes.scatter(x / 1e9, y, s=size / 1e5, color=BLUE, alpha=0.35, edgecolor=BLUE)
    for i, row in enumerate(rows):
        crowded = any(abs(y[j] - y[i]) < 1.5 and abs(np.log10(x[j] / x[i])) < 0.2 for j in range(len(rows)) if j > i)
        away = (np.sqrt(size[i] / 1e5) / 2 + 7) * (-1 if crowded else 1)  # below, if another one follows beside it
        words, at = f"{row['name']}, {row['parameters'] / 1e6:.1f} M", (x[i] / 1e9, y[i])
        axes.annotate(words, at, (0, away), textcoords="offset points", fontsize=9, ha="center", va="center")
    axes.set(xscale="log", xlabel="multiply-adds for one picture of 224×224 (thousand millions)")
    axes.set(ylabel="top-1 accuracy on ImageNet (%)", xlim=(0.18, 45), ylim=(y.min() - 4, y.max() + 4))
    axes.set_xticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    told = "; ".join(f"{row['name']} {row['multiply_adds'] / 1e9:.2f}, {row['top1']:.1f} %" for row in rows)
    return picture(figure, f"Multiply-adds in thousand millions and top-1 accuracy of {len(rows)} networks: {told}.")


def by_layer(norms: dict[str, Sequence[Sequence[float]]], title: str = "") -> Picture:
    """Gradient norms of a network's layers, first to last, on a logarithmic axis: seeds thin, their middle thick.

    Parameters
    ----------
    norms : by name: for each seed the norms of all layers
    """
    from matplotlib.figure import Figure

    if not norms or not all(len(seeds) and len(seeds[0]) for seeds in norms.values()):
        raise ValueError("there is no gradient to draw.")
    figure = Figure(figsize=(8.6, 3.7), layout="constrained")
    axes, told = figure.subplots(), []
    for (name, seeds), colour, marker in zip(norms.items(), PALETTE, MARKERS, strict=False):
        values = np.maximum(np.array(seeds, float), 1e-12)  # (seeds, layers); a logarithmic axis has no 0
        x, middle = np.arange(1, values.shape[1] + 1), np.exp(np.log(values).mean(0))
        axes.plot(x, middle, color=colour, marker=marker, markersize=3, label=name)
        axes.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
        told.append(f"{name}: {middle[0]:.2g} in the first layer, {middle[-1]:.2g} in the last of {len(x)}")
    axes.set(xlabel="convolution, from the input to the output", ylabel="gradient norm of its weights", yscale="log")
    low, high = axes.get_ylim()
    middle = (low * high) ** 0.5
    axes.set_ylim(min(low, middle / 30), max(high, middle * 30))  # at least three decades: what is level looks level
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.set_title(title, fontsize=11)
    return picture(figure, f"Gradient norms layer by layer, before training. {'; '.join(told)}.")


def with_spread(
    panels: dict[str, dict[str, dict[float, tuple[float, float]]]], xlabel: str, *, log: bool = False, alt: str = ""
) -> Picture:
    """Lines with error bars, in panels side by side, all against the same quantity.

    Parameters
    ----------
    panels : by the label of its y axis: by name of a line: x → (mean, standard deviation)
    log : whether the x axis is logarithmic
    alt : said before the numbers
    """
    from matplotlib.figure import Figure

    if not panels or not all(panels.values()):
        raise ValueError("there is no line to draw.")
    figure = Figure(figsize=(4.6 * len(panels) + 2.2, 3.9), layout="constrained")
    told = []
    for axes, (label, lines) in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels.items(), strict=True):
        for (name, points), colour, marker in zip(lines.items(), PALETTE, MARKERS, strict=False):
            x, values = list(points), np.array(list(points.values()))
            axes.errorbar(x, values[:, 0], values[:, 1], color=colour, marker=marker, capsize=3, label=name)
            told.append(f"{label}, {name}: " + ", ".join(f"{at:g}: {v:.1f} ± {s:.1f}" for at, (v, s) in points.items()))
        axes.set(xlabel=xlabel, ylabel=label, xscale="log" if log else "linear")
        axes.set_xticks(x, [f"{at:g}" for at in x])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(figure, " ".join([alt, *(f"{each}." for each in told)]).strip())


BRANCHES = ("1×1", "3×3", "5×5", "pool")
ROW, BAR = 30, 330  # pixels


def branches(
    costs: dict[str, list[tuple[str, int, int]]], total: tuple[int, int], without: tuple[int, int], out: int
) -> Picture:
    """What each convolution of an Inception block costs, and the block with and without its 1×1 reductions.

    Parameters
    ----------
    costs : by branch: for each of its convolutions the words, the parameters and the multiply-adds
    total, without : parameters and multiply-adds of the block, and of the one whose branches take all channels
    out : channels that come out
    """
    layers = [(branch, *each) for branch, parts in costs.items() for each in parts]
    most = max(total[1], without[1], 1)
    sheet = Sheet(770, 50 + ROW * (len(layers) + 2))
    for x, words in ((14, "convolution"), (290, "parameters"), (390, "multiply-adds (millions)")):
        sheet.text(x, 18, words, 13, "lm", bold=True)
    colours = dict(zip(costs, (BLUE, GREEN, ORANGE, PINK), strict=False))
    y = 44
    for branch, words, parameters, products in layers:
        line(sheet, y, words, parameters, products, most, colours[branch])
        y += ROW
    y += 12
    sheet.pen.line((14, y - 16, 756, y - 16), fill=GREY)
    line(sheet, y, f"the block, {out} channels out", *total, most, "black")
    line(sheet, y + ROW, "without 1×1 reductions", *without, most, "#999999")
    share = total[1] / max(without[1], 1)
    return sheet.picture(
        f"An Inception block with {len(layers)} convolutions and {out} channels out: {total[0]:,} parameters and "
        f"{total[1]:,} multiply-adds; without 1×1 reductions {without[0]:,} and {without[1]:,}. It needs {share:.0%}."
    )


def line(sheet: Sheet, y: float, words: str, parameters: int, products: int, most: int, colour: str) -> None:
    """A line of the table, its multiply-adds as a bar."""
    sheet.text(14, y, words, 13, "lm")
    sheet.text(378, y, f"{parameters:,}", 13, "rm")
    width = (BAR - 40) * products / most
    sheet.box(390, y - 9, max(width, 1), 18, fill=colour, edge=colour)
    sheet.text(396 + width, y, f"{products / 1e6:.1f}", 13, "lm")
