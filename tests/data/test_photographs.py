"""Photographs: those that need no network, in the promised format."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from utils import data

# Every way to the network is closed, and the folder for downloads is a new one: only bundled files can be read.
NO_NETWORK = """
import socket, sys
def closed(*_, **__): raise AssertionError("a photograph asked for the network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = closed
sys.modules["pooch"] = None
from utils import data
for name in data.photos():
    image = data.photo(name)
    assert image.ndim == 3 and image.shape[0] == 3, name
    assert 0 <= image.min() and image.max() <= 1 and image.std() > 0.02, name
print(len(data.photos()))
"""


def test_every_photograph_is_there_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("SKIMAGE_DATADIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", NO_NETWORK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(data.photos()) >= 10
    assert not list(tmp_path.rglob("*.png"))


def test_colour_and_grey():
    colour, grey = data.photo("astronaut"), data.photo("astronaut", gray=True)
    assert colour.shape == (3, 512, 512) and grey.shape == (512, 512)
    assert colour.dtype == grey.dtype == torch.float32
    assert torch.allclose(grey, 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2], atol=1e-6)
    assert grey.is_contiguous() and colour.is_contiguous()


def test_channels_are_red_green_blue():
    wall = data.photo("rocket")  # a launch at dawn: the sky is blue
    sky = wall[:, :50].mean((1, 2))
    assert sky[2] > sky[0]


def test_a_grey_photograph_has_three_equal_channels_of_its_own():
    camera = data.photo("camera")
    assert torch.equal(camera[0], camera[1]) and torch.equal(camera[0], camera[2])
    camera[0] = 0
    assert camera[1].max() > 0
    assert torch.allclose(data.photo("camera", gray=True), data.photo("camera")[0], atol=1e-6)


@pytest.mark.parametrize(
    ("size", "shape"), [(None, (400, 600)), (256, (171, 256)), ((64, 32), (64, 32)), (900, (600, 900))]
)
def test_sizes(size, shape):
    assert data.photo("coffee", size=size).shape == (3, *shape)
    assert data.photo("coffee", size=size, gray=True).shape == shape


def test_shrinking_keeps_the_brightness():
    large, small = data.photo("gravel", gray=True), data.photo("gravel", size=32, gray=True)
    assert small.mean().item() == pytest.approx(large.mean().item(), abs=0.01)
    means = torch.nn.functional.avg_pool2d(large[None], 16)[0]  # 512 → 32: averaged, not picked
    assert (small - means).abs().mean() < 0.03


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no photograph 'dog'.*astronaut.*coins"):
        data.photo("dog")


@pytest.mark.parametrize("size", [0, -3, (0, 5), (1, 2, 3)])
def test_impossible_sizes_are_explained(size):
    with pytest.raises(ValueError, match="size is the longer side"):
        data.photo("coins", size=size)
