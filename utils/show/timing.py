"""How long things take: bars for a few methods, lines against a growing size."""

from __future__ import annotations

from collections.abc import Sequence

from utils.show.picture import BLUE, PALETTE, Picture, picture

GREY = "#8C8C8C"


def seconds(value: float) -> str:
    """A duration in the unit that suits it: 53 h, 1.2 s, 34 ms, 560 µs."""
    if value >= 3600:
        return f"{value / 3600:.2g} h"
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def compared(ratio: float) -> str:
    """How many times faster or slower, to two digits: 130 times faster, 3.4 times slower."""
    word, ratio = ("faster", ratio) if ratio >= 1 else ("slower", 1 / ratio)
    return f"{float(f'{ratio:.2g}'):,.{0 if ratio >= 10 else 1}f} times {word}"


def timings(times: dict[str, float], title: str = "", *, than: str = "") -> Picture:
    """Bars on a logarithmic scale, each with its time and how it compares.

    Parameters
    ----------
    times : dict of str to float
        Seconds by method.
    than : str
        What the others are compared with; the first one if not given.
    """
    than = than or next(iter(times))
    if than not in times:
        raise ValueError(f"there is no time for {than!r} to compare with; there are: {', '.join(times)}")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.2, 0.5 * len(times) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(
        range(len(times)), list(times.values()), color=[BLUE if name != than else GREY for name in times], height=0.6
    )
    told = {name: seconds(value) for name, value in times.items()}
    for i, (name, value) in enumerate(times.items()):
        words = "" if name == than else f"   {compared(times[than] / value)}"
        axes.text(value, i, f"  {told[name]}{words}", va="center", fontsize=10)
    axes.set_xscale("log")
    low, high = min(times.values()) / 3, max(times.values())
    axes.set_xlim(low, high * (high / low) ** 0.5)  # room for the words
    axes.set_yticks(range(len(times)), list(times))
    axes.invert_yaxis()
    axes.set_xlabel("time (s), logarithmic")
    axes.set_title(title, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    listed = ", ".join(f"{name} {words}" for name, words in told.items())
    return picture(figure, f"Bars for the time taken, on a logarithmic scale: {listed}.")


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
