"""What a learner may have written: cells, a notebook of them, and easy pictures to train with."""

import json

import torch

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
