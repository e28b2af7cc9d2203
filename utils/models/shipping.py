"""Trained networks that come with the course, so that a chapter can start where another one ends.

    net, about = models.shipped("cifar10")
    about["test_accuracy"], about["command"]

Each is utils/models/weights/NAME.safetensors, with half-precision numbers to be small, and NAME.json: which network it
is, the pictures and the command that made it, seed, date, machine and the accuracies that were measured.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).parent / "weights"


def shipped(name: str) -> tuple[nn.Module, dict]:
    """A trained network, in eval mode on the CPU, and what is known about it.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists those there are.
    """
    from utils import models
    from utils.training import load_weights

    file = FOLDER / f"{name}.json"
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json"))) or "none"
        raise ValueError(f"no trained network is called {name!r}; there are: {known}.")
    about = json.loads(file.read_text(encoding="utf-8"))
    net = getattr(models, about["network"])(**about["arguments"])
    load_weights(net, FOLDER / name)
    return net.eval(), about


def ship(name: str, net: nn.Module, arguments: dict, **about) -> Path:
    """Write a trained network into the course, in half precision: measure its accuracies after `rounded`."""
    from utils.training import weights

    FOLDER.mkdir(exist_ok=True)
    tensors, words = weights.files_of(FOLDER / name)
    halves = {key: t.half() if t.dtype == torch.float32 else t for key, t in net.state_dict().items()}
    weights.write_tensors(tensors, halves)
    weights.write_json(words, {"network": type(net).__name__, "arguments": arguments} | about)
    return tensors


def rounded(net: nn.Module) -> nn.Module:
    """A copy whose numbers are those that half precision keeps: about three decimal digits."""
    net = copy.deepcopy(net).eval()
    for part in (*net.parameters(), *net.buffers()):
        if part.dtype == torch.float32:
            part.data = part.data.half().float()
    return net
