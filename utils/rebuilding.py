"""Chapter 08's experiments: pictures are spoilt, a network learns to rebuild them, and what came back is measured.

    from utils import rebuilding
    losses = rebuilding.learn(net, x, epochs=3)                                       # to rebuild x from x
    losses = rebuilding.learn(net, x, rebuilding.noise(0.3), epochs=3)                # … from a noisy x
    losses = rebuilding.learn(net, x, rebuilding.halved, epochs=3)                    # … from half the height and width

Pictures are floats in [0, 1], (N, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

Spoil = Callable[[torch.Tensor], torch.Tensor]


def noise(*sigmas: float) -> Spoil:
    """A function that adds Gaussian noise: of one standard deviation, or of one drawn anew between two.

    A noisy picture is not cut off at 0 and 1: the noise stays what it is said to be.
    """
    if len(sigmas) not in (1, 2) or min(sigmas) < 0:
        raise ValueError(f"one standard deviation, or the smallest and the largest, none negative; you gave {sigmas}.")
    low, high = sigmas[0], sigmas[-1]

    def spoil(x: torch.Tensor) -> torch.Tensor:
        sigma = low + (high - low) * torch.rand(len(x), 1, 1, 1)  # one for each picture
        return x + sigma * torch.randn_like(x)

    return spoil


def halved(x: torch.Tensor) -> torch.Tensor:
    """Half the height and width: each pixel is the mean of the four that it covers. (N, C, H, W) → (N, C, H/2, W/2)."""
    return F.avg_pool2d(x, 2)


def learn(
    net: nn.Module,
    x: torch.Tensor,
    spoil: Spoil = lambda x: x,
    *,
    epochs: int = 3,
    lr: float = 3e-3,
    batch_size: int = 50,
    seed: int = 0,
    x_val: torch.Tensor | None = None,
) -> dict[str, list[float]]:
    """Train `net` to rebuild `x` from `spoil(x)`: Adam, mean squared error, learning rate falling to zero.

    Parameters
    ----------
    x : float (N, C, H, W): what is to come out
    spoil : what is done to each batch before the network sees it; noise is new in every epoch
    seed : of the order and of the noise
    x_val : pictures on which the loss is measured after each epoch, spoilt in the same way every time

    Returns
    -------
    dict with "loss", the mean over each epoch while it was learning, and "val_loss" if there is `x_val`
    """
    optimizer = torch.optim.Adam(net.parameters(), lr)
    steps = epochs * -(-len(x) // batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, steps)
    history: dict[str, list[float]] = {"loss": []} | ({} if x_val is None else {"val_loss": []})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(epochs):
            total = 0.0
            for chosen in torch.randperm(len(x)).split(batch_size):
                target = x[chosen]  # (B, C, H, W)
                loss = F.mse_loss(net.train()(spoil(target)), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item() * len(chosen)
            history["loss"].append(total / len(x))
            if x_val is not None:
                history["val_loss"].append(squared_error(net, x_val, spoil))
    return history


def rebuilt(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The network's answers to `x`, in eval mode and without gradients."""
    was_training = net.training
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(500)])
    finally:
        net.train(was_training)


def spoilt(x: torch.Tensor, spoil: Spoil, seed: int = 0) -> torch.Tensor:
    """`spoil(x)`, with the same noise every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return spoil(x)


def squared_error(net: nn.Module, x: torch.Tensor, spoil: Spoil = lambda x: x) -> float:
    """Mean over all pixels of the squared error of what the network rebuilds."""
    return F.mse_loss(rebuilt(net, spoilt(x, spoil)), x).item()


def linear_limit(x: torch.Tensor, code: int, x_test: torch.Tensor | None = None) -> float:
    """The mean squared error of the best linear code of `code` numbers for `x`: principal components.

    No autoencoder whose layers are all linear can do better on `x`. With `x_test`: the error of the same code there.
    """
    flat = x.flatten(1).double()  # (N, D)
    mean = flat.mean(0)
    axes = torch.linalg.eigh((flat - mean).T @ (flat - mean)).eigenvectors[:, -code:]  # (D, code), the largest last
    centred = (flat if x_test is None else x_test.flatten(1).double()) - mean
    return (centred - centred @ axes @ axes.T).square().mean().item()


def ripple(net: nn.Module, channels: int = 3, size: int = 16, levels: int = 9, border: int = 6) -> float:
    """How far from flat a network's answer to flat grey pictures is, in grey levels of 255.

    The standard deviation within a channel of the answer, away from the border, mean over `levels` greys from 0.1 to
    0.9. A layer that treats all pixels alike gives exactly 0.
    """
    grey = torch.linspace(0.1, 0.9, levels).view(-1, 1, 1, 1).expand(-1, channels, size, size)  # (levels, C, H, W)
    inner = rebuilt(net, grey)[:, :, border:-border, border:-border]
    return 255 * inner.flatten(2).std(2, correction=0).mean().item()
