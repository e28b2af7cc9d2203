"""Explorers: pictures that answer to sliders.

An explorer holds no logic. It is a plain function of `utils.show` (numbers in, a `Picture` out) and the controls that
call it; the function is tested without a browser. Where no kernel answers (a page on the web, a printed copy), the
same picture stands still in its place.
"""

from utils.explore.applications import detector, iou, retrieval, segmentation, sliding, style
from utils.explore.architectures import gradients, inception
from utils.explore.attacks import attack, corruption
from utils.explore.autoencoders import codes, denoised, stamps
from utils.explore.building import pattern
from utils.explore.classification import confusion, feature_maps
from utils.explore.explorer import Explorer
from utils.explore.filters import kernel, step, threshold
from utils.explore.layers import output_size, receptive_field, worked_example
from utils.explore.neural import activations, depth, graph, hidden_units, learning_rate
from utils.explore.regularising import augmentation, patience
from utils.explore.trust import attributions, temperature

__all__ = [
    "Explorer",
    "activations",
    "attack",
    "attributions",
    "augmentation",
    "codes",
    "confusion",
    "corruption",
    "denoised",
    "depth",
    "detector",
    "feature_maps",
    "gradients",
    "graph",
    "hidden_units",
    "inception",
    "iou",
    "kernel",
    "learning_rate",
    "output_size",
    "patience",
    "pattern",
    "receptive_field",
    "retrieval",
    "segmentation",
    "sliding",
    "stamps",
    "step",
    "style",
    "temperature",
    "threshold",
    "worked_example",
]
