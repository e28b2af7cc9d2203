"""An assignment in an empty folder: a few easy pictures, networks of a moment, and a notebook's names."""

import json
from types import SimpleNamespace

import pytest
import torch

from utils import data
from utils.assignment import items, notebook, pictures

SETUP = "# Set-up: run this cell first, and again after every restart.\nimport torch\nfrom torch import nn\n"
HELPERS = """\
def pooled(size):
    return nn.Sequential(nn.AdaptiveAvgPool2d(size), nn.Flatten())
"""
BASELINE = """\
class Baseline(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.BatchNorm2d(3), pooled(2), nn.Linear(12, 10))

    def forward(self, x):
        return self.layers(x)
"""
PROPOSED = """\
class Wren(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.ReLU(), pooled(4), nn.Linear(128, 10))

    def forward(self, x):
        return self.layers(x)

proposed = Wren
"""
SPEC = "spec = assignment.Spec(epochs=2, batch_size=50, optimizer='Adam', lr=1e-2)"


def easy(n, seed):
    """Ten classes that differ in brightness, quarter by quarter and colour by colour."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 10
    x = torch.rand(n, 3, 32, 32, generator=generator) * 0.5
    for i, label in enumerate(y.tolist()):
        top, left = 16 * (label // 2 % 2), 16 * (label % 2)
        x[i, label % 3, top : top + 16, left : left + 16] += 0.5
    return (255 * x).clamp(0, 255).to(torch.uint8), y


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty folder to work in, with small data that pass for CIFAR-10; `.names` are the notebook's."""
    (x, y), (x_test, y_test) = easy(400, 0), easy(200, 1)
    made = data.ImageData("CIFAR-10", tuple("abcdefghij"), x, y, x_test, y_test, False, "made").split(100)
    names = {"__name__": "__main__"}
    monkeypatch.setenv("CNN_COURSE_FAST", "0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pictures, "_parts", lambda quick: made)
    monkeypatch.setattr(notebook, "names", lambda: names)
    pictures._checksum.cache_clear()
    items._seen.clear()
    yield SimpleNamespace(folder=tmp_path, names=names, data=made)
    pictures._checksum.cache_clear()


@pytest.fixture
def written(work):
    """The same, with a spec and both classes written."""
    write(work.names, SETUP, "from utils import assignment", HELPERS, BASELINE, PROPOSED, SPEC)
    return work


@pytest.fixture
def trained(written):
    """The same, with both classes trained."""
    from utils import assignment

    for network in (written.names["Baseline"], written.names["proposed"]):
        assignment.train(network, written.names["spec"], seeds=(0, 1))
    return written


@pytest.fixture
def opened(trained):
    """The same, with the test part opened."""
    from utils import assignment

    assignment.open_test()
    return trained


def write(names, *cells):
    """Run cells as a notebook would."""
    for cell in cells:
        exec(compile(cell, "<cell>", "exec"), names)


def code(name, source, *tags):
    return {
        "cell_type": "code", "id": name, "metadata": {"tags": list(tags)}, "source": source, "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "seen"}],
    }  # fmt: skip


def saved(folder, *cells, name="assignment_cifar10.ipynb"):
    """A notebook on disk, its setup cell first."""
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code("setup", SETUP), *cells]}
    (folder / name).write_text(json.dumps(content))


DEFINED = (
    code("helpers", HELPERS, "definition"),
    code("baseline", BASELINE, "definition", "raises-exception"),
    code("proposed", PROPOSED, "definition"),
)
