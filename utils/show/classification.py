"""What a classifier takes for what: the confusion matrix, the pictures in its cells, the most confident mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from utils import evaluation
from utils.show.picture import BLUE, ORANGE, Picture, picture
from utils.show.sheet import Sheet
from utils.show.tiles import Words, check_gallery, named, tiles


def confusion(matrix: torch.Tensor, classes: Sequence[str], title: str = "") -> Picture:
    """A confusion matrix: blue what is right, orange what is wrong, each the darker the more there are.

    Parameters
    ----------
    matrix : int (classes, classes), rows are the truth, columns the guesses, as `evaluation.confusion` gives it
    """
    from matplotlib.figure import Figure

    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n):
        raise ValueError(f"a matrix of {n}×{n} for {n} classes expected; you gave shape {counts.shape}.")
    figure = Figure(figsize=(1.9 + 0.58 * n, 1.5 + 0.44 * n), layout="constrained")
    axes = figure.subplots()
    axes.imshow(cell_colours(counts), aspect="auto")
    for row, column in np.ndindex(n, n):
        if counts[row, column]:
            axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=9)
    axes.set_xticks(range(n), classes, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n), classes)
    axes.set(xlabel="what the network says", ylabel="what it is")
    axes.set_title(title, fontsize=11)
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    return picture(figure, told_matrix(counts, classes))


def told_matrix(counts: np.ndarray, classes: Sequence[str]) -> str:
    """What a confusion matrix says, in words: how many are right, and the three most frequent mistakes."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:3]
    worst = [np.unravel_index(place, counts.shape) for place in order]
    pairs = [f"{classes[i]} taken for {classes[j]} ({wrong[i, j]:,})" for i, j in worst if wrong[i, j]]
    most = f"Most frequent mistakes: {', '.join(pairs)}." if pairs else "There are no mistakes."
    right, total = int(np.trace(counts)), int(counts.sum())
    return f"Confusion matrix of {len(classes)} classes: {right:,} of {total:,} are right. {most}"


def cell_colours(matrix) -> np.ndarray:
    """A colour for each cell, float (n, n, 3): the diagonal from white to blue, the rest from white to orange.

    Mistakes have a scale of their own: beside 900 right answers, 50 mistakes would be as pale as none. Black letters
    can be read on every colour.
    """
    from matplotlib.colors import to_rgb

    counts = np.asarray(matrix, dtype=float)
    right = np.eye(len(counts), dtype=bool)
    colours = np.ones((*counts.shape, 3))
    for where, colour in ((right, BLUE), (~right, ORANGE)):
        most = counts[where].max(initial=0) or 1
        share = (0.9 * counts[where] / most)[:, None]
        colours[where] = 1 - share * (1 - np.array(to_rgb(colour)))
    return colours


def mistakes(
    x: torch.Tensor, y: torch.Tensor, logits: torch.Tensor, classes: Sequence[str], n: int = 12, columns: int = 6
) -> Picture:
    """The `n` most confident mistakes, each with the truth, the two best guesses and their probabilities.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, C, H, W)
    y : labels (N,)
    logits : (N, classes)
    """
    check_same(x, y, logits)
    chosen = evaluation.most_confident_mistakes(logits, y, n)
    if not len(chosen):
        sheet = Sheet(520, 60)
        sheet.text(260, 30, f"All {len(y):,} pictures are right: there is no mistake to show.")
        return sheet.picture(f"All {len(y):,} pictures are right: there is no mistake to show.")
    x, y, logits = x[chosen], y[chosen], logits[chosen]
    lines = [[Words(f"is: {named(int(label), classes)}")] for label in y]
    for words, guesses in zip(lines, two_guesses(y, logits, classes), strict=True):
        words += guesses
    told = "; ".join(f"{words[0].text.removeprefix('is: ')} taken for {words[1].text[2:]}" for words in lines[:3])
    return tiles(x, lines, columns, 96).picture(
        f"The {len(chosen)} most confident mistakes, each with its two best guesses. The first: {told}."
    )


def confused(
    x: torch.Tensor,
    y: torch.Tensor,
    logits: torch.Tensor,
    classes: Sequence[str],
    actual: int | str,
    guessed: int | str,
    n: int = 24,
    columns: int = 8,
) -> Picture:
    """The pictures in one cell of the confusion matrix, the most confident answers first.

    Parameters
    ----------
    x, y, logits : as for `mistakes`
    actual, guessed : the cell's row and column, as labels or as names of classes
    n : how many are shown at most

    Raises
    ------
    ValueError
        If the cell is empty; the message says so in words that can be shown.
    """
    check_same(x, y, logits)
    actual, guessed = label_of(actual, classes), label_of(guessed, classes)
    best, probabilities = evaluation.two_best(logits)
    inside = ((y == actual) & (best[:, 0] == guessed)).nonzero().flatten()
    is_, as_ = classes[actual], classes[guessed]
    if not len(inside):
        raise ValueError(f"No picture of class {is_} is taken for {as_}.")
    chosen = inside[probabilities[inside, 0].argsort(descending=True, stable=True)[:n]]
    lines = two_guesses(y[chosen], logits[chosen], classes)
    head = f"class {is_}, recognised" if actual == guessed else f"class {is_}, taken for {as_}"
    shown = f"all {len(inside)}" if len(chosen) == len(inside) else f"{len(chosen)} of {len(inside):,}"
    title = f"{head}: {shown}, the most confident first"
    told = f"The first: {', then '.join(words.text[2:] for words in lines[0])}."
    return tiles(x[chosen], lines, columns, 80, title).picture(f"Pictures of {title}. {told}")


def two_guesses(y: torch.Tensor, logits: torch.Tensor, classes: Sequence[str]) -> list[list[Words]]:
    """Two lines for each picture: the best guesses with their probabilities, marked as right or wrong."""
    best, probabilities = evaluation.two_best(logits)
    return [
        [guess(named(c, classes), p, c == int(label)) for c, p in zip(two.tolist(), shares.tolist(), strict=True)]
        for label, two, shares in zip(y, best, probabilities, strict=True)
    ]


def guess(name: str, probability: float, right: bool) -> Words:
    """A guess in words. A network's 99.97 % is no certainty: it is not written as 100 %, and the rest not as 0 %."""
    percent = f"{min(probability, 0.999):.1%}" if probability > 0.99 else f"{probability:.0%}"
    percent = percent if probability >= 0.01 else "under 1%"
    return Words(f"{'✓' if right else '✗'} {name} {percent}", BLUE if right else ORANGE, probability)


def label_of(which: int | str, classes: Sequence[str]) -> int:
    """The label of a class that is given by its name or by its label."""
    if isinstance(which, str):
        if which not in classes:
            raise ValueError(f"no class is called {which!r}; there are: {', '.join(classes)}.")
        return list(classes).index(which)
    named(int(which), classes)  # refuses a label that is none
    return int(which)


def check_same(x: torch.Tensor, y: torch.Tensor, logits: torch.Tensor) -> None:
    """Refuse pictures, labels and logits that are not of the same pictures."""
    check_gallery(x[:1])
    if not len(x) == len(y) == len(logits):
        raise ValueError(
            f"{len(x):,} pictures, {len(y):,} labels and {len(logits):,} logits: they must be of the same pictures."
        )
