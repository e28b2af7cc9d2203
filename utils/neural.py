"""The experiments of chapter 03: points of the plane and networks on them, descents, gradients by depth.

from utils import neural
x, y = neural.points("ring")                       # (400, 2), (400,)
net = neural.separate(x, y, hidden=[8])            # one hidden layer of 8 units, trained
neural.accuracy(net, *neural.points("ring", seed=1))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

# Each activation of the chapter by its name; "none" makes a linear network, however deep.
ACTIVATIONS = {
    "none": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "Leaky ReLU": partial(nn.LeakyReLU, 0.1),
    "ELU": nn.ELU,
}
EDGE = 3.0  # the plane is looked at from −3 to 3
MODES = torch.tensor([[-1.5, 1.4], [1.6, 1.1], [0.0, -1.7]])  # where class 1 of the third case sits
CASES = {
    "quadrants": lambda x: x[:, 0] * x[:, 1] > 0,
    "ring": lambda x: (x.norm(dim=1) >= 1) & (x.norm(dim=1) <= 2),
    "three modes": lambda x: torch.cdist(x, MODES.to(x)).amin(1) < 0.9,
}


def known(what: str, name: str, table) -> None:
    """Refuse a name that is not in `table`, and say which are."""
    if name not in table:
        raise ValueError(f"there is no {what} called {name!r}; there are: {', '.join(table)}.")


def points(case: str, n: int = 400, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of a case that is hard for a linear classifier: half of each class, in random order.

    Parameters
    ----------
    case : "quadrants", "ring" (1 ≤ ‖x‖ ≤ 2) or "three modes"
    n : an even number

    Returns
    -------
    x (n, 2) float32 from −3 to 3, y (n,) int64: 1 inside the shape, 0 elsewhere

    Source: lectures [2] and [3], "hard cases for a linear classifier".
    """
    known("case", case, CASES)
    if n < 2 or n % 2:
        raise ValueError(f"n={n}: half of the points belong to each class, so an even number is wanted.")
    generator = torch.Generator().manual_seed(seed)
    x = (torch.rand(20 * n + 200, 2, generator=generator) * 2 - 1) * EDGE
    inside = CASES[case](x)
    x = torch.cat([x[~inside][: n // 2], x[inside][: n // 2]])
    order = torch.randperm(n, generator=generator)
    return x[order], (torch.arange(n) >= n // 2).long()[order]


def mlp(sizes: Sequence[int], activation: str = "ReLU") -> nn.Sequential:
    """Dense layers of the given sizes, inputs first, with the activation between them."""
    known("activation", activation, ACTIVATIONS)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])  # the last layer gives scores, without an activation


def separate(
    x: torch.Tensor,
    y: torch.Tensor,
    hidden: Sequence[int] = (),
    activation: str = "ReLU",
    *,
    steps: int = 300,
    lr: float = 0.05,
    seed: int = 0,
) -> nn.Sequential:
    """A network trained to tell points apart; without hidden layers a linear classifier.

    Parameters
    ----------
    x : (N, features)
    y : (N,), labels from 0
    hidden : units of each hidden layer
    steps, lr : of Adam, on all points at once; the learning rate falls to 0
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = mlp([x.shape[1], *hidden, int(y.max()) + 1], activation).to(x.dtype)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=steps)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
        schedule.step()
    return net


@torch.no_grad()
def accuracy(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of points whose largest score is that of their class."""
    return (net(x).argmax(1) == y).double().mean().item()


# ── Descents ─────────────────────────────────────────────────────────────────────────────────────────────────────────

LOSSES = {
    "squared error": lambda z, y: (z - y) ** 2,
    "cross-entropy": partial(F.binary_cross_entropy_with_logits, reduction="none"),
}


@dataclass(frozen=True)
class Landscape:
    """The loss of ŷ = w·x + b on data, as a surface over (w, b).

    Attributes
    ----------
    x, y : (N,), a feature and labels 0 or 1
    kind : "squared error" (linear regression) or "cross-entropy" (logistic regression)
    """

    x: torch.Tensor
    y: torch.Tensor
    kind: str = "cross-entropy"

    def __post_init__(self):
        known("loss", self.kind, LOSSES)

    def loss(self, theta: torch.Tensor, chosen=slice(None)) -> torch.Tensor:
        """The mean loss over the chosen points: theta (…, 2) → (…)."""
        z = theta[..., :1] * self.x[chosen] + theta[..., 1:]  # (…, N)
        return LOSSES[self.kind](z, self.y[chosen].expand_as(z).to(z)).mean(-1)


def descend(
    landscape: Landscape, start: Sequence[float], lr: float, steps: int = 30, batch_size: int = 0, seed: int = 0
) -> torch.Tensor:
    """The way of gradient descent: (steps + 1, 2), or shorter where it has left for infinity.

    Parameters
    ----------
    start : w and b
    batch_size : points drawn for each step; 0 takes all of them
    """
    generator = torch.Generator().manual_seed(seed)
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=lr)
    path = [theta.detach().clone()]
    for _ in range(steps):
        count = len(landscape.x)
        chosen = torch.randperm(count, generator=generator)[:batch_size] if 0 < batch_size < count else slice(None)
        optimizer.zero_grad()
        landscape.loss(theta, chosen).backward()
        optimizer.step()
        if not theta.isfinite().all() or theta.abs().max() > 1e6:
            break
        path.append(theta.detach().clone())
    return torch.stack(path)


def lowest(landscape: Landscape) -> torch.Tensor:
    """Where the loss is least, (2,): the w and b that no descent can beat."""
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([theta], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = landscape.loss(theta)
        loss.backward()
        return loss

    optimizer.step(closure)
    return theta.detach()


# ── Depth ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gradient_sizes(
    depth: int, activation: str = "ReLU", gain: float = 1.0, *, width: int = 64, seed: int = 0
) -> torch.Tensor:
    """How large the gradient of each layer's weights is in an untrained network, first layer first: (depth,).

    Parameters
    ----------
    depth : hidden layers, each `width` wide and followed by the activation; a last layer sums up
    gain : weights are drawn with standard deviation gain/√width. 1 keeps the size of what passes through a linear
        layer (Xavier Glorot's choice), √2 through a layer with ReLU (Kaiming He's).

    Root mean square over a layer's weights; 64 random inputs.
    """
    known("activation", activation, ACTIVATIONS)
    if depth < 1:
        raise ValueError(f"depth={depth}: at least one hidden layer is wanted.")
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    act = ACTIVATIONS[activation]()
    weights = [(normal(width, width) * gain / width**0.5).requires_grad_() for _ in range(depth)]
    h = normal(64, width)  # (B, width)
    for weight in weights:
        h = act(h @ weight.T)
    (h @ normal(width) / width**0.5).mean().backward()
    return torch.stack([weight.grad.square().mean().sqrt() for weight in weights])
