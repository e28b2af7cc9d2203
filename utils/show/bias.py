"""Accuracy by group, and what repairs did to it."""

from __future__ import annotations

from utils.show.picture import BLUE, GREEN, ORANGE, PALETTE, Picture, picture

COLOURS = {"overall": "#999999", "with": BLUE, "against": ORANGE}


def by_group(accuracies: dict[str, dict[str, float]], title: str = "", sd: dict[str, dict[str, float]] | None = None):
    """Bars for each network: overall, and of each group.

    Parameters
    ----------
    accuracies : name of a network → name of a group → accuracy, from 0 to 1
    sd : the same with standard deviations, where there are any: drawn as lines on the bars
    """
    from matplotlib.figure import Figure

    groups = list(next(iter(accuracies.values())))
    if any(list(found) != groups for found in accuracies.values()):
        raise ValueError(f"every network needs the same groups, in the same order: {', '.join(groups)}.")
    figure = Figure(figsize=(1.6 + 1.55 * len(accuracies), 3.4), layout="constrained")
    axes = figure.subplots()
    others = iter((GREEN, *PALETTE[3:]))
    width = 0.8 / len(groups)
    for i, group in enumerate(groups):
        heights = [100 * found[group] for found in accuracies.values()]
        spread = [100 * (sd or {}).get(name, {}).get(group, 0.0) for name in accuracies]
        at = [place + (i - (len(groups) - 1) / 2) * width for place in range(len(accuracies))]
        colour = COLOURS.get(group) or next(others)
        bars = axes.bar(at, heights, width * 0.94, yerr=spread if sd else None, capsize=3, color=colour, label=group)
        axes.bar_label(bars, fmt="%.0f", fontsize=9, padding=2)
    axes.set_xticks(range(len(accuracies)), [name.replace(", ", ",\n") for name in accuracies])
    axes.set(ylabel="accuracy (%)", ylim=(0, 112), yticks=range(0, 101, 20))
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
    """The recorded repairs of a planted shortcut in one set of pictures, as bars with the gains' deviations.

    Parameters
    ----------
    result : as `results.load("bias_repairs")` gives it
    pictures : "Shapes-10" or "CIFAR-10"
    """
    rows = [row for row in result.rows if row["pictures"] == pictures]
    if not rows:
        known = ", ".join(dict.fromkeys(row["pictures"] for row in result.rows))
        raise ValueError(f"nothing is recorded for {pictures!r}; there are: {known}.")
    groups = ("overall", "with", "against")
    bars = {row["way"]: {group: row[group] for group in groups} for row in rows}
    spread = {row["way"]: {"against": row["sd"]} for row in rows}
    return by_group(bars, f"{pictures}, {rows[0]['seeds']} seeds", spread)
