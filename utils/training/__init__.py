"""Training: the loop of chapter 05, grown up.

history = training.fit(model, cifar, epochs=4, lr=1e-3, augment=[data.Crop(4), data.Flip()], live=True)
training.save_weights(model, "runs/mine", accuracy=0.84)
"""

from utils.training.faults import TrainingError
from utils.training.finder import LRCurve, find_lr
from utils.training.fit import fit
from utils.training.history import History
from utils.training.muon import Muon
from utils.training.schedules import constant, cosine, triangle
from utils.training.watching import Stop
from utils.training.weights import load_weights, save_weights

__all__ = [
    "History",
    "LRCurve",
    "Muon",
    "Stop",
    "TrainingError",
    "constant",
    "cosine",
    "find_lr",
    "fit",
    "load_weights",
    "save_weights",
    "triangle",
]
