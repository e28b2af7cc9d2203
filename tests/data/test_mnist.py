"""MNIST: the IDX reader on hand-made files, the download from a local server, the real files where they are."""

from __future__ import annotations

import gzip
import hashlib
import struct

import numpy as np
import pytest
import torch

from utils import data
from utils.data import mnist_files
from utils.data.download import Remote

N_TRAIN, N_TEST = 30, 10


def idx(array: np.ndarray, number: int = 8) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, number, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (N_TRAIN, 28, 28), dtype=np.uint8),
        "y_train": (np.arange(N_TRAIN) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (N_TEST, 28, 28), dtype=np.uint8),
        "y_test": (np.arange(N_TEST) % 10).astype(np.uint8),
    }


@pytest.fixture
def tiny(arrays, server, monkeypatch) -> dict[str, tuple[str, bytes]]:
    """A tiny MNIST in place of the real one: part → file name and packed content. The server has nothing yet."""
    packed, parts = {}, {}
    for part, (_, remote) in mnist_files.PARTS.items():
        content = gzip.compress(idx(arrays[part]))
        md5 = f"md5:{hashlib.md5(content).hexdigest()}"
        url = f"{server.address}/{remote.filename}"
        parts[part] = (arrays[part].shape, Remote(remote.filename, (url,), md5, len(content)))
        packed[part] = (remote.filename, content)
    monkeypatch.setattr(mnist_files, "PARTS", parts)
    return packed


def write(folder, tiny, unpack: bool) -> None:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in tiny.values():
        path = raw / (name.removesuffix(".gz") if unpack else name)
        path.write_bytes(gzip.decompress(content) if unpack else content)


def check(loaded: data.ImageData, arrays) -> None:
    assert not loaded.is_standin
    for split, n in (("train", N_TRAIN), ("test", N_TEST)):
        x, y = getattr(loaded, f"x_{split}"), getattr(loaded, f"y_{split}")
        assert x.shape == (n, 1, 28, 28) and x.dtype == torch.uint8 and y.dtype == torch.int64
        assert np.array_equal(x[:, 0].numpy(), arrays[f"x_{split}"])
        assert np.array_equal(y.numpy(), arrays[f"y_{split}"])


@pytest.mark.parametrize("shape", [(7,), (2, 3, 5), (3, 28, 28)])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_gives_back_what_was_written(tmp_path, shape, packed):
    array = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / ("f-ubyte.gz" if packed else "f-ubyte")
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    assert np.array_equal(mnist_files.read_idx(path), array)


WHOLE = idx(np.zeros((4, 3), np.uint8))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not begin like an IDX file"),
        (b"<html>", "does not begin like an IDX file"),
        (idx(np.zeros(3, np.uint8), number=0x0D), "type 0x0d"),
        (WHOLE[:-1], "it has 23 bytes, and its first bytes announce 24"),
        (WHOLE + b"x", "it has 25 bytes, and its first bytes announce 24"),
        (WHOLE[:6], "it has 6 bytes"),
    ],
)
def test_idx_says_what_is_wrong(tmp_path, content, words):
    path = tmp_path / "f-ubyte"
    path.write_bytes(content)
    with pytest.raises(data.DamagedFile, match=f"f-ubyte is damaged.*{words}"):
        mnist_files.read_idx(path)


PACKED = gzip.compress(WHOLE, mtime=0)  # the time would stand in the tests' names, which all workers must agree upon


@pytest.mark.parametrize("content", [PACKED[:-9], b"no gzip", PACKED[:12] + b"xxxx" * 9])
def test_idx_says_when_it_cannot_be_unpacked(tmp_path, content):
    path = tmp_path / "f-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(data.DamagedFile, match="cannot be decompressed"):
        mnist_files.read_idx(path)


@pytest.mark.parametrize("unpack", [True, False])
def test_files_in_the_folder_are_used(tiny, arrays, data_folder, server, unpack):
    write(data_folder, tiny, unpack)
    check(data.mnist("mnist"), arrays)
    assert server.log == []


def test_what_is_missing_is_fetched_and_unpacked(tiny, arrays, data_folder, server):
    write(data_folder, tiny, unpack=True)
    name, content = tiny["x_train"]
    server.put(name, content)
    (data_folder / "MNIST" / "raw" / name.removesuffix(".gz")).unlink()
    check(data.mnist(), arrays)
    check(data.mnist(), arrays)
    assert [asked for asked, _ in server.log] == [name]
    assert (data_folder / "MNIST" / "raw" / name.removesuffix(".gz")).exists()


def test_a_damaged_file_is_kept_aside_and_fetched_anew(tiny, arrays, data_folder, server, capsys):
    write(data_folder, tiny, unpack=True)
    name, content = tiny["y_test"]
    server.put(name, content)
    path = data_folder / "MNIST" / "raw" / name.removesuffix(".gz")
    path.write_bytes(idx(np.full(N_TEST, 11, np.uint8)))
    check(data.mnist(), arrays)
    assert "label 11" in capsys.readouterr().out
    assert path.with_name(f"{path.name}.damaged-1").exists()


def test_wrong_shapes_are_noticed(tiny, data_folder, capsys):
    write(data_folder, tiny, unpack=True)
    path = data_folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(idx(np.zeros((N_TEST, 28, 27), np.uint8)))
    with pytest.raises(data.DataNotFound, match="MNIST/raw"):
        data.mnist("mnist")
    assert "(10, 28, 27)" in capsys.readouterr().out


def test_the_standin_is_announced(tiny, server, capsys):
    standin = data.mnist()
    said = capsys.readouterr()
    assert standin.is_standin and said.err == ""
    assert said.out.count("\n") == 1 and "MNIST is not on this computer" in said.out and "Digits" in said.out


def test_the_standin_is_made_of_digits_in_mnists_format():
    standin = data.mnist("standin")
    assert standin.x_train.shape == (1500, 1, 28, 28) and standin.x_test.shape == (297, 1, 28, 28)
    assert standin.is_standin and "stand-in for MNIST" in repr(standin)
    assert standin.x_train.max() == 255 and standin.x_train[..., :4].max() == 0
    # A digit looks more like the mean of its own class than like the others': upright, and with the right label.
    x, y = standin.x_train.float().flatten(1), standin.y_train
    means = torch.stack([x[y == label].mean(0) for label in range(10)])
    nearest = torch.cdist(standin.x_test.float().flatten(1), means).argmin(1)
    assert (nearest == standin.y_test).float().mean() > 0.85


def test_the_checksums_are_torchvisions():
    from torchvision.datasets import MNIST

    ours = {remote.filename: remote.checksum for _, remote in mnist_files.PARTS.values()}
    assert ours == {name: f"md5:{md5}" for name, md5 in MNIST.resources}


def test_the_real_mnist(real_mnist, monkeypatch):
    monkeypatch.setenv("CNN_COURSE_DATA", str(real_mnist))
    loaded = data.mnist("mnist")
    assert loaded.x_train.shape == (60_000, 1, 28, 28) and loaded.x_test.shape == (10_000, 1, 28, 28)
    assert loaded.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert loaded.x_train.float().mean() / 255 == pytest.approx(0.1307, abs=1e-4)  # the mean everybody normalises with
