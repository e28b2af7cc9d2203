"""The assignment's pictures: training and validation part; the test part stays closed until `open_test`."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from utils import data as sets
from utils.data import ImageData
from utils.data.files import tell
from utils.start import fast

SPLIT_SEED, VALIDATION = 0, 5000
# All that fast mode (CNN_COURSE_FAST=1) changes: how many pictures, epochs and seeds, and where the runs are kept.
FAST_PICTURES = {"train": 1500, "val": 500, "test": 500}
FAST_EPOCHS, FAST_SEEDS = 1, 1

STANDIN = (
    "You are working with {name}, because CIFAR-10 is not on this computer. Everything can be done with it and handed "
    "in. One thing changes: what accuracy is worth here, a person decides; everything else is graded as usual."
)
QUICK = "Fast mode: few pictures, one epoch, one seed, nothing is kept. Good for trying things, not for handing in."


def folder() -> Path:
    """Where runs and the file to hand in belong: beside the notebook; in fast mode, in a folder that goes."""
    return temporary() if fast() else Path()


@lru_cache(maxsize=1)
def temporary() -> Path:
    path = Path(tempfile.mkdtemp(prefix="assignment-fast-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def data() -> ImageData:
    """CIFAR-10 (or its stand-in), split 45,000 / 5,000, always in the same way, **without its test part**.

    `x_test` and `y_test` are empty: `assignment.open_test()` is the one way to them.
    """
    cifar = parts()
    closed = replace(cifar, x_test=cifar.x_test[:0], y_test=cifar.y_test[:0])
    if cifar.is_standin:
        tell(STANDIN.format(name=cifar.name.split(" (")[0]))
    if fast():
        tell(QUICK)
    return closed


def parts() -> ImageData:
    """All three parts: for this room's own use."""
    return _parts(fast())


@lru_cache(maxsize=1)
def _parts(quick: bool) -> ImageData:
    cifar = sets.cifar10()
    if not quick:
        return cifar.split(validation=VALIDATION, seed=SPLIT_SEED)
    small = cifar.subset(n_train=FAST_PICTURES["train"] + FAST_PICTURES["val"], n_test=FAST_PICTURES["test"])
    return small.split(validation=FAST_PICTURES["val"], seed=SPLIT_SEED)


def described() -> dict:
    """The data in a few words, for run records and the bundle."""
    cifar = parts()
    return {
        "name": "shapes10" if cifar.is_standin else "cifar10",
        "standin": cifar.is_standin,
        "split_seed": SPLIT_SEED,
        "train": len(cifar.y_train),
        "val": len(cifar.y_val),
        "test": len(cifar.y_test),
        "fast": fast(),
    }


@lru_cache(maxsize=4)
def _checksum(quick: bool) -> str:
    cifar = _parts(quick)
    return f"{zlib.crc32(cifar.x_train[:200].numpy().tobytes(), zlib.crc32(cifar.y_train.numpy().tobytes())):08x}"


def checksum() -> str:
    """Tells these training pictures from others (a copy saved as JPEG, the stand-in, fast mode's few)."""
    return _checksum(fast())
