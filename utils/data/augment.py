"""Augmentation of a whole batch at once, on whatever device it lies: each picture is changed in its own way.

An augmentation is any function (x, generator) → x with x float (B, C, H, W) in [0, 1]; a list of them is applied in its
order. Random numbers are drawn on the CPU, from the generator that is given: the same on every device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F


def uniform(n: int, generator: torch.Generator, like: torch.Tensor) -> torch.Tensor:
    """`n` numbers in [0, 1) on the device of `like`."""
    return torch.rand(n, generator=generator).to(like.device)


@dataclass(frozen=True)
class Crop:
    """Move each picture by up to `padding` pixels: pad it, and cut the old size out anywhere.

    Attributes
    ----------
    padding : int
        In pixels, on every side.
    mode : str
        What the border is made of: "constant" (black, as torchvision's RandomCrop does), "reflect" or "replicate".
    """

    padding: int = 4
    mode: str = "constant"

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        B, _, H, W = x.shape
        padded = F.pad(x, (self.padding,) * 4, mode=self.mode)
        cuts = padded.unfold(2, H, 1).unfold(3, W, 1).movedim(1, 3)  # (B, 2p+1, 2p+1, C, H, W): every place; no copy
        top, left = torch.randint(2 * self.padding + 1, (2, B), generator=generator).to(x.device)
        return cuts[torch.arange(B, device=x.device), top, left]  # (B, C, H, W)


@dataclass(frozen=True)
class Flip:
    """Mirror each picture, left for right, with probability `p`."""

    p: float = 0.5

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        chosen = uniform(len(x), generator, x) < self.p
        return torch.where(chosen.view(-1, 1, 1, 1), x.flip(3), x)


@dataclass(frozen=True)
class Cutout:
    """Paint a grey square of `size` × `size` pixels over each picture, anywhere.

    Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017
    """

    size: int = 8

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        inside = True
        for axis in (2, 3):
            length = x.shape[axis]
            middle = (uniform(len(x), generator, x) * length).floor().view(-1, 1)
            away = torch.arange(length, device=x.device) - middle + self.size // 2  # 0 at the square's first pixel
            covered = (away >= 0) & (away < self.size)  # (B, length)
            inside = inside & covered.view(len(x), 1, *((length, 1) if axis == 2 else (1, length)))
        return x.masked_fill(inside, 0.5)


@dataclass(frozen=True)
class VerticalFlip:
    """Mirror each picture, top for bottom, with probability `p`."""

    p: float = 0.5

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        chosen = uniform(len(x), generator, x) < self.p
        return torch.where(chosen.view(-1, 1, 1, 1), x.flip(2), x)


@dataclass(frozen=True)
class Rotate:
    """Turn each picture around its middle by up to `degrees`, either way; what was outside is `mode`, as in `Crop`."""

    degrees: float = 15.0
    mode: str = "constant"

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        angle = torch.deg2rad((2 * uniform(len(x), generator, x) - 1) * self.degrees)
        cos, sin, ratio = angle.cos(), angle.sin(), x.shape[2] / x.shape[3]  # places count from −1 to 1 on either axis
        return warped(x, torch.stack([cos, -sin * ratio, sin / ratio, cos], 1).view(-1, 2, 2), mode=self.mode)


@dataclass(frozen=True)
class Scale:
    """Enlarge or shrink each picture around its middle, by a factor between `low` and `high`; its size is kept."""

    low: float = 0.8
    high: float = 1.25
    mode: str = "constant"

    def __post_init__(self):
        if not 0 < self.low <= self.high:
            raise ValueError(f"factors are positive, low ≤ high; you gave low={self.low}, high={self.high}.")

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        logs = torch.tensor([self.low, self.high]).log()  # so that ×2 is as likely as ÷2
        factor = torch.exp(logs[0] + (logs[1] - logs[0]) * uniform(len(x), generator, x))
        return warped(x, torch.eye(2, device=x.device) / factor.view(-1, 1, 1), mode=self.mode)


@dataclass(frozen=True)
class ResizedCrop:
    """Cut a section out of each picture, anywhere, and enlarge it to the old size.

    Attributes
    ----------
    smallest : float
        The section's height and width are at least this share of the picture's; its proportions are kept.
    """

    smallest: float = 0.6

    def __post_init__(self):
        if not 0 < self.smallest <= 1:
            raise ValueError(f"smallest is a share of the picture's side, 0 < smallest ≤ 1; you gave {self.smallest}.")

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        share = self.smallest + (1 - self.smallest) * uniform(len(x), generator, x)
        middle = torch.stack([2 * uniform(len(x), generator, x) - 1 for _ in "xy"], 1) * (1 - share).view(-1, 1)
        return warped(x, torch.eye(2, device=x.device) * share.view(-1, 1, 1), middle, mode="replicate")


@dataclass(frozen=True)
class GaussianNoise:
    """Add noise with standard deviation `sd` to every value, then keep within [0, 1]."""

    sd: float = 0.05

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return (x + self.sd * torch.randn(x.shape, generator=generator).to(x.device)).clamp(0, 1)


@dataclass(frozen=True)
class SaltPepper:
    """Make a `share` of each picture's pixels white or black, all channels at once."""

    share: float = 0.05

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        B, _, H, W = x.shape
        drawn = torch.rand(B, 1, H, W, generator=generator).to(x.device)
        return x.masked_fill(drawn < self.share / 2, 0.0).masked_fill(drawn >= 1 - self.share / 2, 1.0)


@dataclass(frozen=True)
class Brightness:
    """Multiply each picture by a factor between 1 − `strength` and 1 + `strength`."""

    strength: float = 0.3

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return blended(x, torch.zeros_like(x[:, :1]), self.strength, generator)


@dataclass(frozen=True)
class Contrast:
    """Move every value away from the picture's mean grey, or towards it: by a factor 1 ± `strength`."""

    strength: float = 0.3

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return blended(x, grey(x).mean((2, 3), keepdim=True), self.strength, generator)


@dataclass(frozen=True)
class Saturation:
    """Move every colour away from its grey, or towards it, by a factor 1 ± `strength`; grey pictures stay."""

    strength: float = 0.3

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return blended(x, grey(x), self.strength, generator)


@dataclass(frozen=True)
class Each:
    """Any of torchvision's transforms, for a batch: each picture is changed in its own way.

    data.Each(torchvision.transforms.v2.RandomPerspective(0.3))

    Slower than the augmentations here, which change a whole batch at once.

    Attributes
    ----------
    transform : picture (C, H, W) → picture (C, H, W), drawing its random numbers from torch
    """

    transform: Callable[[torch.Tensor], torch.Tensor]

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's own generator
            torch.manual_seed(seed)
            return torch.stack([self.transform(picture) for picture in x])


def warped(x: torch.Tensor, matrix: torch.Tensor, middle: torch.Tensor | None = None, *, mode: str) -> torch.Tensor:
    """Pictures (B, C, H, W), read at the places matrix · place + middle; places count from −1 to 1 on both axes.

    `matrix` (B, 2, 2) and `middle` (B, 2) speak of (x, y).
    """
    if mode not in BORDERS:
        raise ValueError(f"mode is one of {', '.join(BORDERS)}; you gave {mode!r}.")
    middle = matrix.new_zeros(len(x), 2) if middle is None else middle
    places = F.affine_grid(torch.cat([matrix, middle[:, :, None]], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, places, padding_mode=BORDERS[mode], align_corners=False).clamp(0, 1)  # against rounding


BORDERS = {"constant": "zeros", "replicate": "border", "reflect": "reflection"}  # our names → grid_sample's


def grey(x: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) → (B, 1, H, W): how bright a pixel is to the eye."""
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    weights = torch.tensor([0.2989, 0.587, 0.114], device=x.device)
    return (x * weights.view(3, 1, 1)).sum(1, keepdim=True)


def blended(x: torch.Tensor, base: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """base + factor · (x − base), within [0, 1], with a factor 1 ± strength for each picture."""
    factor = 1 + strength * (2 * uniform(len(x), generator, x) - 1)
    return (base + factor.view(-1, 1, 1, 1) * (x - base)).clamp(0, 1)
