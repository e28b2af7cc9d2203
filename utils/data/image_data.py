"""A data set of pictures with labels, held as tensors, and how to divide it fairly."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace

import torch


def stratified(labels: torch.Tensor, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose `n` pictures at random so that every class keeps its share.

    Parameters
    ----------
    labels : int64 tensor (N,)
    n : how many to choose, 0 ≤ n ≤ N
    seed : the same seed chooses the same pictures, on every machine

    Returns
    -------
    chosen, rest : int64 tensors (n,) and (N − n,), indices into `labels`, both in random order

    The shares are as equal as whole numbers allow: 5,000 of CIFAR-10's 50,000 are 500 of each class.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    rank = torch.empty(len(labels), dtype=torch.float64)  # 0 … 1: how early a picture comes within its class
    for label in labels.unique():
        members = order[labels[order] == label]
        rank[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    chosen = torch.argsort(rank[order], stable=True)[:n]  # the earliest of every class, ties in random order
    taken = torch.zeros(len(labels), dtype=torch.bool)
    taken[chosen] = True
    return order[taken], order[~taken]


@dataclass(frozen=True, repr=False, eq=False)
class ImageData:
    """Pictures and labels of a data set: training, test and, after `split`, validation.

    Attributes
    ----------
    name : str
    classes : tuple of str, the name of each label
    x_train, x_test : uint8 tensors (N, C, H, W), 0 black to 255 full
    y_train, y_test : int64 tensors (N,), 0 … len(classes) − 1
    is_standin : True if these are not the pictures of the set the course speaks of
    origin : where the pictures come from and what was done to them, in words
    x_val, y_val : as above; empty until `split` fills them
    """

    name: str
    classes: tuple[str, ...]
    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor
    is_standin: bool
    origin: str
    x_val: torch.Tensor | None = None
    y_val: torch.Tensor | None = None

    def __post_init__(self):
        if self.x_val is None:  # frozen, so not by plain assignment
            object.__setattr__(self, "x_val", self.x_train[:0])
            object.__setattr__(self, "y_val", self.y_train[:0])
        for part in ("train", "val", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            assert x.dtype == torch.uint8 and x.ndim == 4, f"x_{part}: uint8 (N, C, H, W) expected"
            assert y.dtype == torch.int64 and y.shape == x.shape[:1], f"y_{part}: int64 (N,) expected"

    def split(self, validation: int = 5000, seed: int = 0) -> ImageData:
        """Move `validation` training pictures, every class its share, to `x_val` and `y_val`."""
        if len(self.y_val):
            raise ValueError(f"These data are split already: {len(self.y_val):,} validation pictures.")
        _check_count("validation", validation, 1, len(self.y_train) - 1, "training pictures, and some must remain")
        val, train = stratified(self.y_train, validation, seed)
        return replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_val=self.x_train[val],
            y_val=self.y_train[val],
        )

    def subset(self, n_train: int | None = None, n_test: int | None = None, seed: int = 0) -> ImageData:
        """A smaller set, every class its share: `n_train` training and `n_test` test pictures (None: all of them)."""
        parts = {}
        for part, n in (("train", n_train), ("test", n_test)):
            if n is None:
                continue
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            _check_count(f"n_{part}", n, 1, len(y), f"{'training' if part == 'train' else 'test'} pictures")
            chosen, _ = stratified(y, n, seed)
            parts |= {f"x_{part}": x[chosen], f"y_{part}": y[chosen]}
        return replace(self, **parts)

    def __repr__(self) -> str:
        counts = [f"{len(self.y_train):,} training"]
        if len(self.y_val):
            counts.append(f"{len(self.y_val):,} validation")
        c, h, w = self.x_train.shape[1:]
        return (
            f"{self.name}: {', '.join(counts)} and {len(self.y_test):,} test pictures, {c}×{h}×{w} uint8, "
            f"{len(self.classes)} classes ({self.origin})"
        )

    def _repr_html_(self) -> str:
        name, rest = repr(self).split(": ", 1)
        return f"<div><strong>{html.escape(name)}</strong>: {html.escape(rest)}</div>"


def _check_count(name: str, n: int, low: int, high: int, what: str) -> None:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{name} is a number of pictures, a whole number; you gave {n!r}.")
    if not low <= n <= high:
        raise ValueError(f"{name}={n:,} does not fit: between {low} and {high:,} are possible ({what}).")
