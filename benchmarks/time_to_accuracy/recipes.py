"""Ways to train on CIFAR-10, each a named set of choices: for `training.fit`, and readable as a row of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, device, models, training
from utils.data.growing import Grow
from utils.training.muon import Muon


@dataclass(frozen=True)
class Recipe:
    """Network, optimiser, augmentation, length. `changed(…)` gives a recipe that differs in some of it."""

    name: str
    epochs: int
    network: str = "FastCNN"  # or "MirroredCNN"
    widths: tuple[int, ...] = (32, 64, 128)
    convolutions: tuple[int, ...] = (1, 2, 3)
    batch_size: int = 250
    lr: float = 0.08  # of the kernels
    bias_lr: float = 1.0
    classifier_lr: float = 0.04
    warmup: float = 0.0  # fraction of the training in which the learning rate rises
    smoothing: float = 0.2  # of the labels
    crop: int = 1  # pixels that pictures are moved by
    cutout: int = 0  # side of a grey square, in pixels
    stages: tuple[tuple[float, int], ...] = ()  # (until that fraction, that picture size)
    whitening: bool = True  # or the first layer is random; it does not learn
    dirac: bool = True
    flip: bool = True
    optimizer: str = "Muon"  # or a name in torch.optim, for everything that learns
    activation: str = "GELU"
    precision: str = "auto"
    skip_easy: tuple[float, ...] = ()  # shares of the pictures that the second epoch leaves out, the third …
    freeze: float = 1.0  # fraction of the training after which the first learned layer stays as it is

    def changed(self, name: str, **choices) -> Recipe:
        return replace(self, name=name, **choices)

    def model(self, cifar: data.ImageData) -> nn.Module:
        net = getattr(models, self.network)(
            cifar.x_train,
            len(cifar.classes),
            widths=self.widths,
            convolutions=self.convolutions,
            standardise=models.Standardise.of(cifar.x_train),
        )
        if not self.whitening:
            first = net.whiten.weight.chunk(2)[0]  # the other half: the same with a minus sign
            sign = (first * first.flip(3)).sum((1, 2, 3), keepdim=True).sign()  # 1: even, -1: odd, and so stay
            drawn = torch.randn_like(first)
            drawn += sign * drawn.flip(3)
            net.whiten.weight.copy_(torch.cat([drawn, -drawn]))
        for part in net.features:
            for i, layer in enumerate(part):
                if isinstance(layer, nn.Conv2d) and not self.dirac:
                    layer.reset_parameters()
                if isinstance(layer, nn.GELU):
                    part[i] = getattr(nn, self.activation)()
        return net

    def made_optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        if self.optimizer == "Muon":
            return Muon(net, lr=self.lr, bias_lr=self.bias_lr, classifier_lr=self.classifier_lr)
        return getattr(torch.optim, self.optimizer)([p for p in net.parameters() if p.requires_grad], lr=self.lr)

    def augment(self) -> list[Callable]:
        steps = [
            self.flip and data.Flip(),
            self.crop and data.Crop(self.crop, mode="reflect"),
            self.cutout and data.Cutout(self.cutout),
            self.stages and Grow(self.stages),
        ]
        return [step for step in steps if step]

    def steps(self, cifar: data.ImageData) -> int:
        """The number of steps of the whole training."""
        batches = data.Batches(cifar.x_train, cifar.y_train, self.batch_size, skip_easy=self.skip_easy)
        return sum(batches.steps(epoch) for epoch in range(self.epochs))

    def phases(self, full: int) -> dict[tuple[int, bool], float]:
        """(picture size, whether the first layer is frozen) → share of the training's steps; `full`: the last size."""
        found: dict[tuple[int, bool], float] = {}
        begin = 0.0
        for end in sorted({*(until for until, _ in self.stages), self.freeze, 1.0}):
            size = next((size for until, size in self.stages if begin < until), full)
            found[size, begin >= self.freeze] = end - begin
            begin = end
        return found

    def train(self, cifar: data.ImageData, seed: int = 0, **options) -> tuple[nn.Module, training.History]:
        """The trained network, and how it went."""
        device.seed_everything(seed)
        net = self.model(cifar)
        history = training.fit(
            net,
            cifar,
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer=self.made_optimizer(net),
            schedule=training.triangle(peak=self.warmup),
            augment=self.augment(),
            skip_easy=self.skip_easy,
            freeze={"features.0": self.freeze} if self.freeze < 1 else None,
            loss=partial(F.cross_entropy, label_smoothing=self.smoothing),
            precision=self.precision,
            seed=seed,
            keep="last",
            **options,
        )
        return net, history


FAST = Recipe(
    "fast", epochs=5, network="MirroredCNN", flip=False, lr=0.11, stages=((0.4, 24),), skip_easy=(0.2, 0.3, 0.4)
)  # fmt: skip

# The longer ones have plain kernels and look at every picture: mirrored ones were no better (see benchmarks/README.md).
PLAIN = Recipe("plain", epochs=3, stages=((0.33, 24),))

WIDE = PLAIN.changed("wide", widths=(64, 256, 256), convolutions=(2, 2, 2), crop=2, stages=((0.4, 24),))

# Named by what they are meant to reach, in percent; what they do reach is what the benchmark measures.
LADDER = {
    recipe.name: recipe
    for recipe in (
        FAST.changed("80", epochs=2),
        FAST.changed("84", skip_easy=(0.3, 0.4, 0.5)),  # what the tutorial's recipe reaches
        FAST.changed("85", epochs=6),
        PLAIN.changed("88", epochs=6, widths=(64, 128, 256), crop=2, stages=((0.4, 24),)),
        WIDE.changed("90", epochs=7),
        WIDE.changed("20 minutes", epochs=12, stages=((0.45, 24),)),
    )
}

ABLATION = [
    FAST.changed("kernels not in pairs", network="FastCNN", flip=True),
    FAST.changed("all pictures every time", epochs=4, skip_easy=()),  # 800 steps in place of 740
    FAST.changed("first block learns for 40 % only", freeze=0.4),
    FAST.changed("random kernels at the beginning", dirac=False),
    FAST.changed("random first layer", whitening=False),
    FAST.changed("Adam, lr 2e-3", optimizer="Adam", lr=2e-3, warmup=0.1),
    FAST.changed("ReLU", activation="ReLU"),
    FAST.changed("no label smoothing", smoothing=0.0),
    FAST.changed("32×32 pixels from the beginning", stages=()),
    FAST.changed("no moving", crop=0),
    FAST.changed("batches of 500", batch_size=500),
    FAST.changed("float32", precision="float32"),
]
