"""Static pictures: a figure in, a figure with alt text out.

Every function here returns a `Picture`; as the last line of a cell it appears in the notebook, on a white ground that
stays readable in dark mode, with a text that says what there is to see for those who cannot see it.
"""

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
from utils.show.matching import detections, precision_recall
from utils.show.panels import grids, images
from utils.show.picture import BLUE, DIVERGING, GREEN, ORANGE, PALETTE, PINK, Picture, picture
from utils.show.receptive import influence, receptive_field
from utils.show.sizes import windows
from utils.show.stepping import node_graph, step
from utils.show.timing import growth, timings

__all__ = [
    "BLUE",
    "DIVERGING",
    "GREEN",
    "ORANGE",
    "PALETTE",
    "PINK",
    "Picture",
    "activation_maps",
    "bars",
    "columns",
    "connections",
    "curves",
    "detections",
    "filtered",
    "grids",
    "growth",
    "images",
    "influence",
    "node_graph",
    "number_grids",
    "padding_modes",
    "picture",
    "precision_recall",
    "receptive_field",
    "step",
    "timings",
    "windows",
    "worked_position",
]
