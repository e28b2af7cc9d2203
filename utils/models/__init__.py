"""The networks of the course. Each takes pictures (B, C, H, W) with values in [0, 1] and gives logits (B, classes)."""

from utils.models.cifar_cnn import CifarCNN
from utils.models.standardise import Standardise

__all__ = ["CifarCNN", "Standardise"]
