"""Static pictures: a figure in, a figure with alt text out.

Every function here returns a `Picture`; as the last line of a cell it appears in the notebook, on a white ground that
stays readable in dark mode, with a text that says what there is to see for those who cannot see it.
"""

from utils.show.applications import retrieved, segmented
from utils.show.architectures import branches, by_layer, costs, timeline, with_spread
from utils.show.attacks import before_and_after
from utils.show.attribution import attributions
from utils.show.autoencoders import by_levels, codes, decoded_plane, rebuilt, stamps
from utils.show.bias import by_group, repairs
from utils.show.building import blueprint
from utils.show.calibration import confidences, reliability
from utils.show.classification import confused, confusion, mistakes
from utils.show.computation import graph
from utils.show.detecting import boxed, overlap, slid
from utils.show.features import embedding, feature_maps, learned_filters
from utils.show.filters import filtered
from utils.show.layers import (
    activation_maps,
    bars,
    columns,
    connections,
    curves,
    number_grids,
    padding_modes,
    worked_position,
)
from utils.show.live import progress
from utils.show.matching import detections, precision_recall
from utils.show.neural import activation, activations, descent, fits, over_seeds, regions, templates
from utils.show.panels import grids, images
from utils.show.picture import BLUE, DIVERGING, GREEN, ORANGE, PALETTE, PINK, Picture, picture
from utils.show.receptive import influence, receptive_field
from utils.show.regularising import (
    augmented,
    comparison,
    learning_rates,
    lr_curve,
    nearest,
    race,
    searches,
    stopping,
)
from utils.show.sizes import windows
from utils.show.stepping import node_graph, step
from utils.show.tiles import gallery
from utils.show.timing import growth, timings
from utils.show.training import learning_curves

__all__ = [
    "BLUE",
    "DIVERGING",
    "GREEN",
    "ORANGE",
    "PALETTE",
    "PINK",
    "Picture",
    "activation",
    "activation_maps",
    "activations",
    "attributions",
    "augmented",
    "bars",
    "before_and_after",
    "blueprint",
    "boxed",
    "branches",
    "by_group",
    "by_layer",
    "by_levels",
    "codes",
    "columns",
    "comparison",
    "confidences",
    "confused",
    "confusion",
    "connections",
    "costs",
    "curves",
    "decoded_plane",
    "descent",
    "detections",
    "embedding",
    "feature_maps",
    "filtered",
    "fits",
    "gallery",
    "graph",
    "grids",
    "growth",
    "images",
    "influence",
    "learned_filters",
    "learning_curves",
    "learning_rates",
    "lr_curve",
    "mistakes",
    "nearest",
    "node_graph",
    "number_grids",
    "over_seeds",
    "overlap",
    "padding_modes",
    "picture",
    "precision_recall",
    "progress",
    "race",
    "rebuilt",
    "receptive_field",
    "regions",
    "reliability",
    "repairs",
    "retrieved",
    "searches",
    "segmented",
    "slid",
    "stamps",
    "step",
    "stopping",
    "templates",
    "timeline",
    "timings",
    "windows",
    "with_spread",
    "worked_position",
]
