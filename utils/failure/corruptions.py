"""What becomes of pictures outside the laboratory: six corruptions, each at five severities, and pictures that moved.

Everything takes pictures (N, C, H, W), uint8 or float in [0, 1], and gives float32 in [0, 1]. The same seed gives the
same pictures.

After Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, 2019,
whose severities these resemble.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from utils.data.batches import as_pictures
from utils.data.shapes import Shapes, shapes10

SEVERITIES = (1, 2, 3, 4, 5)


def noise(x: torch.Tensor, sd: float, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise of standard deviation `sd`, as in the dark."""
    return x + sd * torch.randn(x.shape, generator=generator).to(x.device)


def blur(x: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """A Gaussian blur of `sigma` pixels, as out of focus; borders are mirrored."""
    reach = int(3 * sigma + 0.5)
    weights = torch.exp(-(torch.arange(-reach, reach + 1, device=x.device) ** 2) / (2 * sigma**2))
    weights = (weights / weights.sum()).expand(x.shape[1], 1, 1, -1)  # (C, 1, 1, 2·reach + 1)
    x = F.pad(x, (reach,) * 4, mode="reflect")
    x = F.conv2d(x, weights, groups=x.shape[1])
    return F.conv2d(x, weights.transpose(2, 3), groups=x.shape[1])


def brightness(x: torch.Tensor, more: float, generator: torch.Generator) -> torch.Tensor:
    """Overexposed: `more` is added to every pixel."""
    return x + more


def contrast(x: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Washed out: only `share` of each pixel's distance from the picture's mean is left."""
    mean = x.mean((2, 3), keepdim=True)
    return mean + share * (x - mean)


def jpeg(x: torch.Tensor, quality: float, generator: torch.Generator) -> torch.Tensor:
    """Stored as a small JPEG file (`quality` as in Pillow, 1 to 95) and read again."""
    from PIL import Image

    pixels = (x.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()  # (N, H, W, C)
    again = np.empty_like(pixels)
    for i, picture in enumerate(pixels):
        file = io.BytesIO()
        Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(
            file, "JPEG", quality=int(quality)
        )
        again[i] = np.asarray(Image.open(file)).reshape(picture.shape)
    return (torch.from_numpy(again).permute(0, 3, 1, 2).float() / 255).to(x.device)


def fog(x: torch.Tensor, thickness: float, generator: torch.Generator) -> torch.Tensor:
    """Bright veils: clouds of several sizes are added, and the picture is scaled back to its range."""
    N, _, H, W = x.shape
    clouds = sum(
        F.interpolate(torch.rand(N, 1, cells, cells, generator=generator), (H, W), mode="bicubic") / cells
        for cells in (2, 4, 8)
    ).to(x.device)
    low, high = (f(clouds, (2, 3), keepdim=True) for f in (torch.amin, torch.amax))
    brightest = x.amax((1, 2, 3), keepdim=True)
    return (x + thickness * (clouds - low) / (high - low)) * brightest / (brightest + thickness)


# name → (what is done, how strongly at severities 1 to 5)
CORRUPTIONS = {
    "noise": (noise, (0.02, 0.04, 0.07, 0.11, 0.16)),
    "blur": (blur, (0.4, 0.6, 0.8, 1.1, 1.5)),
    "brightness": (brightness, (0.05, 0.1, 0.2, 0.3, 0.4)),
    "contrast": (contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "JPEG": (jpeg, (60, 40, 25, 15, 8)),
    "fog": (fog, (0.2, 0.5, 0.75, 1.0, 1.5)),
}


def corrupt(x: torch.Tensor, name: str, severity: int, seed: int | torch.Generator = 0) -> torch.Tensor:
    """Pictures with one of the `CORRUPTIONS`, float32 (N, C, H, W) in [0, 1].

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, C, H, W)
    name : "noise", "blur", "brightness", "contrast", "JPEG" or "fog"
    severity : 1 (hardly to be seen) to 5; 0 changes nothing
    seed : of noise and fog, or a generator to draw them from

    Raises
    ------
    ValueError
        If there is no such corruption or severity.
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"no corruption is called {name!r}; there are: {', '.join(CORRUPTIONS)}.")
    if severity not in (0, *SEVERITIES):
        raise ValueError(f"severity is a whole number from 0 (none) to 5; you gave {severity!r}.")
    x = pictures(x)
    if severity == 0:
        return x
    generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    done, strengths = CORRUPTIONS[name]
    return done(x, strengths[severity - 1], generator).clamp(0, 1)


