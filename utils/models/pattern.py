"""The pattern that most CNNs follow, as a builder: INPUT → [[CONV → RELU]·N → POOL?]·M → [FC → RELU]·K → FC."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from utils.models.standardise import CIFAR10_MEAN, CIFAR10_STD, Standardise

MNIST_MEAN, MNIST_STD = (0.1307,), (0.3081,)  # over all pixels of the training pictures


def pattern(
    in_shape: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    *,
    channels: Sequence[int] = (16, 32, 64),
    convolutions: int = 1,
    pool: bool | Sequence[bool] = True,
    dense: Sequence[int] = (128,),
    kernel_size: int = 3,
    batch_norm: str | None = None,
    dropout: float = 0.0,
    standardise: Standardise | None = None,
) -> nn.Sequential:
    """A network of the pattern INPUT → [[CONV → RELU]·N → POOL?]·M → [FC → RELU]·K → FC.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture
    channels : filters of each of the M blocks
    convolutions : N, the convolutions in each block; they keep height and width
    pool : whether each block (or, as a list, which of them) ends in 2×2 max pooling, which halves height and width
    dense : outputs of each of the K dense layers before the last
    kernel_size : odd, so that (kernel_size − 1)/2 pixels of padding keep the size
    batch_norm : None, "before" or "after" the ReLU of each convolution
    dropout : share of the numbers that are dropped before the last dense layer in training
    standardise : the first layer; without one, MNIST's numbers for one channel, CIFAR-10's for three

    Returns
    -------
    nn.Sequential (B, C, H, W) in [0, 1] → logits (B, classes)

    Raises
    ------
    ValueError : if a setting makes no network, for example if the pooling leaves no pixel

    Source: [1], «Common patterns in CNNs».
    """
    checked(convolutions, kernel_size, batch_norm, channels, dense)
    pools = [pool] * len(channels) if isinstance(pool, bool) else list(pool)
    if len(pools) != len(channels):
        raise ValueError(f"pool has {len(pools)} entries for {len(channels)} blocks: give one for each, or one bool.")
    inputs, height, width = in_shape
    layers: list[nn.Module] = [standardise or usual_standardise(inputs)]
    for number, (outputs, pooled) in enumerate(zip(channels, pools, strict=True), start=1):
        for _ in range(convolutions):
            layers += convolution(inputs, outputs, kernel_size, batch_norm)  # (B, outputs, height, width)
            inputs = outputs
        if pooled:
            if min(height, width) < 2:
                raise ValueError(nothing_left(in_shape, pools, number, (height, width)))
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
    layers.append(nn.Flatten())  # (B, inputs · height · width)
    features = inputs * height * width
    for outputs in dense:
        layers += [nn.Linear(features, outputs), nn.ReLU()]
        features = outputs
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(features, classes))  # (B, classes)


def convolution(inputs: int, outputs: int, kernel_size: int, batch_norm: str | None) -> list[nn.Module]:
    """A convolution that keeps height and width, its ReLU, and batch norm on the wanted side of it."""
    # A batch norm right behind the convolution takes its mean away, and with it any bias.
    conv = nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2, bias=batch_norm != "before")
    if batch_norm == "before":
        return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
    return [conv, nn.ReLU(), nn.BatchNorm2d(outputs)] if batch_norm == "after" else [conv, nn.ReLU()]


def checked(convolutions: int, kernel_size: int, batch_norm: str | None, channels, dense) -> None:
    """Refuse settings that make no network, each with a sentence."""
    if convolutions < 1:
        raise ValueError(f"convolutions={convolutions}: each block needs at least 1.")
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size={kernel_size}: an odd size is wanted, since an even kernel has no middle pixel.")
    if batch_norm not in (None, "before", "after"):
        raise ValueError(f'batch_norm is None, "before" or "after" (the ReLU); you gave {batch_norm!r}.')
    for name, sizes in (("channels", channels), ("dense", dense)):
        if isinstance(sizes, int):
            raise ValueError(f"{name}={sizes}: a list is wanted, one number for each, for example ({sizes},).")
        if any(size < 1 for size in sizes):
            raise ValueError(f"{name}={tuple(sizes)}: every size is at least 1.")


def nothing_left(in_shape: Sequence[int], pools: Sequence[bool], number: int, size: tuple[int, int]) -> str:
    """Which pooling finds nothing to halve, and what would fit."""
    height, width = in_shape[1:]
    most = min(height, width).bit_length() - 1
    return (
        f"The pooling of block {number} finds {size[0]}×{size[1]} pixels, and cannot halve them: a picture of "
        f"{height}×{width} can be halved {most} times, and {sum(pools)} poolings were asked for. "
        f"Use fewer blocks, or leave some poolings out, for example pool={fitting(pools, most)}."
    )


def fitting(pools: Sequence[bool], most: int) -> list[bool]:
    """The same list with only the first `most` poolings kept."""
    return [pooled and sum(pools[: i + 1]) <= most for i, pooled in enumerate(pools)]


def usual_standardise(channels: int) -> Standardise:
    """The first layer for pictures of one channel (MNIST's numbers), of three (CIFAR-10's), or of any other number."""
    known = {1: (MNIST_MEAN, MNIST_STD), 3: (CIFAR10_MEAN, CIFAR10_STD)}
    return Standardise(*known.get(channels, ((0.5,) * channels, (0.25,) * channels)))


def mnist_cnn(in_shape: Sequence[int] = (1, 28, 28), classes: int = 10, **settings) -> nn.Sequential:
    """Three convolutions and two dense layers for MNIST, the home experiment of [1]; `settings` as in `pattern`."""
    return pattern(in_shape, classes, **{"batch_norm": "before", "dropout": 0.25} | settings)
