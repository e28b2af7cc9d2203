"""A shortcut planted on purpose: a colour that gives the class away in most pictures, and leads astray in the others.

    train = shortcuts.shapes(3000)                     # every class has a background colour, in 95 % of its pictures
    train = shortcuts.framed(cifar.x_train, cifar.y_train)     # the same in a frame around photographs
    train.against                                      # (N,): 1 where the colour is another class's
    train.repaint(another)                             # the same pictures, with other colours

What is planted is known, so what a network makes of it can be measured: by group, and picture by picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from utils.data.image_data import stratified
from utils.data.sets import cifar10_files
from utils.data.shapes import SHAPES, shapes10

# One for each class, dark enough that every light shape stands out.
COLOURS = torch.tensor(
    [
        *[(0.60, 0.05, 0.05), (0.05, 0.45, 0.05), (0.05, 0.10, 0.65), (0.55, 0.45, 0.00), (0.45, 0.05, 0.55)],
        *[(0.00, 0.50, 0.55), (0.05, 0.05, 0.05), (0.50, 0.50, 0.50), (0.60, 0.25, 0.40), (0.35, 0.20, 0.05)],
    ]
)
LIGHT = ((0.75, 0.75, 0.75), (1.0, 1.0, 1.0))  # colours of the shapes: none is any background's


@dataclass(frozen=True, repr=False, eq=False)
class Planted:
    """Pictures with a planted shortcut.

    Attributes
    ----------
    x : uint8 tensor (N, 3, H, W)
    y : int64 tensor (N,), the classes
    colour : int64 tensor (N,), the class whose colour each picture has: `y` with the shortcut, another one against it
    classes : their names
    repaint : function of a `colour` (N,), or of one number for all, that gives the pictures with these colours,
        and everything else as it was
    """

    x: torch.Tensor
    y: torch.Tensor
    colour: torch.Tensor
    classes: Sequence[str]
    repaint: Callable[[torch.Tensor | int], torch.Tensor]

    @property
    def against(self) -> torch.Tensor:
        """int64 (N,): the group of each picture, 0 with the shortcut, 1 against it."""
        return (self.colour != self.y).long()

    def ground(self) -> torch.Tensor:
        """Where the colour is, bool (N, 1, H, W): pixels that change when nothing but the colour does."""
        order = COLOURS.sum(1).argsort().tolist()
        change = (self.repaint(order[-1]).float() - self.repaint(order[0]).float()).mean(dim=1, keepdim=True)
        return (
            change > change.amax(dim=(2, 3), keepdim=True) / 4
        )  # on an edge they are mixed; dark blotches change less

    def __repr__(self) -> str:
        return (
            f"{len(self.y):,} pictures of {len(self.classes)} classes, {int(self.against.sum()):,} against the shortcut"
        )


def shapes(n: int, share: float = 0.95, seed: int = 0, size: int = 32) -> Planted:
    """Shapes-10 in which the background's colour is the class's own in a `share` of the pictures.

    Parameters
    ----------
    n : number of pictures
    share : from 0 to 1; at 0.1 the colour says nothing about the class
    size : height and width, in pixels
    """
    y = torch.arange(n)[torch.randperm(n, generator=generator(seed))] % len(SHAPES)

    def repaint(colour) -> torch.Tensor:
        grounds = COLOURS[torch.as_tensor(colour).expand(n)]
        return shrunk(shapes10(n, seed, labels=y, background=grounds, color=LIGHT).x, size)

    colour = hints(y, share, seed)
    return Planted(repaint(colour), y, colour, SHAPES, repaint)


def framed(
    x: torch.Tensor,
    y: torch.Tensor,
    share: float = 0.95,
    seed: int = 0,
    size: int = 32,
    classes: Sequence[str] = cifar10_files.CLASSES,
) -> Planted:
    """Photographs in a coloured frame, an eighth of their width on every side, that is the class's own in a `share`.

    Parameters
    ----------
    x : uint8 (N, 3, H, W)
    y : labels (N,), ten classes
    share, size : as for `shapes`
    """
    plain = shrunk(x, size)
    frame = torch.ones(1, 1, size, size, dtype=torch.bool)
    width = size // 8
    frame[..., width:-width, width:-width] = False

    def repaint(colour) -> torch.Tensor:
        grounds = (255 * COLOURS[torch.as_tensor(colour).expand(len(y))]).round().to(torch.uint8)
        return torch.where(frame, grounds[:, :, None, None], plain)

    colour = hints(y, share, seed)
    return Planted(repaint(colour), y, colour, classes, repaint)


def hints(y: torch.Tensor, share: float, seed: int) -> torch.Tensor:
    """The colour of each picture: its class in a `share` of each class, in the rest any of the others."""
    if not 0 <= share <= 1:
        raise ValueError(f"share is the part of the pictures with the shortcut, from 0 to 1; you gave {share!r}.")
    if y.dtype != torch.int64 or y.ndim != 1 or not 0 <= int(y.min()) <= int(y.max()) < len(COLOURS):
        raise ValueError(
            f"labels are int64 (N,), from 0 to {len(COLOURS) - 1}: each class gets one of as many colours."
        )
    against, _ = stratified(y, round((1 - share) * len(y)), seed)
    colour = y.clone()
    another = torch.randint(1, len(COLOURS), (len(against),), generator=generator(seed))
    colour[against] = (y[against] + another) % len(COLOURS)
    return colour


def shrunk(x: torch.Tensor, size: int) -> torch.Tensor:
    """uint8 pictures of `size` × `size` pixels; each is the mean of those it replaces."""
    if x.shape[-1] == size:
        return x
    return F.interpolate(x.float(), size=(size, size), mode="bilinear", antialias=True).round().to(torch.uint8)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
