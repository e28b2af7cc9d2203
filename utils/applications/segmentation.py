"""A class for every pixel.

net = segmentation.UNet(classes=5)
segmentation.learn(net, data.scenes(1000, size=32, objects=(1, 2)))
labels = segmentation.labels(net, scenes.x)            # (N, H, W)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.applications.loop import optimise
from utils.data.scenes import Scenes
from utils.models.standardise import Standardise


class UNet(nn.Module):
    """Pictures (B, 3, H, W) → logits (B, classes, H, W); 4 divides H and W.

    Down twice, up twice. On the way up, each step may see the maps of the same height and width from the way down.

    Parameters
    ----------
    classes : the ground among them
    width : maps at full size; twice and four times as many further down
    skip : whether the way up sees those maps (a skip connection) or only what comes from below

    Source: Ronneberger, Fischer, Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015; smaller.
    """

    def __init__(self, classes: int = 5, width: int = 12, skip: bool = True):
        super().__init__()
        self.handed_across = skip
        self.standardise = Standardise((0.4, 0.4, 0.4), (0.25, 0.25, 0.25))
        self.down1 = twice(3, width)
        self.down2 = twice(width, 2 * width)
        self.bottom = twice(2 * width, 4 * width)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, kernel_size=2, stride=2)
        self.after2 = twice((4 if skip else 2) * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2)
        self.after1 = twice((2 if skip else 1) * width, width)
        self.head = nn.Conv2d(width, classes, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(f"height and width must be multiples of 4: they are halved twice; here {tuple(x.shape)}.")
        one = self.down1(self.standardise(x))  # (B, w, H, W)
        two = self.down2(F.max_pool2d(one, 2))  # (B, 2w, H/2, W/2)
        low = self.bottom(F.max_pool2d(two, 2))  # (B, 4w, H/4, W/4)
        up = self.up2(low)  # (B, 2w, H/2, W/2)
        up = self.after2(torch.cat([up, two], 1) if self.handed_across else up)
        up = self.up1(up)  # (B, w, H, W)
        up = self.after1(torch.cat([up, one], 1) if self.handed_across else up)
        return self.head(up)  # (B, classes, H, W)


def twice(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3×3 convolutions that keep height and width, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def learn(
    net: nn.Module, scenes: Scenes, *, epochs: int = 6, lr: float = 5e-3, batch_size: int = 10, seed: int = 0
) -> list[float]:
    """Train on every pixel: cross-entropy, Adam, learning rate falling to zero. The mean loss of each epoch."""
    x, masks = scenes.x.float() / 255, scenes.masks

    def loss(chosen: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(net(x[chosen]), masks[chosen])

    return optimise(net, loss, len(x), epochs=epochs, lr=lr, batch_size=batch_size, seed=seed)


def labels(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The class of every pixel of pictures, uint8 or float (N, 3, H, W): int64 (N, H, W)."""
    x = x.float() / 255 if x.dtype == torch.uint8 else x
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part).argmax(1) for part in x.split(100)])


def class_iou(predicted: torch.Tensor, truth: torch.Tensor, classes: int) -> torch.Tensor:
    """IoU of each class over all pixels (scikit-learn's Jaccard score); NaN for a class that occurs nowhere."""
    from sklearn.metrics import jaccard_score

    scores = jaccard_score(
        truth.flatten().numpy(), predicted.flatten().numpy(), labels=range(classes), average=None, zero_division=0
    )
    occurs = torch.bincount(truth.flatten(), minlength=classes) + torch.bincount(predicted.flatten(), minlength=classes)
    return torch.where(occurs > 0, torch.from_numpy(scores), torch.nan)


def borders(masks: torch.Tensor, width: int = 1) -> torch.Tensor:
    """Where a pixel of another class lies within `width` pixels: bool (N, H, W)."""
    values = F.pad(masks[:, None].float(), (width,) * 4, mode="replicate")
    size = 2 * width + 1
    return (F.max_pool2d(values, size, 1) != -F.max_pool2d(-values, size, 1))[:, 0]
