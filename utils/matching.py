"""From a map of scores to detections, and how many of them are right: the last steps of chapter 01's letter finder."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


def peaks(score: torch.Tensor, threshold: float, distance: int = 5) -> torch.Tensor:
    """Where `score` is above `threshold` and larger than all around it.

    Parameters
    ----------
    score : tensor (H, W)
    threshold : float
    distance : int
        In pixels: of two peaks that are as near as this in rows and columns, the higher one stays.

    Returns
    -------
    int64 tensor (K, 2) of rows and columns, the highest first.
    """
    if score.ndim != 2:
        raise ValueError(f"score has shape {tuple(score.shape)}; one map (H, W) is wanted")
    size = 2 * distance + 1  # the maximum of a square is separable: columns first, then rows
    columns = F.max_pool2d(score[None, None], (size, 1), stride=1, padding=(distance, 0))
    around = F.max_pool2d(columns, (1, size), stride=1, padding=(0, distance))[0, 0]
    candidates = ((score == around) & (score > threshold)).nonzero()
    candidates = candidates[score[tuple(candidates.T)].argsort(descending=True, stable=True)]
    kept = []
    while len(candidates):  # plateaus hold several equal maxima: keep one of each
        kept.append(candidates[0])
        candidates = candidates[(candidates - candidates[0]).abs().amax(dim=1) > distance]
    return torch.stack(kept) if kept else torch.empty(0, 2, dtype=torch.int64)


@dataclass(frozen=True)
class Score:
    """How good detections are.

    Attributes
    ----------
    hits : bool tensor (K,)
        Which of the detections are right.
    precision : float
        Right detections / all detections; 1.0 where nothing was detected, for then nothing is wrong.
    recall : float
        Places found / all places.
    """

    hits: torch.Tensor
    precision: float
    recall: float

    def __str__(self) -> str:
        right = int(self.hits.sum())
        return f"precision {self.precision:.0%} ({right} of {len(self.hits)} detections), recall {self.recall:.0%}"


def precision_recall(found: torch.Tensor, boxes: torch.Tensor, tolerance: int = 2) -> Score:
    """Hold detections against the truth.

    Parameters
    ----------
    found : int tensor (K, 2)
        Rows and columns of top-left corners, the surest first.
    boxes : int tensor (N, 4)
        The true places: top, left, bottom, right.
    tolerance : int
        How many pixels a corner may be off, in rows and in columns. Each place counts once.
    """
    if not len(boxes):
        raise ValueError("there are no true places to hold the detections against")
    free = torch.ones(len(boxes), dtype=torch.bool)
    hits = torch.zeros(len(found), dtype=torch.bool)
    for i, corner in enumerate(found):
        off = (boxes[:, :2] - corner).abs().amax(dim=1)
        off[~free] = tolerance + 1
        nearest = int(off.argmin())
        if off[nearest] <= tolerance:
            hits[i], free[nearest] = True, False
    precision = float(hits.float().mean()) if len(found) else 1.0
    return Score(hits, precision, float((~free).float().mean()))
