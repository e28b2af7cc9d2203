"""How long things take: bars for a few methods, lines against a growing size."""

from __future__ import annotations

from collections.abc import Sequence

from utils.show.picture import BLUE, PALETTE, Picture, picture


def seconds(value: float) -> str:
    """A duration in the unit that suits it: 1.2 s, 34 ms, 560 µs."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def gain(ratio: float) -> str:
    """How many times faster, to two digits: ×3.4, ×130, ×13,000."""
    return f"×{float(f'{ratio:.2g}'):,.{0 if ratio >= 10 else 1}f}"


def timings(times: dict[str, float], title: str = "") -> Picture:
    """Bars on a logarithmic scale, the slowest first as given, each with its time and its gain over the first.

    Parameters
    ----------
    times : dict of str to float
        Seconds by method; the first is what the others are compared with.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.5 * len(times) + 1.1), layout="constrained")
    axes = figure.subplots()
    names, values = list(times), list(times.values())
    axes.barh(range(len(names)), values, color=BLUE, height=0.6)
    gains = [f"  {seconds(value)}" + (f"   {gain(values[0] / value)}" if i else "") for i, value in enumerate(values)]
    for i, (value, words) in enumerate(zip(values, gains, strict=True)):
        axes.text(value, i, words, va="center", fontsize=10)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 3, max(values) * 12)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("time (s), logarithmic: each step to the right is ten times slower")
    axes.set_title(title, fontsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    told = ", ".join(f"{name} {seconds(value)}" for name, value in times.items())
    return picture(figure, f"Bars for the time taken, on a logarithmic scale: {told}.")


def growth(
    sizes: Sequence[float], curves: dict[str, Sequence[float]], xlabel: str, ylabel: str = "time (ms)"
) -> Picture:
    """Lines against a size, both axes logarithmic.

    Parameters
    ----------
    sizes : the positions on the x axis
    curves : dict of str to values, one for each size, in the unit that `ylabel` names
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for i, (name, values) in enumerate(curves.items()):
        axes.plot(sizes, values, color=PALETTE[i], marker="osD^v"[i % 5], label=name)
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.set_xticks(list(sizes), [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    ends = ", ".join(f"{name} from {values[0]:.3g} to {values[-1]:.3g}" for name, values in curves.items())
    return picture(figure, f"{ylabel} against {xlabel}, from {sizes[0]:g} to {sizes[-1]:g}, both logarithmic: {ends}.")
