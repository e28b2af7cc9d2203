"""The networks of the course. Each takes pictures (B, C, H, W) with values in [0, 1] and gives logits (B, classes).

Those of chapter 08 (autoencoders, denoiser, super-resolution) give pictures instead.
"""

from utils.models.autoencoder import (
    Autoencoder,
    SuperResolution,
    conv_autoencoder,
    denoiser,
    dense_autoencoder,
    upsample,
)
from utils.models.cifar_cnn import CifarCNN
from utils.models.counting import count, summary
from utils.models.fast import FastCNN, whitening_filters
from utils.models.lenet import LeNet5
from utils.models.mlp import MLP
from utils.models.pattern import mnist_cnn, pattern
from utils.models.shipping import rounded, ship, shipped
from utils.models.standardise import Standardise

__all__ = [
    "MLP",
    "Autoencoder",
    "CifarCNN",
    "FastCNN",
    "LeNet5",
    "Standardise",
    "SuperResolution",
    "conv_autoencoder",
    "count",
    "denoiser",
    "dense_autoencoder",
    "mnist_cnn",
    "pattern",
    "rounded",
    "ship",
    "shipped",
    "summary",
    "upsample",
    "whitening_filters",
]
