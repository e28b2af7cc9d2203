"""Scenes: several shapes in one picture, with the box and the class of each, and the class of every pixel.

    scenes = data.scenes(1000)                       # 48×48, one to three shapes in each
    scenes.x, scenes.boxes, scenes.y, scenes.masks
    data.scenes(1000, covered=0.5)                   # the same scenes, half of every shape behind a bar

The shapes are those of Shapes-10. What makes finding them hard is drawn on demand: bars in front, uneven light, bent
shapes, another viewpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from utils.data.shapes import DISTANCE, RADIUS, _blotches, _contrasting, _values

KINDS = ("circle", "triangle", "star", "cross")
CHUNK = 128  # scenes drawn at a time
TRIES = 30  # places tried for a shape, so that it does not cover another

# factor → default; every one is a number for all shapes or scenes, or a pair between which each draws its own
FACTORS = {
    "scale": (0.6, 1.0),
    "rotation": (-20.0, 20.0),
    "covered": 0.0,
    "bend": 0.0,
    "turn": 0.0,
    "dark": 0.0,
    "noise": (0.0, 0.05),
}
LIMITS = {"covered": (0, 0.9), "bend": (0, 1), "turn": (0, 75), "dark": (0, 1), "noise": (0, 1), "scale": (0.3, 3)}
OF_SCENE = ("dark", "noise")


@dataclass(frozen=True, repr=False, eq=False)
class Scenes:
    """Drawn scenes and what is in them. At most K shapes in each.

    Attributes
    ----------
    x : uint8 tensor (N, 3, H, W)
    boxes : float32 tensor (N, K, 4), x1, y1, x2, y2 in pixels from the left and top edge, of the *whole* shape,
        whatever covers it; zeros where there is none
    y : int64 tensor (N, K), indices into `classes`; −1 where there is no shape
    masks : int64 tensor (N, H, W): 0 ground, c + 1 where a shape of class c is seen
    classes : their names
    """

    x: torch.Tensor
    boxes: torch.Tensor
    y: torch.Tensor
    masks: torch.Tensor
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> Scenes:
        """Some of the scenes: `scenes[:100]`."""
        if not isinstance(part, slice):
            raise TypeError(f"scenes are taken as a slice, as in scenes[:100] or scenes[3:4]; you gave {part!r}.")
        return Scenes(self.x[part], self.boxes[part], self.y[part], self.masks[part], self.classes)

    def __repr__(self) -> str:
        height, width = self.x.shape[2:]
        return (
            f"{len(self):,} scenes, 3×{height}×{width} uint8, {int((self.y >= 0).sum()):,} shapes of "
            f"{len(self.classes)} classes: {', '.join(self.classes)}"
        )


def scenes(
    n: int,
    seed: int = 0,
    *,
    size: int = 48,
    objects: int | tuple[int, int] = (1, 3),
    classes: Sequence[str] = KINDS,
    **factors,
) -> Scenes:
    """Draw `n` scenes of `size` × `size` pixels.

    Every factor is a number for all, or a pair (low, high) between which each shape or scene draws its own. Each has
    its own random numbers: with the same `n` and `seed`, other factors show the same shapes in the same places.

    Parameters
    ----------
    objects : how many shapes are in a scene, or the fewest and the most
    classes : which of `data.SHAPES`
    scale : 1 is a shape that fits into a circle of radius 10 pixels; default 0.6 to 1
    rotation : degrees, counter-clockwise; default −20 to 20
    covered : share of each shape's box that lies behind a bar, 0 to 0.9; default 0
    bend : how far a shape is bent, 0 to 1; default 0
    turn : viewpoint, degrees from the front, about an upright axis, 0 to 75; default 0
    dark : how much light is missing in the darkest corner, 0 to 1; default 0
    noise : standard deviation of the noise on every pixel; default 0 to 0.05

    Raises
    ------
    ValueError
        If a factor is unknown or out of its range, or if the shapes cannot fit.
    """
    fewest, most = (objects, objects) if isinstance(objects, int) else objects
    _check(n, size, fewest, most, classes, factors)
    drawn = {}
    for stream, (name, default) in enumerate(FACTORS.items(), start=1):
        rng = np.random.default_rng([seed, 50 + stream])
        count = n if name in OF_SCENE else n * most
        values = _values(name, factors.get(name, default), (), count, rng)
        if name in LIMITS and not LIMITS[name][0] <= values.min() <= values.max() <= LIMITS[name][1]:
            low, high = LIMITS[name]
            raise ValueError(
                f"{name} lies between {low} and {high}; {values.min():g} to {values.max():g} was asked for."
            )
        drawn[name] = values if name in OF_SCENE else values.reshape(n, most)
    rng = np.random.default_rng([seed, 0])
    count = rng.integers(fewest, most + 1, n)
    y = rng.integers(0, len(classes), (n, most))
    y[np.arange(most)[None] >= count[:, None]] = -1
    radius = RADIUS * drawn["scale"]
    if 2 * radius.max() > size:
        raise ValueError(f"a shape of scale {drawn['scale'].max():g} does not fit into {size}×{size} pixels.")
    ground = 0.7 * rng.random((n, 3), dtype=np.float32)
    drawn |= {"y": y, "radius": radius, "ground": ground, "texture": 0.3 * rng.random(n, dtype=np.float32)}
    drawn["color"] = np.stack([_contrasting(ground, rng) for _ in range(most)], axis=1)  # (n, K, 3)
    drawn["bar"] = np.stack([_contrasting(ground, rng) for _ in range(most)], axis=1)
    drawn["side"] = rng.integers(0, 4, (n, most))
    drawn["light"] = 2 * np.pi * rng.random(n, dtype=np.float32)
    drawn["centre"] = _places(radius, y >= 0, size, rng)
    parts = [
        _draw({name: values[i : i + CHUNK] for name, values in drawn.items()}, tuple(classes), size, rng)
        for i in range(0, n, CHUNK)
    ]
    x, boxes, masks = (torch.from_numpy(np.concatenate(each)) for each in zip(*parts, strict=True))
    return Scenes(x, boxes, torch.from_numpy(y.astype(np.int64)), masks, tuple(classes))


def _check(n, size, fewest, most, classes, factors) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n is the number of scenes, a whole number from 1 on; you gave {n!r}.")
    if not 16 <= size <= 512:
        raise ValueError(f"size is the height and width of a scene, 16 to 512 pixels; you gave {size!r}.")
    if not 1 <= fewest <= most:
        raise ValueError(f"objects is how many shapes are in a scene, at least 1; you gave {fewest} to {most}.")
    unknown = [name for name in classes if name not in DISTANCE]
    if unknown or not classes:
        raise ValueError(f"no shape is called {', '.join(unknown) or '…'}; there are: {', '.join(DISTANCE)}.")
    strange = [name for name in factors if name not in FACTORS]
    if strange:
        raise ValueError(f"there is no factor {', '.join(strange)}; there are: {', '.join(FACTORS)}.")


def _places(radius: np.ndarray, there: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Centres (n, K, 2), x and y in pixels: within the picture, and clear of one another where that is possible."""
    n, most = radius.shape
    centre = np.empty((n, most, 2), np.float32)
    for k in range(most):
        edge = radius[:, k, None, None]
        tried = edge + (size - 2 * edge) * rng.random((n, TRIES, 2), dtype=np.float32)  # (n, tries, 2)
        gap = np.full((n, TRIES), np.inf, np.float32)
        for j in range(k):
            apart = np.hypot(*np.moveaxis(tried - centre[:, None, j], -1, 0)) - radius[:, k, None] - radius[:, j, None]
            gap = np.minimum(gap, np.where(there[:, j, None], apart, np.inf))
        best = np.where((gap > 0).any(1), (gap > 0).argmax(1), gap.argmax(1))  # the first that is clear
        centre[:, k] = tried[np.arange(n), best]
    return centre