def rotate(x: torch.Tensor, degrees: float | torch.Tensor) -> torch.Tensor:
    """Pictures turned counter-clockwise about their middle, all alike or each by its own of `degrees` (N,).

    What turns into the picture is its mirror image at the border.
    """
    x = pictures(x)
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float32)).expand(len(x))
    zero, cos, sin = torch.zeros(len(x)), angle.cos(), angle.sin()
    aspect = x.shape[2] / x.shape[3]  # grid_sample's coordinates run from −1 to 1 on both axes
    return sampled(x, [cos, -sin * aspect, zero, sin / aspect, cos, zero])


def translate(x: torch.Tensor, right: float | torch.Tensor = 0.0, down: float | torch.Tensor = 0.0) -> torch.Tensor:
    """Pictures moved by so many pixels, all alike or each by its own number (N,); the border is mirrored."""
    x = pictures(x)
    one, zero = torch.ones(len(x)), torch.zeros(len(x))
    right, down = (torch.as_tensor(shift, dtype=torch.float32).expand(len(x)) for shift in (right, down))
    return sampled(x, [one, zero, -2 * right / x.shape[3], zero, one, -2 * down / x.shape[2]])


def sampled(x: torch.Tensor, numbers: list[torch.Tensor]) -> torch.Tensor:
    """Pictures whose pixels are fetched from where the matrices ((a, b, c), (d, e, f)) send them."""
    matrices = torch.stack(numbers, dim=1).view(-1, 2, 3).to(x.device)
    where = F.affine_grid(matrices, list(x.shape), align_corners=False)  # (N, H, W, 2)
    return F.grid_sample(x, where, padding_mode="reflection", align_corners=False).clamp(0, 1)


def elsewhere(shapes: Shapes, seed: int = 0, **factors) -> Shapes:
    """The same shapes, in the same places and sizes, before other backgrounds.

    With another background come other colours of the shapes, chosen as always: so that they stand out from it.

    Parameters
    ----------
    shapes : what `data.shapes10` drew
    seed : the one that `shapes` was drawn with, for the same noise
    factors : what is to change, as for `data.shapes10`: background=…, texture=…
    """
    changed = {*factors, "color"} if "background" in factors else {*factors}
    kept = {name: values.numpy() for name, values in shapes.factors.items() if name not in changed}
    return shapes10(len(shapes.y), seed, labels=shapes.y.numpy(), **kept, **factors)


def pictures(x: torch.Tensor) -> torch.Tensor:
    """Float32 pictures in [0, 1]; ValueError for what is no batch of pictures."""
    if x.ndim != 4 or not (x.dtype == torch.uint8 or x.is_floating_point()):
        raise ValueError(
            f"pictures are uint8, or float in [0, 1], (N, C, H, W); you gave {x.dtype} {tuple(x.shape)}."
            + (" Add the batch axis: x[None]." if x.ndim == 3 else "")
        )
    return as_pictures(x)


# --- as augmentation --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corrupted:
    """An augmentation: half of each batch gets some of the corruptions, at any severity; the rest stays as it is.

    Attributes
    ----------
    names : which corruptions
    """

    names: Sequence[str]

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        kept, worse = x.tensor_split(2)  # a batch is in random order already
        parts = list(worse.chunk(4))
        for i, part in enumerate(parts):
            name = self.names[int(torch.randint(len(self.names), (), generator=generator))]
            severity = 1 + int(torch.randint(5, (), generator=generator))
            parts[i] = corrupt(part, name, severity, generator)
        return torch.cat([kept, *parts])


@dataclass(frozen=True)
class Moved:
    """An augmentation: half of the pictures are turned by up to `degrees` and moved by up to `pixels`, either way."""

    degrees: float = 30.0
    pixels: float = 4.0

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        turn, right, down = 2 * torch.rand(3, len(x), generator=generator) - 1
        moved = translate(rotate(x, self.degrees * turn), self.pixels * right, self.pixels * down)
        chosen = torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5
        return torch.where(chosen.to(x.device), moved, x)


@dataclass(frozen=True)
class Recoloured:
    """An augmentation: red, green and blue of each picture become their negatives, each with probability `p`."""

    p: float = 0.5

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        chosen = torch.rand(*x.shape[:2], 1, 1, generator=generator) < self.p  # (B, C, 1, 1)
        return torch.where(chosen.to(x.device), 1 - x, x)
