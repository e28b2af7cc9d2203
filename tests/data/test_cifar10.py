"""CIFAR-10 from an .npz, the original archive, its batches and a server, with a tiny set in the same layout."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest
import torch

from utils import data
from utils.data import cifar10_files, image_data
from utils.data.cifar10_files import Archive
from utils.data.download import Remote

N = 20  # pictures in a batch
NAMES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")


def python2_pickle(pixels: np.ndarray, labels: list[int]) -> bytes:
    """A batch as the original archive has it: Python 2's pickle, protocol 2, texts as plain bytes, written by hand."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value  # SHORT_BINSTRING, which Python 3 never writes

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    dtype += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) * 2 + number(0) + b"tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85" + text(b"b") + b"\x87R"
    shape = b"".join(number(n) for n in pixels.shape) + b"\x86"
    raw = pixels.tobytes()
    array += b"(" + number(1) + shape + dtype + b"\x89" + b"T" + struct.pack("<i", len(raw)) + raw + b"tb"
    listed = b"](" + b"".join(number(label) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + listed + b"u."


def tar_of(batches: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


class Tiny:
    """A CIFAR-10 of 100 + 20 pictures: its arrays, its batches, its archive, and the record that describes them."""

    def __init__(self, url: str):
        rng = np.random.default_rng(0)
        planes = rng.integers(0, 256, (6, N, 3, 32, 32), dtype=np.uint8)
        self.labels = rng.permuted(np.tile(np.arange(10), (6, N // 10)), axis=1)
        self.pictures = torch.from_numpy(planes)  # (batch, N, C, H, W)
        self.arrays = {
            "x_train": planes[:5].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1),
            "y_train": self.labels[:5].reshape(-1),
            "x_test": planes[5].transpose(0, 2, 3, 1),
            "y_test": self.labels[5],
        }
        self.batches = {
            name: python2_pickle(planes[i].reshape(N, 3072), self.labels[i].tolist()) for i, name in enumerate(NAMES)
        }
        self.tar = tar_of(self.batches)
        self.archive = self.describe(self.batches, self.tar, url)

    @staticmethod
    def describe(batches: dict[str, bytes], tar: bytes, url: str) -> Archive:
        checksum = f"sha256:{hashlib.sha256(tar).hexdigest()}"
        md5 = {name: hashlib.md5(content).hexdigest() for name, content in batches.items()}
        return Archive(Remote("cifar-10-python.tar.gz", (url,), checksum, len(tar)), md5, N)

    def check(self, loaded: data.ImageData) -> None:
        assert not loaded.is_standin and loaded.name == "CIFAR-10"
        assert torch.equal(loaded.x_train, self.pictures[:5].flatten(0, 1))
        assert torch.equal(loaded.x_test, self.pictures[5])
        assert loaded.y_train.tolist() == self.labels[:5].reshape(-1).tolist()
        assert loaded.y_test.tolist() == self.labels[5].tolist()


@pytest.fixture
def tiny(server, monkeypatch) -> Tiny:
    """The tiny set in place of the real one; the server has nothing yet."""
    tiny = Tiny(f"{server.address}/cifar-10-python.tar.gz")
    monkeypatch.setattr(cifar10_files, "ARCHIVE", tiny.archive)
    return tiny


@pytest.fixture
def small_standin(monkeypatch):
    x, y = torch.zeros(20, 3, 32, 32, dtype=torch.uint8), torch.arange(20) % 10
    small = image_data.ImageData("Small (stand-in)", data.SHAPES, x, y, x, y, True, "drawn for a test")
    monkeypatch.setattr(cifar10_files, "standin", lambda: small)


def test_the_npz_is_used_where_it_is(tiny, data_folder, server):
    np.savez(data_folder / "cifar10.npz", **tiny.arrays)
    tiny.check(data.cifar10())
    assert server.log == []


def test_labels_of_another_integer_type_are_welcome(tiny, data_folder):
    small = {"y_train": tiny.arrays["y_train"].astype(np.uint8), "y_test": tiny.arrays["y_test"].astype(np.int32)}
    np.savez_compressed(data_folder / "cifar10.npz", **tiny.arrays | small)
    tiny.check(data.cifar10("cifar10"))


def test_the_archive_is_decoded_into_the_npz_once(tiny, data_folder, server):
    (data_folder / "cifar-10-python.tar.gz").write_bytes(tiny.tar)
    tiny.check(data.cifar10("cifar10"))
    (data_folder / "cifar-10-python.tar.gz").unlink()
    tiny.check(data.cifar10("cifar10"))
    assert server.log == []


def test_unpacked_batches_are_decoded_into_the_npz(tiny, data_folder):
    (data_folder / "cifar-10-batches-py").mkdir()
    for name, content in tiny.batches.items():
        (data_folder / "cifar-10-batches-py" / name).write_bytes(content)
    tiny.check(data.cifar10("cifar10"))
    assert (data_folder / "cifar10.npz").exists()


def test_a_folder_that_may_only_be_read_still_serves(tiny, data_folder, monkeypatch):
    (data_folder / "cifar-10-python.tar.gz").write_bytes(tiny.tar)

    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr(cifar10_files, "save_npz", refuse)
    tiny.check(data.cifar10("cifar10"))


def test_it_is_downloaded_where_it_is_missing(tiny, data_folder, server):
    server.put("cifar-10-python.tar.gz", tiny.tar)
    tiny.check(data.cifar10())
    tiny.check(data.cifar10())
    assert len(server.log) == 1
    assert (data_folder / "cifar10.npz").exists()


def test_a_cut_download_goes_on_the_next_time(tiny, data_folder, server, small_standin, capsys):
    server.put("cifar-10-python.tar.gz", tiny.tar, cut_after=1000, ranges=False)
    assert data.cifar10().is_standin
    assert "no server delivered cifar-10-python.tar.gz" in capsys.readouterr().out
    server.put("cifar-10-python.tar.gz", tiny.tar)
    tiny.check(data.cifar10("cifar10"))
    assert server.log[-1][1] == "bytes=1000-"


def test_the_standin_is_announced_and_the_download_not_tried_on_every_call(tiny, server, small_standin, capsys):
    for _ in range(3):
        assert data.cifar10().is_standin
        said = capsys.readouterr()
        assert said.err == ""
        assert said.out.count("\n") == 1 and "CIFAR-10 is not on this computer" in said.out
        assert "no server delivered" in said.out and "stand-in" in said.out and "make data" in said.out
    assert len(server.log) == 1


def test_offline_asks_no_server(tiny, server, small_standin, monkeypatch, capsys):
    monkeypatch.setenv("CNN_COURSE_OFFLINE", "1")
    assert data.cifar10().is_standin
    assert "CNN_COURSE_OFFLINE" in capsys.readouterr().out
    with pytest.raises(data.DataNotFound, match="CNN_COURSE_OFFLINE"):
        data.cifar10("cifar10")
    assert server.log == []
    monkeypatch.setenv("CNN_COURSE_OFFLINE", "0")
    server.put("cifar-10-python.tar.gz", tiny.tar)
    tiny.check(data.cifar10("cifar10"))


def test_asked_for_the_real_set_it_refuses_the_standin_and_says_what_helps(tiny, data_folder, server):
    with pytest.raises(data.DataNotFound) as error:
        data.cifar10("cifar10")
    for words in ("answered 404", "make data", "CNN_COURSE_DATA", str(data_folder), "cifar10.npz", "standin"):
        assert words in str(error.value)
    server.put("cifar-10-python.tar.gz", tiny.tar)
    tiny.check(data.cifar10("cifar10"))  # asked for by name, it is tried again


def test_the_standin_by_name_needs_neither_network_nor_words(tiny, server, small_standin, capsys):
    assert data.cifar10("standin").is_standin
    assert capsys.readouterr().out == "" and server.log == []


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match='"auto", "cifar10" or "standin"; you gave \'CIFAR\''):
        data.cifar10("CIFAR")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x_train": np.zeros((99, 32, 32, 3), np.uint8)}, r"x_train has the shape \(99, 32, 32, 3\)"),
        ({"x_test": np.zeros((20, 3, 32, 32), np.uint8)}, r"\(20, 32, 32, 3\) was expected"),
        ({"x_test": np.zeros((20, 32, 32, 3), np.float32)}, "x_test holds float32, and uint8 was expected"),
        ({"y_train": np.full(100, 10)}, "y_train must hold whole numbers from 0 to 9"),
        ({"y_test": np.full(20, -1)}, "y_test must hold whole numbers from 0 to 9"),
        ({"y_test": np.zeros(20)}, "y_test must hold whole numbers from 0 to 9"),
        ({"y_test": np.array([{}] * 20)}, "cannot be read"),  # objects: only a pickle could hold them
    ],
)
def test_a_wrong_npz_is_kept_aside_and_replaced(tiny, data_folder, server, capsys, change, words):
    import re

    np.savez(data_folder / "cifar10.npz", **tiny.arrays | change)
    before = (data_folder / "cifar10.npz").read_bytes()
    server.put("cifar-10-python.tar.gz", tiny.tar)
    tiny.check(data.cifar10())
    said = capsys.readouterr().out
    assert "cifar10.npz is damaged" in said and re.search(words, said)
    assert "cifar10.npz.damaged-1" in said
    assert (data_folder / "cifar10.npz.damaged-1").read_bytes() == before


@pytest.mark.parametrize("damage", ["half", "empty", "text", "one bit", "an array missing", "a lone array"])
def test_a_damaged_npz_is_kept_aside(tiny, data_folder, small_standin, capsys, damage):
    path = data_folder / "cifar10.npz"
    np.savez(path, **tiny.arrays)
    content = bytearray(path.read_bytes())
    if damage == "an array missing":
        np.savez(path, x_train=tiny.arrays["x_train"])
    elif damage == "a lone array":
        with path.open("wb") as file:
            np.save(file, tiny.arrays["y_train"])
    else:
        content[5000] ^= 1
        new = {"half": content[: len(content) // 2], "empty": b"", "text": b"hello", "one bit": content}
        path.write_bytes(new[damage])
    assert data.cifar10().is_standin
    assert "cifar10.npz is damaged" in capsys.readouterr().out
    assert sorted(p.name for p in data_folder.glob("*.npz*")) == ["cifar10.npz.damaged-1"]
    path.write_bytes(b"damaged again")
    data.cifar10()
    assert sorted(p.name for p in data_folder.glob("*.npz*")) == ["cifar10.npz.damaged-1", "cifar10.npz.damaged-2"]


def test_an_archive_with_another_checksum_is_never_opened(tiny, data_folder, small_standin, capsys):
    (data_folder / "cifar-10-python.tar.gz").write_bytes(tiny.tar[:-1])
    assert data.cifar10().is_standin
    assert "cifar-10-python.tar.gz is damaged: it has not the published checksum" in capsys.readouterr().out
    assert (data_folder / "cifar-10-python.tar.gz.damaged-1").read_bytes() == tiny.tar[:-1]


def test_a_changed_batch_is_never_opened(tiny, data_folder, small_standin, capsys):
    (data_folder / "cifar-10-batches-py").mkdir()
    for name, content in tiny.batches.items():
        (data_folder / "cifar-10-batches-py" / name).write_bytes(content)
    (data_folder / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"changed")
    assert data.cifar10().is_standin
    assert "data_batch_3 is damaged" in capsys.readouterr().out


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "batch",
    [
        lambda path: pickle.dumps({b"data": Evil(path), b"labels": []}),
        lambda path: pickle.dumps({b"data": np.zeros((3, 3072), np.uint8), b"labels": [0]}, protocol=3),
        lambda path: pickle.dumps([1, 2]),
        lambda path: b"no pickle",
    ],
    ids=["code", "counts differ", "a list", "no pickle"],
)
def test_a_pickle_runs_no_code_even_under_the_right_checksum(tiny, data_folder, monkeypatch, tmp_path, capsys, batch):
    batches = tiny.batches | {"data_batch_2": batch(tmp_path / "evil")}
    tar = tar_of(batches)
    monkeypatch.setattr(cifar10_files, "ARCHIVE", tiny.describe(batches, tar, tiny.archive.remote.urls[0]))
    (data_folder / "cifar-10-python.tar.gz").write_bytes(tar)
    with pytest.raises(data.DataNotFound):
        data.cifar10("cifar10")
    assert "a batch in it cannot be read" in capsys.readouterr().out
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("classes", [np.arange(10), np.array([2, 0, 9, 4, 1, 7, 8, 3, 5, 6])], ids=["0 to 9", "any"])
def test_a_copy_in_class_order_is_shuffled_always_alike(tiny, data_folder, classes):
    arrays = dict(tiny.arrays)
    for split in ("train", "test"):
        order = np.argsort(classes[arrays[f"y_{split}"]], kind="stable")
        arrays |= {f"x_{split}": arrays[f"x_{split}"][order], f"y_{split}": arrays[f"y_{split}"][order]}
    np.savez(data_folder / "cifar10.npz", **arrays)
    first, second = data.cifar10(), data.cifar10()
    assert torch.equal(first.x_train, second.x_train) and torch.equal(first.y_train, second.y_train)
    assert first.y_train[:20].unique().numel() > 4 and "shuffled" in first.origin
    # Every picture still has its own label.
    original = {picture.tobytes(): label for picture, label in zip(arrays["x_train"], arrays["y_train"], strict=True)}
    for picture, label in zip(first.x_train.permute(0, 2, 3, 1), first.y_train, strict=True):
        assert original[picture.contiguous().numpy().tobytes()] == label


def test_the_records_are_torchvisions():
    from torchvision.datasets import CIFAR10

    batches = dict(CIFAR10.train_list + CIFAR10.test_list)
    assert cifar10_files.ARCHIVE.md5 == batches
    assert cifar10_files.ARCHIVE.remote.urls[0] == CIFAR10.url
    assert cifar10_files.ARCHIVE.remote.filename == CIFAR10.filename
    assert cifar10_files.ARCHIVE.shapes()["x_train"] == (50_000, 32, 32, 3)


def test_the_real_standin():
    standin = data.cifar10("standin")
    assert standin.is_standin and "stand-in for CIFAR-10" in repr(standin)
    assert standin.x_train.shape == (10_000, 3, 32, 32) and standin.x_test.shape == (2_000, 3, 32, 32)
    assert torch.bincount(standin.y_train).tolist() == [1000] * 10
    assert torch.bincount(standin.y_test).tolist() == [200] * 10
    # The test pictures are drawn anew: nothing of the training pictures comes back, not even a background.
    colours = [x[:2000].float().mean((1, 2, 3)) for x in (standin.x_train, standin.x_test)]
    assert torch.corrcoef(torch.stack(colours))[0, 1].abs() < 0.1
