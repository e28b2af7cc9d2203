"""Pictures that are alike: the nearest neighbours of one, among many.

vectors = retrieval.unit(evaluation.features(net, x))          # (N, D), all of length 1
order = retrieval.nearest(vectors[:10], vectors, k=5)           # (10, 5)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def unit(features: torch.Tensor) -> torch.Tensor:
    """One vector of length 1 for each picture, (N, …) → (N, D): what counts is the direction."""
    return F.normalize(features.flatten(1).float(), dim=1)


def pixels(x: torch.Tensor) -> torch.Tensor:
    """The pixels themselves as vectors: each picture without its own mean, of length 1."""
    flat = x.flatten(1).float()
    return unit(flat - flat.mean(1, keepdim=True))


def similarity(queries: torch.Tensor, gallery: torch.Tensor) -> torch.Tensor:
    """Cosines of the angles between vectors of length 1: (Q, D) and (N, D) → (Q, N)."""
    return queries @ gallery.T


def nearest(queries: torch.Tensor, gallery: torch.Tensor, k: int = 10) -> torch.Tensor:
    """The numbers of the `k` most similar pictures of the gallery, the most similar first: int64 (Q, k)."""
    if not 1 <= k <= len(gallery):
        raise ValueError(f"k is between 1 and the {len(gallery)} pictures of the gallery; you gave {k}.")
    return similarity(queries, gallery).topk(k, dim=1).indices


def precision_at(order: torch.Tensor, y_queries: torch.Tensor, y_gallery: torch.Tensor) -> float:
    """The share of the pictures found, (Q, k), that are of the query's class."""
    return (y_gallery[order] == y_queries[:, None]).double().mean().item()


def verification(vectors: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    """Are two pictures of the same one? How well similarity decides that, over all pairs.

    Returns
    -------
    auc : the chance that a pair of the same class is more similar than a pair of different ones
    threshold, right : the similarity above which to say yes, and the mean of the shares right among both kinds of pairs
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    first, second = torch.triu_indices(len(y), len(y), offset=1)
    alike = similarity(vectors, vectors)[first, second].numpy()
    same = (y[first] == y[second]).numpy()
    wrong, right, thresholds = roc_curve(same, alike)
    best = int((right - wrong).argmax())
    return {
        "auc": float(roc_auc_score(same, alike)),
        "threshold": float(thresholds[best]),
        "right": float((right[best] + 1 - wrong[best]) / 2),
    }
