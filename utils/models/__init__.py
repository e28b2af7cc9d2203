"""The networks of the course. Each takes pictures (B, C, H, W) with values in [0, 1] and gives logits (B, classes).

Those of chapter 08 (autoencoders, denoiser, super-resolution) give pictures instead.
"""

from utils.models.architectures import (
    FAMILY,
    SmallResNet,
    deep,
    gradient_norms,
    inception,
    plain,
    residual,
    small_alexnet,
    small_googlenet,
    small_vgg,
)
from utils.models.autoencoder import (
    Autoencoder,
    SuperResolution,
    conv_autoencoder,
    denoiser,
    dense_autoencoder,
    upsample,
)
from utils.models.cifar_cnn import CifarCNN
from utils.models.counting import count, multiply_adds, summary
from utils.models.fast import FastCNN, whitening_filters
from utils.models.lenet import LeNet5
from utils.models.mirrored import MirroredCNN, mirrored_filters
from utils.models.mlp import MLP
from utils.models.pattern import mnist_cnn, pattern
from utils.models.shipping import rounded, ship, shipped
from utils.models.standardise import Standardise

__all__ = [
    "FAMILY",
    "MLP",
    "Autoencoder",
    "CifarCNN",
    "FastCNN",
    "LeNet5",
    "MirroredCNN",
    "SmallResNet",
    "Standardise",
    "SuperResolution",
    "conv_autoencoder",
    "count",
    "deep",
    "denoiser",
    "dense_autoencoder",
    "gradient_norms",
    "inception",
    "mirrored_filters",
    "mnist_cnn",
    "multiply_adds",
    "pattern",
    "plain",
    "residual",
    "rounded",
    "ship",
    "shipped",
    "small_alexnet",
    "small_googlenet",
    "small_vgg",
    "summary",
    "upsample",
    "whitening_filters",
]
