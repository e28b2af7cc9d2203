"""Chapter 07's networks: small relatives of AlexNet, VGG, GoogLeNet and ResNet, and residual networks of any depth.

The blocks come from torchvision. Every network that is built of blocks takes others in their place: your own.

Sources: Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural networks, 2012 · Simonyan
and Zisserman, Very deep convolutional networks for large-scale image recognition, 2014 · Szegedy et al., Going deeper
with convolutions, 2014 · He et al., Deep residual learning for image recognition, 2015.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from utils.models.lenet import LeNet5
from utils.models.pattern import pattern, usual_standardise

COLOUR = (3, 32, 32)


# ── Blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def inception(in_channels: int, n1: int, n3_reduce: int, n3: int, n5_reduce: int, n5: int, pool: int) -> nn.Module:
    """GoogLeNet's block: four branches side by side, (B, in_channels, H, W) → (B, n1 + n3 + n5 + pool, H, W).

    torchvision's, with what the paper has and torchvision has not: kernels of 5, and no batch norm.
    """
    from torchvision.models.googlenet import Inception

    block = Inception(in_channels, n1, n3_reduce, n3, n5_reduce, n5, pool, conv_block=with_relu)
    block.branch3[1] = with_relu(n5_reduce, n5, kernel_size=5, padding=2)  # torchvision has a 3 here, by mistake
    return block


def with_relu(inputs: int, outputs: int, **settings) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, **settings), nn.ReLU())


def residual(in_channels: int, out_channels: int, stride: int = 1, batch_norm: bool = True) -> nn.Module:
    """ResNet's block of two 3×3 convolutions, (B, in_channels, H, W) → (B, out_channels, H/stride, W/stride).

    torchvision's; where the shape changes, a 1×1 convolution fits the shortcut.
    """
    from torchvision.models.resnet import BasicBlock, conv1x1

    norm = nn.BatchNorm2d if batch_norm else nn.Identity
    fits = stride == 1 and in_channels == out_channels
    fitting = None if fits else nn.Sequential(conv1x1(in_channels, out_channels, stride), norm(out_channels))
    return BasicBlock(in_channels, out_channels, stride, fitting, norm_layer=norm)


def plain(in_channels: int, out_channels: int, stride: int = 1, batch_norm: bool = True) -> nn.Sequential:
    """The same two convolutions without the shortcut."""
    from torchvision.models.resnet import conv3x3

    norm = nn.BatchNorm2d if batch_norm else nn.Identity
    first = conv3x3(in_channels, out_channels, stride), norm(out_channels), nn.ReLU()
    return nn.Sequential(*first, conv3x3(out_channels, out_channels), norm(out_channels), nn.ReLU())


# ── Networks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def small_alexnet(in_shape: Sequence[int] = COLOUR, classes: int = 10) -> nn.Sequential:
    """AlexNet's ideas: large kernels first, overlapping max pooling, ReLU, wide dense layers with dropout."""
    channels, height, width = in_shape
    features = nn.Sequential(
        *(nn.Conv2d(channels, 24, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),  # (B, 24, 7, 7)
        *(nn.Conv2d(24, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),  # (B, 64, 3, 3)
        *(nn.Conv2d(64, 96, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(96, 64, 3, padding=1), nn.ReLU(), nn.Flatten()),  # (B, 576)
    )
    numbers = features(torch.zeros(1, channels, height, width)).shape[1]
    dense = [nn.Dropout(), nn.Linear(numbers, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 256), nn.ReLU()]
    return nn.Sequential(usual_standardise(channels), *features, *dense, nn.Linear(256, classes))


def small_vgg(in_shape: Sequence[int] = COLOUR, classes: int = 10, batch_norm: bool = False) -> nn.Sequential:
    """VGG's idea: nothing but 3×3 convolutions, two before each pooling, twice as many filters after it."""
    norm = "before" if batch_norm else None
    return pattern(in_shape, classes, channels=(12, 24, 48), convolutions=2, dense=(128,), batch_norm=norm)


def small_googlenet(in_shape: Sequence[int] = COLOUR, classes: int = 10, block: Callable = inception) -> nn.Sequential:
    """GoogLeNet's ideas: four Inception blocks, and a mean over each map in place of wide dense layers.

    The auxiliary losses are left out: this one is not deep enough to need them.
    """
    channels = in_shape[0]
    return nn.Sequential(
        usual_standardise(channels),
        *(nn.Conv2d(channels, 24, 3, stride=2, padding=1), nn.ReLU()),  # (B, 24, 16, 16)
        block(24, 8, 12, 16, 4, 8, 8),  # (B, 40, 16, 16)
        block(40, 16, 16, 24, 4, 8, 8),  # (B, 56, 16, 16)
        nn.MaxPool2d(2),
        block(56, 24, 24, 40, 8, 16, 16),  # (B, 96, 8, 8)
        block(96, 32, 32, 56, 8, 20, 20),  # (B, 128, 8, 8)
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes)),
    )


class SmallResNet(nn.Module):
    """ResNet's ideas: blocks around which the input is carried, batch norm, and a mean over each map at the end.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture
    blocks, widths : number of blocks and channels of each stage; from the second on a stage begins by halving H and W
    block : makes one from (in_channels, out_channels, stride)
    stride : of the first convolution

    Source: He et al., Deep residual learning for image recognition, 2015, section 4.2, made smaller.
    """

    def __init__(
        self,
        in_shape: Sequence[int] = COLOUR,
        classes: int = 10,
        *,
        blocks: Sequence[int] = (2, 2, 2),
        widths: Sequence[int] = (16, 32, 64),
        block: Callable = residual,
        stride: int = 2,
    ):
        super().__init__()
        channels, first = in_shape[0], widths[0]
        self.standardise = usual_standardise(channels)
        conv = nn.Conv2d(channels, first, 3, stride=stride, padding=1, bias=False)
        self.stem = nn.Sequential(conv, nn.BatchNorm2d(first), nn.ReLU())  # (B, first, H/stride, W/stride)
        made, inputs = [], first
        for stage, (n, outputs) in enumerate(zip(blocks, widths, strict=True)):
            for i in range(n):
                made.append(block(inputs, outputs, 2 if stage > 0 and i == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*made)
        self.fc = nn.Linear(inputs, classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):  # He's start: neither growing nor shrinking through ReLUs
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) in [0, 1] → logits (B, classes)."""
        x = self.blocks(self.stem(self.standardise(x)))  # (B, widths[-1], …, …)
        return self.fc(x.mean(dim=(2, 3)))


def deep(
    depth: int, block: Callable = residual, *, in_shape: Sequence[int] = (3, 16, 16), classes: int = 10, width: int = 16
) -> SmallResNet:
    """A network of `depth` layers with weights: one convolution, (depth − 2)/2 blocks of two, one dense layer.

    All blocks have the same number of channels and of pixels, so that nothing but the depth changes.
    """
    if depth < 4 or depth % 2:
        raise ValueError(f"depth={depth}: an even number from 4 on; a block has two layers, and two stand outside.")
    return SmallResNet(in_shape, classes, blocks=[(depth - 2) // 2], widths=[width], block=block)


FAMILY: dict[str, Callable] = {
    "LeNet-5": lambda in_shape=COLOUR, classes=10: LeNet5(in_shape, classes),
    "AlexNet": small_alexnet,
    "VGG": small_vgg,
    "VGG, batch norm": lambda in_shape=COLOUR, classes=10: small_vgg(in_shape, classes, batch_norm=True),
    "GoogLeNet": small_googlenet,
    "ResNet": SmallResNet,
}


# ── Gradients ────────────────────────────────────────────────────────────────────────────────────────────────────────


def gradient_norms(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[float]:
    """For each convolution, from the first to the last: the norm of the loss's gradient for its weights.

    The network stays as it is: no weight, no running mean and no gradient is changed.

    Parameters
    ----------
    x : float in [0, 1], (B, C, H, W)
    y : labels (B,)
    """
    kept = {name: value.clone() for name, value in net.named_buffers()}
    weights = [part.weight for part in net.modules() if isinstance(part, nn.Conv2d) and part.kernel_size != (1, 1)]
    was_training = net.training
    try:
        loss = nn.functional.cross_entropy(net.train()(x), y)
        gradients = torch.autograd.grad(loss, weights)
    finally:
        net.train(was_training)
        for name, value in net.named_buffers():
            value.copy_(kept[name])
    return [g.norm().item() for g in gradients]
