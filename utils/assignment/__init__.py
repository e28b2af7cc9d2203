"""The assignment: a baseline and a proposed network on CIFAR-10, from the first line to the file to hand in.

from utils import assignment
cifar = assignment.data()                                   # without its test part
spec = assignment.Spec(epochs=5, optimizer="Adam", lr=1e-3, augment=("flip", "crop4"))
assignment.train(Baseline, spec, seeds=(0, 1, 2))           # each run is kept; nothing is trained twice
assignment.results()
assignment.checklist()                                      # at any time: what is done, what is missing
assignment.open_test()                                      # once
assignment.bundle()                                         # one file to hand in
"""

from utils.assignment.handing_in import CannotBundle, bundle
from utils.assignment.items import checklist, item, rubric
from utils.assignment.pictures import data
from utils.assignment.reading import CannotRead
from utils.assignment.runs import train
from utils.assignment.spec import Spec
from utils.assignment.tables import ablation, curves, open_test, results, sizes

__all__ = [
    "CannotBundle",
    "CannotRead",
    "Spec",
    "ablation",
    "bundle",
    "checklist",
    "curves",
    "data",
    "item",
    "open_test",
    "results",
    "rubric",
    "sizes",
    "train",
]
