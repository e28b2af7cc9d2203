"""A data set that lies on the device as one tensor, given out in batches, shuffled and augmented there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from utils import device as devices

Augmentation = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


class Batches:
    """Pictures and labels in batches. Iterating once is an epoch.

    Parameters
    ----------
    x : uint8 tensor (N, C, H, W), or float in [0, 1]
    y : int64 tensor (N,)
    batch_size : int
        The last batch may be smaller; with `drop_last` it is left out.
    augment : function (x, generator) → x, or a list of them
        On whole batches: see `data.augment`.
    shuffle : bool
    seed : int
        Order and augmentation depend on it and on the number of the epoch, and on nothing else but `skip_easy`.
    device : torch.device
        Where everything lies; default: the best there is.
    skip_easy : shares in [0, 1)
        Which share of the pictures the second epoch leaves out, the third …; the last holds for all that follow. They
        are those whose loss was smallest when they were last seen, which whoever trains must `note`. `len` is that of
        an epoch with all pictures, `steps(epoch)` that of each.

    Yields
    ------
    x : float32 (B, C, H, W) in [0, 1];  y : int64 (B,)

    Raises
    ------
    ValueError
        If pictures and labels do not fit together.

    Source of `skip_easy`: after Jiang et al., Accelerating Deep Learning by Focusing on the Biggest Losers, 2019, which
    looks at each picture anew before leaving it out.
    """

    def __init__(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        batch_size: int = 128,
        *,
        augment: Augmentation | Sequence[Augmentation] | None = None,
        shuffle: bool = True,
        seed: int = 0,
        device: torch.device | str | None = None,
        drop_last: bool = False,
        skip_easy: Sequence[float] = (),
    ):
        check_pictures(x, y)
        if not (isinstance(batch_size, int) and batch_size > 0):
            raise ValueError(f"batch_size is a whole number of pictures, 1 or more; you gave {batch_size!r}.")
        if drop_last and batch_size > len(x):
            raise ValueError(f"batch_size={batch_size} with drop_last leaves none of {len(x)} pictures.")
        if not all(0 <= share < 1 for share in skip_easy):
            raise ValueError(f"skip_easy holds shares of the pictures, 0 ≤ share < 1; you gave {tuple(skip_easy)}.")
        self.device = torch.device(device) if device else devices.best()
        self.layout = devices.memory_format(self.device)
        self.x, self.y = x.to(self.device), y.to(self.device)
        self.batch_size, self.shuffle, self.seed, self.drop_last = batch_size, shuffle, seed, drop_last
        self.augment = [augment] if callable(augment) else list(augment or ())
        self.skip_easy = tuple(skip_easy)
        self.losses = torch.full((len(x),), torch.inf, device=self.device)  # of each picture, when it was last seen
        self.chosen = torch.arange(0)  # the pictures of the batch that was given out last
        self.epoch = 0

    def __len__(self) -> int:
        """The number of batches of an epoch with all pictures."""
        return self.steps(0)

    def steps(self, epoch: int) -> int:
        """The number of batches of that epoch, counted from 0."""
        whole, rest = divmod(self.kept(epoch), self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def kept(self, epoch: int) -> int:
        """The number of pictures of that epoch."""
        share = self.skip_easy[min(epoch, len(self.skip_easy)) - 1] if epoch and self.skip_easy else 0
        return len(self.x) - int(share * len(self.x))

    def note(self, losses: torch.Tensor) -> None:
        """What each picture of the batch that was given out last has cost: (B,)."""
        self.losses[self.chosen] = losses.detach().float()

    def set_epoch(self, epoch: int) -> None:
        """The number of the epoch that the next iteration is."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        n, steps = self.kept(self.epoch), self.steps(self.epoch)
        self.epoch += 1
        order = (torch.randperm(n, generator=generator) if self.shuffle else torch.arange(n)).to(self.device)
        if n < len(self.x):
            order = self.losses.topk(n).indices.sort().values[order]
        for i in range(steps):
            chosen = self.chosen = order[i * self.batch_size : (i + 1) * self.batch_size]
            x = as_pictures(self.x[chosen])
            for step in self.augment:
                x = step(x, generator)
            yield x.contiguous(memory_format=self.layout), self.y[chosen]


def as_pictures(x: torch.Tensor) -> torch.Tensor:
    """uint8 0 … 255 → float32 0 … 1; floats of any precision → float32, with their values."""
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()


def check_pictures(x: torch.Tensor, y: torch.Tensor) -> None:
    """ValueError, saying what is wrong, unless x are pictures and y their labels."""
    if x.ndim != 4 or not (x.dtype == torch.uint8 or x.is_floating_point()):
        raise ValueError(
            f"pictures are uint8 or float (N, C, H, W); these are {x.dtype} {tuple(x.shape)}."
            + (" Add the channel: x[:, None]." if x.ndim == 3 else "")
        )
    if y.dtype != torch.int64 or y.shape != x.shape[:1]:
        raise ValueError(f"one int64 label for each of {len(x)} pictures; these are {y.dtype} {tuple(y.shape)}.")
    if len(x) == 0:
        raise ValueError("there is no picture in it.")
    if x.is_floating_point() and (x.min() < 0 or x.max() > 1):
        raise ValueError(
            f"float pictures have values in [0, 1]; these go from {x.min():.3g} to {x.max():.3g}. Divide uint8 "
            "pictures by 255 (or give them as uint8), and leave standardising to the network's first layer."
        )
