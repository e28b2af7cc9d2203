"""MNIST on disk: the four IDX files, where torchvision.datasets.MNIST puts them too.

The format (http://yann.lecun.com/exdb/mnist/): two zero bytes, a byte for the type of number (8 is uint8), a byte for
the number of axes, the length of each axis as four bytes, most significant first; then the numbers, row by row.
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch

from utils.data.download import Remote, fetch
from utils.data.files import DamagedFile, set_aside, write_whole
from utils.data.image_data import ImageData, stratified

NAME = "MNIST"
CLASSES = tuple("0123456789")
FILES = "MNIST/raw/train-images-idx3-ubyte and the three beside it"
SERVERS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",  # PyTorch's copy
    "https://storage.googleapis.com/cvdf-datasets/mnist/",  # the Common Visual Data Foundation's
)


def _remote(name: str, md5: str, size: int, unpacked: int) -> Remote:
    return Remote(f"{name}.gz", tuple(f"{server}{name}.gz" for server in SERVERS), f"md5:{md5}", size, unpacked)


# name in ImageData → (shape, where to fetch it)
PARTS = {
    "x_train": (
        (60_000, 28, 28),
        _remote("train-images-idx3-ubyte", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422, 47_040_016),
    ),
    "y_train": ((60_000,), _remote("train-labels-idx1-ubyte", "d53e105ee54ea40749a09fcbcd1e9432", 28_881, 60_008)),
    "x_test": (
        (10_000, 28, 28),
        _remote("t10k-images-idx3-ubyte", "9fb629c4189551a2d022fa330f9573f3", 1_648_877, 7_840_016),
    ),
    "y_test": ((10_000,), _remote("t10k-labels-idx1-ubyte", "ec29112dd5afa0611ce80d1b7f02629c", 4_542, 10_008)),
}


def read_idx(path: Path) -> np.ndarray:
    """The numbers of an IDX file, plain or .gz, as a uint8 array.

    Raises
    ------
    DamagedFile : if the file is cut off, is not IDX, or holds another type of number than uint8
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DamagedFile(path, f"it cannot be decompressed ({error})") from error
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DamagedFile(path, "it does not begin like an IDX file, with two zero bytes")
    number, axes = content[2], content[3]
    if number != 8:
        raise DamagedFile(path, f"its numbers are of type {number:#04x}, and uint8 (0x08) was expected")
    start = 4 + 4 * axes
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], dtype=">u4")) if len(content) >= start else (0,)
    expected = start + int(np.prod(shape, dtype=object))
    if len(content) < start or len(content) != expected:
        raise DamagedFile(path, f"it has {len(content):,} bytes, and its first bytes announce {expected:,}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape).copy()


def read(folder: Path) -> ImageData | None:
    """MNIST from `folder`, or None if it is not (wholly) there. A damaged file is set aside, and the learner told."""
    arrays = {}
    for part, (shape, remote) in PARTS.items():
        try:
            path = _find(folder, remote)
            if path is None:
                return None
            arrays[part] = _read_part(path, shape)
        except DamagedFile as damage:
            set_aside(damage)
            return None
    tensors = {part: torch.from_numpy(array) for part, array in arrays.items()}
    for split in ("train", "test"):
        tensors[f"x_{split}"] = tensors[f"x_{split}"][:, None]  # (N, H, W) → (N, 1, H, W)
        tensors[f"y_{split}"] = tensors[f"y_{split}"].long()
    return ImageData(NAME, CLASSES, is_standin=False, origin="handwritten digits, the original files", **tensors)


def _find(folder: Path, remote: Remote) -> Path | None:
    packed = folder / "MNIST" / "raw" / remote.filename
    return next((path for path in (packed.with_suffix(""), packed) if path.exists()), None)


def _read_part(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    array = read_idx(path)
    if array.shape != shape:
        raise DamagedFile(path, f"its shape is {array.shape}, and {shape} was expected")
    if len(shape) == 1 and array.max() > 9:
        raise DamagedFile(path, f"it holds the label {array.max()}, and only 0 to 9 are digits")
    return array


def download(folder: Path) -> None:
    """Fetch what is missing, and unpack it as torchvision does."""
    raw = folder / "MNIST" / "raw"
    for _, remote in PARTS.values():
        if _find(folder, remote):
            continue
        packed = fetch(remote, raw)
        with gzip.open(packed) as source:
            write_whole(packed.with_suffix(""), lambda file, source=source: shutil.copyfileobj(source, file))


def standin() -> ImageData:
    """Scikit-learn's 1,797 handwritten digits, enlarged from 8×8 to MNIST's 28×28; 1,500 of them for training.

    As in MNIST the digit is 20×20 in the middle of a black border.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.from_numpy(digits.images).float()[:, None] / 16  # (1797, 1, 8, 8), 0 … 16 → 0 … 1
    images = torch.nn.functional.interpolate(images, (20, 20), mode="bicubic").clamp(0, 1)
    images = torch.nn.functional.pad(images, (4, 4, 4, 4))
    x, y = (images * 255).round().to(torch.uint8), torch.from_numpy(digits.target).long()
    train, test = stratified(y, 1500)
    return ImageData(
        "Digits (stand-in for MNIST)",
        CLASSES,
        *(x[train], y[train], x[test], y[test]),
        is_standin=True,
        origin="scikit-learn's digits, enlarged from 8×8",
    )
