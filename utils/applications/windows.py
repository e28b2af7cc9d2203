"""A classifier of small windows, and how it is slid over a large picture.

net = windows.WindowNet(classes=4)
windows.learn(net, *windows.crops(data.scenes(500, size=96, objects=(4, 8))))
answers = windows.slide(net, picture, stride=4)        # (K, rows, columns)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from utils.applications.loop import optimise
from utils.data.scenes import Scenes
from utils.models.standardise import Standardise

SIZE = 32  # pixels: height and width of a window
STRIDE = 4  # pixels between the windows that one output of the convolutions stands for


class WindowNet(nn.Module):
    """Windows (B, 3, 32, 32) → logits (B, classes + 1), of which the first is "nothing".

    No convolution is padded: a window cut out of a picture and the same pixels within it get the same answer.

    Attributes
    ----------
    features : (B, 3, 32, 32) → (B, 32, 4, 4); one output for every 4 pixels
    head : (B, 32, 4, 4) → logits, two dense layers
    """

    def __init__(self, classes: int = 4, hidden: int = 64):
        super().__init__()
        self.features = nn.Sequential(
            Standardise((0.4, 0.4, 0.4), (0.25, 0.25, 0.25)),
            *(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),  # (B, 16, 15, 15)
            *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),  # (B, 32, 6, 6)
            *(nn.Conv2d(32, 32, 3), nn.ReLU()),  # (B, 32, 4, 4)
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(32 * 4 * 4, hidden), nn.ReLU(), nn.Linear(hidden, classes + 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x))


def crops(scenes: Scenes, near: int = 2, far: int = 8, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows to learn from: one on each shape and as many elsewhere.

    Parameters
    ----------
    near : a window on a shape has its middle within so many pixels of the shape's
    far : a window with nothing has its middle at least so many pixels from that of every shape

    Returns
    -------
    float (N, 3, 32, 32) in [0, 1] and labels (N,): 0 nothing, c + 1 a shape of class c
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = scenes.x.shape[2:]
    centres = (scenes.boxes[..., :2] + scenes.boxes[..., 2:]) / 2  # (N, K, 2)
    found, labels = [], []
    for x, centre, y in zip(scenes.x, centres, scenes.y, strict=True):
        there = centre[y >= 0]
        jitter = torch.randint(-near, near + 1, there.shape, generator=generator)
        on = (there - SIZE / 2).round().long() + jitter  # corners (left, top)
        off = (torch.rand(3 * len(there), 2, generator=generator) * (torch.tensor([width, height]) - SIZE)).long()
        apart = (off[:, None] + SIZE / 2 - there[None]).abs().amax(-1).amin(1)  # (candidates,)
        corners = torch.cat([on, off[apart >= far][: len(there)]])
        kinds = torch.cat([y[y >= 0] + 1, torch.zeros(len(corners) - len(there), dtype=torch.long)])
        for (left, top), kind in zip(corners.tolist(), kinds.tolist(), strict=True):
            if 0 <= left <= width - SIZE and 0 <= top <= height - SIZE:
                found.append(x[:, top : top + SIZE, left : left + SIZE])
                labels.append(kind)
    return torch.stack(found).float() / 255, torch.tensor(labels)


def learn(
    net: nn.Module, x: torch.Tensor, y: torch.Tensor, *, epochs: int = 8, lr: float = 3e-3, seed: int = 0
) -> list[float]:
    """Train on windows and labels: Adam, cross-entropy, learning rate falling to zero. The mean loss of each epoch."""

    def loss(chosen: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(net(x[chosen]), y[chosen])

    return optimise(net, loss, len(x), epochs=epochs, lr=lr, seed=seed)


def cut(picture: torch.Tensor, stride: int = STRIDE) -> torch.Tensor:
    """All windows of a picture (3, H, W), `stride` pixels apart, row by row: (N, 3, 32, 32)."""
    pieces = picture.unfold(1, SIZE, stride).unfold(2, SIZE, stride)  # (3, rows, columns, 32, 32)
    return pieces.permute(1, 2, 0, 3, 4).flatten(0, 1)


def places(height: int, width: int, stride: int = STRIDE) -> tuple[int, int]:
    """How many windows fit into a picture: rows and columns."""
    if min(height, width) < SIZE:
        raise ValueError(f"a window of {SIZE}×{SIZE} pixels does not fit into a picture of {height}×{width}.")
    return (height - SIZE) // stride + 1, (width - SIZE) // stride + 1


def slide(net: nn.Module, picture: torch.Tensor, stride: int = STRIDE) -> torch.Tensor:
    """Cut every window out and ask the network about each alone: logits (classes + 1, rows, columns)."""
    rows, columns = places(*picture.shape[1:], stride)
    with torch.no_grad():
        answers = torch.cat([net(part) for part in cut(picture, stride).split(256)])
    return answers.T.unflatten(1, (rows, columns))


def fully_convolutional(net: WindowNet, convert: Callable[[nn.Linear, tuple], nn.Module]) -> nn.Sequential:
    """The same network with its dense layers turned into convolutions: pictures of any size, an answer for each window.

    Parameters
    ----------
    convert : a dense layer and the shape (C, H, W) of the maps that it was made for → a convolution: your own

    Returns
    -------
    nn.Sequential, (B, 3, H, W) → logits (B, classes + 1, rows, columns) of windows 4 pixels
        apart, if 4 divides H and W
    """
    _, first, relu, second = net.head
    maps = (net.features[-2].out_channels, 4, 4)
    return nn.Sequential(net.features, convert(first, maps), relu, convert(second, (first.out_features, 1, 1))).eval()


def found(answers: torch.Tensor, threshold: float, step: int = STRIDE) -> tuple[torch.Tensor, ...]:
    """The windows that say "here is something" with more than `threshold`.

    Parameters
    ----------
    answers : logits (classes + 1, rows, columns), of windows `step` pixels apart

    Returns
    -------
    boxes (n, 4) of the windows, scores (n,) and classes (n,), the surest first
    """
    scores, kinds = answers.softmax(0)[1:].max(0)  # (rows, columns)
    rows, columns = (scores > threshold).nonzero(as_tuple=True)
    order = scores[rows, columns].argsort(descending=True, stable=True)
    rows, columns = rows[order], columns[order]
    corners = torch.stack([columns, rows], 1) * float(step)
    return torch.cat([corners, corners + SIZE], 1), scores[rows, columns], kinds[rows, columns]
