"""How far a network's confidence can be believed: reliability diagrams, and histograms of confidence."""

from __future__ import annotations

import numpy as np
import torch

from utils.show.picture import BLUE, ORANGE, PALETTE, Picture, picture


def reliability(answers: dict[str, tuple[torch.Tensor, torch.Tensor]], bins: int = 10) -> Picture:
    """Reliability diagrams side by side: how often a network is right that says it is so sure.

    Parameters
    ----------
    answers : title → (confidence, right), each (N,): the largest probability, and whether the answer was right
    bins : of equal width, from 0 to 1

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.3 * len(answers), 4.4), layout="constrained")
    panels = figure.subplots(2, len(answers), squeeze=False, height_ratios=(4, 1), sharex=True)
    words = []
    for (upper, lower), (title, (confidence, right)) in zip(panels.T, answers.items(), strict=True):
        confidence, right = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
        if confidence.shape != right.shape or confidence.ndim != 1 or not len(right):
            raise ValueError(f"{title}: one confidence and one right or wrong for each picture, both (N,).")
        draw_bins(upper, confidence, right, bins)
        lower.hist(confidence, np.linspace(0, 1, bins + 1), color="#999999", edgecolor="white")
        upper.set_title(f"{title}\nsays {confidence.mean():.1%}, is right {right.mean():.1%}", fontsize=11)
        lower.set(xlabel="confidence (probability of the answer)", xlim=(0, 1))
        lower.spines[["top", "right"]].set_visible(False)
        verdict = "over-confident" if confidence.mean() > right.mean() else "under-confident"
        words.append(f"{title}: mean confidence {confidence.mean():.1%}, accuracy {right.mean():.1%}, {verdict}")
    panels[0, 0].set_ylabel("share that is right")
    panels[1, 0].set_ylabel("pictures")
    panels[0, 0].legend(frameon=False, loc="upper left", fontsize=8)
    return picture(figure, f"Reliability diagram: share of right answers for each confidence. {'; '.join(words)}.")


def draw_bins(axes, confidence: np.ndarray, right: np.ndarray, bins: int) -> None:
    """A bar for each bin, up to the share that is right; the gap to its mean confidence in a colour of its own."""
    from sklearn.calibration import calibration_curve

    accuracy, mean = calibration_curve(right, confidence, n_bins=bins)  # of the bins that are not empty
    middle = (np.minimum(np.floor(mean * bins), bins - 1) + 0.5) / bins
    width = 0.92 / bins
    axes.bar(middle, np.minimum(accuracy, mean), width, color=BLUE)
    above, below = np.maximum(accuracy - mean, 0), np.maximum(mean - accuracy, 0)
    axes.bar(middle, above, width, bottom=mean, color=PALETTE[5], label="right more often than it says")
    axes.bar(middle, below, width, bottom=accuracy, color=ORANGE, label="right less often than it says")
    axes.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1, label="as sure as right")
    axes.set(ylim=(0, 1))
    axes.spines[["top", "right"]].set_visible(False)


def confidences(found: dict[str, torch.Tensor], threshold: float | None = None) -> Picture:
    """Histograms of the confidence in several sets of pictures, one under the other.

    Parameters
    ----------
    found : name of the pictures → confidence (N,)
    threshold : drawn as a line: below it, an answer is refused
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 0.6 + 1.25 * len(found)), layout="constrained")
    panels = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    edges, words = np.linspace(0, 1, 41), []
    for axes, (name, confidence), colour in zip(panels, found.items(), PALETTE, strict=False):
        values = np.asarray(confidence, dtype=float)
        axes.hist(values, edges, weights=np.full(len(values), 100 / len(values)), color=colour)
        axes.set_ylabel("share (%)", fontsize=9)
        accepted = float((values >= (threshold or 0)).mean())
        said = f"{name}: mean confidence {values.mean():.0%}"
        said += f", {accepted:.0%} answered" if threshold else ""
        axes.set_title(said, loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        if threshold:
            axes.axvline(threshold, color="black", linestyle="--", linewidth=1)
        words.append(said)
    panels[-1].set(xlabel="confidence (probability of the answer)", xlim=(0, 1))
    line = f" A line at {threshold:.2f} is the threshold." if threshold else ""
    return picture(figure, f"Histograms of confidence. {'; '.join(words)}.{line}")