def _draw(part: dict[str, np.ndarray], classes: tuple[str, ...], size: int, rng: np.random.Generator):
    """Pictures uint8 (n, 3, H, W), boxes (n, K, 4) and masks (n, H, W)."""
    n, most = part["y"].shape
    pixel = np.arange(size, dtype=np.float32) + 0.5  # middle of a pixel
    blotches = _blotches(n, rng, size)
    picture = part["ground"][:, :, None, None] + part["texture"][:, None, None, None] * blotches
    boxes, masks = np.zeros((n, most, 4), np.float32), np.zeros((n, size, size), np.int64)
    for k in range(most):
        inside = _inside(part, k, classes, pixel)  # (n, H, W), 0 outside to 1 inside
        boxes[:, k] = _box(inside > 0.5)
        picture += inside[:, None] * (part["color"][:, k, :, None, None] - picture)
        masks = np.where(inside > 0.5, part["y"][:, k, None, None] + 1, masks)
    for k in range(most):
        bar = _bar(boxes[:, k], part["covered"][:, k], part["side"][:, k], pixel)
        picture = np.where(bar[:, None], part["bar"][:, k, :, None, None], picture)
        masks[bar] = 0
    across = np.cos(part["light"])[:, None, None] * (pixel / size - 0.5)
    down = np.sin(part["light"])[:, None, None] * (pixel[:, None] / size - 0.5)
    share = (across + down) / (np.abs(np.cos(part["light"])) + np.abs(np.sin(part["light"])))[:, None, None] + 0.5
    picture *= (1 - part["dark"][:, None, None] * share)[:, None]  # 1 in one corner, 1 − dark in the opposite one
    picture += part["noise"][:, None, None, None] * rng.standard_normal(picture.shape, dtype=np.float32)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8), boxes, masks


