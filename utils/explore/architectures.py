"""The explorers of chapter 07: gradients by depth, and what an Inception block costs."""

from __future__ import annotations

from functools import lru_cache, partial

import torch

from utils import models, show
from utils.explore.explorer import Explorer
from utils.explore.layers import slider
from utils.show import Picture

SEEDS = range(3)
CHANNELS, SIZE = 192, 28  # what GoogLeNet's first Inception block is given
RECEIVED = {"n1": 64, "n3_reduce": 96, "n3": 128, "n5_reduce": 16, "n5": 32, "pool": 32}


def gradients(start: int = 20) -> Explorer:
    """Gradient norms layer by layer in networks that have learned nothing: depth, shortcuts, batch norm."""
    import ipywidgets

    depth = ipywidgets.IntSlider(start, 8, 56, 12, description="depth", continuous_update=False)
    boxes = {
        name: ipywidgets.Checkbox(value, description=words, indent=False)
        for name, words, value in (("shortcuts", "compare with shortcuts", True), ("batch_norm", "batch norm", True))
    }
    return Explorer(draw_gradients, {"depth": depth, **boxes}, columns=3)


@lru_cache(maxsize=64)
def draw_gradients(depth: int, shortcuts: bool, batch_norm: bool) -> Picture:
    """The plain network of this depth and, if wanted, the residual one, each with three seeds, on random pictures."""
    blocks = {"plain": models.plain} | ({"residual": models.residual} if shortcuts else {})
    x = torch.rand(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    found = {}
    for name, block in blocks.items():
        found[name] = []
        for seed in SEEDS:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                net = models.deep(depth, partial(block, batch_norm=batch_norm))
            found[name].append(models.gradient_norms(net, x, torch.arange(32) % 10))
    return show.by_layer(found, f"{depth} layers, {'with' if batch_norm else 'without'} batch norm, before training")


def inception() -> Explorer:
    """Filters and reductions of an Inception block on 192 channels of 28×28: what each convolution costs."""
    named = {
        "n1": "1×1",
        "n3_reduce": "before 3×3",
        "n3": "3×3",
        "n5_reduce": "before 5×5",
        "n5": "5×5",
        "pool": "pool",
    }
    most = {"n1": 256, "n3_reduce": 192, "n3": 256, "n5_reduce": 192, "n5": 128, "pool": 128}
    controls = {name: slider(words, RECEIVED[name], 4, most[name]) for name, words in named.items()}
    return Explorer(draw_inception, controls, columns=3)


def draw_inception(n1: int, n3_reduce: int, n3: int, n5_reduce: int, n5: int, pool: int) -> Picture:
    """Parameters and multiply-adds of every convolution, and of the same block without reductions."""
    ways = {  # branch → (words, in, out, kernel_size)
        "1×1": [("1×1", CHANNELS, n1, 1)],
        "3×3": [("reduce 1×1", CHANNELS, n3_reduce, 1), ("3×3", n3_reduce, n3, 3)],
        "5×5": [("reduce 1×1", CHANNELS, n5_reduce, 1), ("5×5", n5_reduce, n5, 5)],
        "pool": [("3×3 max pooling, 1×1", CHANNELS, pool, 1)],
    }
    naive = [("", CHANNELS, n1, 1), ("", CHANNELS, n3, 3), ("", CHANNELS, n5, 5), ("", CHANNELS, pool, 1)]
    parts = {name: [cost(*layer) for layer in layers] for name, layers in ways.items()}
    total, without = (
        (sum(p for _, p, _ in layers), sum(m for _, _, m in layers))
        for layers in ([layer for each in parts.values() for layer in each], [cost(*layer) for layer in naive])
    )
    return show.branches(parts, total, without, n1 + n3 + n5 + pool)


def cost(words: str, inputs: int, outputs: int, kernel_size: int) -> tuple[str, int, int]:
    """A convolution in words, its parameters and its multiply-adds, as torch counts them."""
    with torch.device("meta"):
        layer = torch.nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2)
    counted = models.multiply_adds(layer, (inputs, SIZE, SIZE))
    return f"{words}, {inputs} → {outputs}", models.count(layer), counted
