"""The loop of chapter 09's trainings: that of chapter 05, with any loss."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def optimise(
    net: nn.Module, loss: Callable[[torch.Tensor], torch.Tensor], n: int, *, epochs, lr, seed, batch_size: int = 50
) -> list[float]:
    """The loop of this chapter's trainings. `loss(chosen)` is that of the pictures with these numbers, out of `n`."""
    optimizer = torch.optim.Adam(net.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, epochs * -(-n // batch_size))
    history = []
    net.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(epochs):
            total = 0.0
            for chosen in torch.randperm(n).split(batch_size):
                value = loss(chosen)
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                schedule.step()
                total += value.item() * len(chosen)
            history.append(total / n)
    net.eval()
    return history
