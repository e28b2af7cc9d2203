"""Accuracy by group, and what repairs did to it."""

from __future__ import annotations

from utils.show.picture import BLUE, GREEN, ORANGE, PALETTE, Picture, picture

COLOURS = {"overall": "#999999", "with": BLUE, "against": ORANGE}


def by_group(accuracies: dict[str, dict[str, float]], title: str = "") -> Picture:
    """Bars for each network: overall, and of each group.

    Parameters
    ----------
    accuracies : name of a network → name of a group → accuracy, from 0 to 1
    """
    from matplotlib.figure import Figure

    groups = list(next(iter(accuracies.values())))
    if any(list(found) != groups for found in accuracies.values()):
        raise ValueError(f"every network needs the same groups, in the same order: {', '.join(groups)}.")
    figure = Figure(figsize=(2.6 + 1.4 * len(accuracies), 3.3), layout="constrained")
    axes = figure.subplots()
    others = iter((GREEN, *PALETTE[3:]))
    width = 0.8 / len(groups)
    for i, group in enumerate(groups):
        at = [place + (i - (len(groups) - 1) / 2) * width for place in range(len(accuracies))]
        colour = COLOURS.get(group) or next(others)
        bars = axes.bar(at, [100 * found[group] for found in accuracies.values()], width, color=colour, label=group)
        axes.bar_label(bars, fmt="%.0f", fontsize=9, padding=2)
    axes.set_xticks(range(len(accuracies)), [name.replace(", ", ",\n") for name in accuracies])
    axes.set(ylabel="accuracy (%)", ylim=(0, 112), yticks=range(0, 101, 20), xlim=(-0.6, len(accuracies) - 0.4))
    axes.set_title(title, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture(figure, told(accuracies, title))


def told(accuracies: dict[str, dict[str, float]], title: str) -> str:
    """The bars in words."""
    lines = [
        f"{name}: {', '.join(f'{group} {share:.1%}' for group, share in found.items())}"
        for name, found in accuracies.items()
    ]
    return f"Accuracy by group{f' ({title})' if title else ''}. {'; '.join(lines)}."


def repairs(result, pictures: str) -> Picture:
    """Recorded repairs of a planted shortcut in one set of pictures: bars for the worst group, marks for the others.

    Parameters
    ----------
    result : as `results.load("bias_repairs")` gives it
    pictures : "Shapes-10" or "CIFAR-10"
    """
    from matplotlib.figure import Figure

    rows = [row for row in result.rows if row["pictures"] == pictures]
    if not rows:
        known = ", ".join(dict.fromkeys(row["pictures"] for row in result.rows))
        raise ValueError(f"nothing is recorded for {pictures!r}; there are: {known}.")
    figure = Figure(figsize=(8.6, 0.9 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    at = range(len(rows))
    worst, spread = ([100 * row[key] for row in rows] for key in ("against", "sd"))
    axes.barh(at, worst, 0.62, color=ORANGE, label="against")
    axes.errorbar(worst, at, xerr=spread, fmt="none", ecolor="black", capsize=3, label="± sd of the gain")
    for group, marker in (("with", "D"), ("overall", "o")):
        axes.plot([100 * row[group] for row in rows], at, marker, color=COLOURS[group], label=group, clip_on=False)
    axes.set_yticks(at, [f"{row['way']}   {100 * row['against']:.0f} %" for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel="accuracy (%)", xlim=(0, 100))
    axes.set_title(f"{pictures}, {rows[0]['seeds']} seeds", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
    groups = ("overall", "with", "against")
    said = {row["way"]: {group: row[group] for group in groups} for row in rows}
    return picture(figure, told(said, f"{pictures}, {rows[0]['seeds']} seeds"))
