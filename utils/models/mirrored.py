"""A network to which a picture and its mirror image are the same."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from utils.models.fast import whitening_filters
from utils.models.standardise import Standardise


class MirroredCNN(nn.Module):
    """`FastCNN` with kernels in pairs: the second of each pair is the mirror image of the first.

    - What the first kernel of a pair finds in a picture, the second one finds in the mirror image, at the mirrored
      place. Pooling and normalising keep that, and the last layer adds the pairs up: a mirrored picture gets the very
      same logits. The network need not learn everything twice, and need not be asked twice.
    - Pooling looks at 3×3 pixels with stride 2: from an odd width, 2×2 would drop the last column but not the first.
      Pictures of 16×16, 24×24 and 32×32 pixels have odd widths all the way; with others it is nearly so.
    - The computed first layer keeps the 8 strongest of 12 patterns of 2×2 pixels, with both signs, and ReLU.

    215,648 parameters, half of what as many maps need otherwise. Measured: 84.9 % of the test pictures of a JPEG copy
    of CIFAR-10 (mean of five seeds), by the fast recipe in benchmarks/time_to_accuracy, which prints its seconds.

    Parameters
    ----------
    pictures : uint8 (N, 3, H, W), for the first layer; without them it waits for `load_weights`
    widths, convolutions : channels (even numbers) and number of convolutions of each block
    standardise : default: CIFAR-10's numbers

    Source: Cohen and Welling, Group Equivariant Convolutional Networks, 2016, for the smallest of groups.
    """

    def __init__(
        self,
        pictures: torch.Tensor | None = None,
        classes: int = 10,
        *,
        widths: Sequence[int] = (32, 64, 128),
        convolutions: Sequence[int] = (1, 2, 3),
        standardise: Standardise | None = None,
    ):
        super().__init__()
        if odd := [width for width in widths if width % 2]:
            raise ValueError(f"widths: kernels come in pairs, so each is an even number; {odd[0]} is odd.")
        self.standardise = standardise or Standardise()
        self.whiten = nn.Conv2d(3, 16, kernel_size=2, bias=False).requires_grad_(False)
        if pictures is not None:
            filters = torch.cat(mirrored_filters(pictures, self.standardise))  # (5 + 3, 3, 2, 2)
            self.whiten.weight.copy_(torch.cat([filters, -filters]))  # ReLU lets pass what is positive: both signs
        # The first 5 patterns look the same in a mirror; of the other 3, the mirror shows what has the opposite sign.
        mirror = torch.tensor([*range(5), *range(13, 16), *range(8, 13), *range(5, 8)])
        channels = [16, *widths]  # B, 16, 31, 31 → B, 32, 15, 15 → B, 64, 7, 7 → B, 128, 3, 3
        self.features = nn.Sequential(*map(block, channels, widths, convolutions, [mirror, *[None] * len(widths)]))
        self.classifier = nn.Linear(widths[-1] // 2, classes, bias=False)  # (B, 64) → (B, classes)
        nn.init.normal_(self.classifier.weight, std=2 / widths[-1])  # begin with all classes about equally likely

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [0, 1] → logits (B, classes). 32×32 pixels, or others from 16×16 on."""
        x = F.relu(self.whiten(self.standardise(x)))  # (B, 16, 31, 31)
        x = self.features(x).amax(dim=(2, 3))  # (B, 128, 3, 3) → (B, 128): the strongest answer anywhere
        return self.classifier(x.unflatten(1, (2, -1)).sum(1))  # (B, 2, 64) → (B, 64): with its mirror image's


class MirroredConv2d(nn.Conv2d):
    """Convolution of 3×3 with kernels in pairs; stored is the first of each pair.

    Parameters
    ----------
    outputs : even
    mirror : (inputs,), for each input channel the one that would be it if the picture were mirrored; default: the
        second half mirrors the first, as the outputs of such a layer do
    """

    def __init__(self, inputs: int, outputs: int, mirror: torch.Tensor | None = None):
        super().__init__(inputs, outputs // 2, kernel_size=3, padding=1)
        self.bias = None  # batch norm adds one; it was drawn, as in the trainings that are recorded
        mirror = torch.arange(inputs).roll(inputs // 2) if mirror is None else mirror
        self.register_buffer("mirror", mirror, persistent=False)
        firsts = (mirror >= torch.arange(inputs)).nonzero()[: outputs // 2, 0]  # one channel of each pair of inputs
        with torch.no_grad():  # the first maps begin as copies of the input
            self.weight[: len(firsts)] = 0
            self.weight[torch.arange(len(firsts)), firsts, 1, 1] = 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) → (B, outputs, H, W)."""
        return F.conv2d(x, torch.cat([self.weight, self.weight[:, self.mirror].flip(3)]), padding=1)


class MirroredNorm(nn.BatchNorm2d):
    """Batch norm that measures and shifts the two maps of a pair as one: `num_features` is the number of pairs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 2·num_features, H, W) → the same shape."""
        rows = x.permute(0, 2, 3, 1)  # (B, H, W, 2n), as it lies in memory: channels last
        pairs = rows.reshape(*rows.shape[:2], -1, self.num_features)  # (B, H, 2W, n): a pair's maps side by side
        return super().forward(pairs.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).reshape(rows.shape).permute(0, 3, 1, 2)


def block(inputs: int, outputs: int, convolutions: int, mirror: torch.Tensor | None = None) -> nn.Sequential:
    """Convolutions of 3×3; after the first, pooling halves height and width, so that the rest costs a quarter."""
    layers: list[nn.Module] = []
    for i in range(convolutions):
        pooling = [] if i else [nn.MaxPool2d(3, stride=2)]
        norm = MirroredNorm(outputs // 2, momentum=0.4)  # few steps: the running means must follow quickly
        norm.weight.requires_grad_(False)  # a scale that the next layer would undo
        layers += [MirroredConv2d(inputs, outputs, mirror), *pooling, norm, nn.GELU()]
        inputs, mirror = outputs, None
    return nn.Sequential(*layers)


def mirrored_filters(
    pictures: torch.Tensor, standardise: Standardise | None = None, even: int = 5, odd: int = 3
) -> tuple[torch.Tensor, torch.Tensor]:
    """Whitening filters of pictures and their mirror images: those equal to their mirror image, those opposite to it.

    As both are looked at, there are no others. Parameters as for `whitening_filters`.

    Returns
    -------
    float32 (even, 3, 2, 2) and (odd, 3, 2, 2), with those of large variance first
    """
    seen = pictures[:2500]
    filters = whitening_filters(torch.cat([seen, seen.flip(3)]), standardise)
    same = (filters * filters.flip(3)).sum((1, 2, 3)) > 0
    return filters[same][:even], filters[~same][:odd]