def _inside(part: dict[str, np.ndarray], k: int, classes: tuple[str, ...], pixel: np.ndarray) -> np.ndarray:
    """How much of each pixel shape k covers, (n, H, W)."""
    radius = part["radius"][:, k, None, None]
    right = (pixel - part["centre"][:, k, 0, None, None]) / radius  # (n, 1, W)
    up = -(pixel[:, None] - part["centre"][:, k, 1, None, None]) / radius  # (n, H, 1)
    right, up = np.broadcast_arrays(right, up)
    right = right / np.cos(np.deg2rad(part["turn"][:, k, None, None]))  # from the side, it looks narrower
    angle = np.deg2rad(part["rotation"][:, k])[:, None, None]
    u = np.cos(angle) * right + np.sin(angle) * up
    v = np.cos(angle) * up - np.sin(angle) * right
    u = u + 0.6 * part["bend"][:, k, None, None] * (v**2 - 0.4)  # top and bottom lean to one side
    distance = np.full(u.shape, 9.0, np.float32)
    for label, name in enumerate(classes):
        members = part["y"][:, k] == label
        if members.any():
            distance[members] = DISTANCE[name](u[members], v[members])
    return np.clip(0.5 - distance * radius, 0, 1)


def _box(inside: np.ndarray) -> np.ndarray:
    """The smallest boxes round what is inside, (n, H, W) → (n, 4); zeros where nothing is."""
    columns, rows = inside.any(1), inside.any(2)
    size = inside.shape[1]
    box = [columns.argmax(1), rows.argmax(1), size - columns[:, ::-1].argmax(1), size - rows[:, ::-1].argmax(1)]
    return np.stack(box, axis=1) * inside.any((1, 2))[:, None]


def _bar(box: np.ndarray, covered: np.ndarray, side: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """Where a bar hides a share of the box, from one side of it: bool (n, H, W)."""
    x1, y1, x2, y2 = (box[:, i, None] for i in range(4))
    share, side = covered[:, None], side[:, None]
    wide, high = (x2 - x1) * share, (y2 - y1) * share
    left, right = np.where(side == 1, x2 - wide, x1 - 1), np.where(side == 0, x1 + wide, x2 + 1)
    top, bottom = np.where(side == 3, y2 - high, y1 - 1), np.where(side == 2, y1 + high, y2 + 1)
    across = (pixel > left) & (pixel < right)  # (n, W)
    down = (pixel > top) & (pixel < bottom)  # (n, H)
    return across[:, None, :] & down[:, :, None] & (covered > 0)[:, None, None] & (x2 > x1)[:, :, None]
