"""The small trainings of chapter 06: pictures of 16×16 pixels, a network with 90,000 weights, some seconds each.

    from utils import data, trials
    pictures = trials.small(data.cifar10())
    run = trials.run(trials.REGULARISERS["dropout"], pictures, seed=0)    # one cell of the chapter's table, again
    run.history, run.scores["test_accuracy"]

The tables of chapter 06 are these trials, each with several seeds: benchmarks/training_well records them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from utils import evaluation, models, training
from utils.data import augment as a
from utils.data.image_data import ImageData, stratified

OPTIMISERS: dict[str, Callable] = {
    "SGD": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "Nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "AdaGrad": torch.optim.Adagrad,
    "AdaDelta": torch.optim.Adadelta,
    "RMSprop": torch.optim.RMSprop,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
}


def steps_down(done: float) -> float:
    """A tenth of the learning rate after half of the training, a hundredth after three quarters."""
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


SCHEDULES = {
    "constant": training.constant,
    "steps": steps_down,
    "cosine": training.cosine(),
    "warm-up, then down": training.triangle(peak=0.2),
}


@dataclass(frozen=True)
class Trial:
    """What is done in one small training.

    Attributes
    ----------
    pictures : how many training pictures, every class its share
    l1, l2 : factors of the sum of absolute and of squared weights in the loss, biases left out
    weight_decay : the optimiser's own: each step shrinks the weights (AdamW), or adds to the gradient (the others)
    dropout : share of the numbers dropped before the last layer
    patience : stop after so many epochs without a better validation accuracy, and go back to the best; None: never
    augment : of `utils.data`
    channels : of the three convolutions
    """

    pictures: int = 1000
    epochs: int = 30
    batch_size: int = 50
    optimizer: str = "Adam"
    lr: float = 2e-3
    schedule: str = "constant"
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    dropout: float = 0.0
    batch_norm: bool = False
    patience: int | None = None
    augment: tuple = ()
    channels: tuple[int, ...] = (16, 32, 64)

    def changed(self, **settings) -> Trial:
        """The same with other settings."""
        return replace(self, **settings)

    def network(self, in_shape: tuple[int, int, int], classes: int = 10) -> nn.Sequential:
        """A new network, with random weights of torch's present seed."""
        norm = "before" if self.batch_norm else None
        return models.pattern(
            in_shape, classes, channels=self.channels, dense=[64], dropout=self.dropout, batch_norm=norm
        )


@dataclass(frozen=True)
class Run:
    """What came of a trial: the trained network, its history, and accuracy and loss on each part of the pictures."""

    net: nn.Module
    history: training.History
    scores: dict[str, float] = field(default_factory=dict)


def small(pictures: ImageData, size: int = 16, n_train: int = 8000, n_val: int = 1000) -> ImageData:
    """A smaller set, of smaller pictures: each pixel is the mean of those it covers.

    Parameters
    ----------
    pictures : ImageData, not split yet; one that has fewer pictures gives as many as it has, in these proportions
    size : height and width; those of the pictures are a multiple of it
    """
    side = pictures.x_train.shape[-1]
    if side % size:
        raise ValueError(f"size={size} does not divide {side}: each new pixel is the mean of whole old ones.")
    n_train = min(n_train, len(pictures.y_train) * 7 // 8)
    parts = pictures.subset(n_train=n_train + min(n_val, n_train // 7)).split(min(n_val, n_train // 7))
    shrunk = {f"x_{part}": shrink(getattr(parts, f"x_{part}"), side // size) for part in ("train", "val", "test")}
    return replace(parts, origin=f"{parts.origin}; shrunk to {size}×{size} pixels", **shrunk)


def shrink(x: torch.Tensor, factor: int) -> torch.Tensor:
    """uint8 (N, C, H, W) → uint8 (N, C, H/factor, W/factor), by means."""
    parts = [F.avg_pool2d(part.float(), factor).round().byte() for part in x.split(1000)]
    return torch.cat(parts)


def run(trial: Trial, pictures: ImageData, seed: int = 0, *, chosen: int | None = None, test: bool = True) -> Run:
    """Train, and measure on all parts; pictures, start and order depend on `seed` alone.

    Parameters
    ----------
    pictures : ImageData with a validation part, as `small` makes it
    chosen : which training pictures are drawn, if not by `seed`
    test : whether the test pictures are looked at

    Raises
    ------
    TrainingError : if the training diverges
    """
    some, _ = stratified(
        pictures.y_train, min(trial.pictures, len(pictures.y_train)), seed if chosen is None else chosen
    )
    train = pictures.x_train[some], pictures.y_train[some]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = trial.network(tuple(train[0].shape[1:]), len(pictures.classes))
    history = training.fit(
        net,
        train,
        (pictures.x_val, pictures.y_val),
        epochs=trial.epochs,
        batch_size=trial.batch_size,
        lr=trial.lr,
        optimizer=partial(OPTIMISERS[trial.optimizer], weight_decay=trial.weight_decay),
        schedule=SCHEDULES[trial.schedule],
        augment=list(trial.augment),
        loss=penalised(net, trial.l1, trial.l2),
        patience=trial.patience,
        keep="last" if trial.patience is None else "best",
        seed=seed,
        device="cpu",  # the same numbers everywhere, and nothing this small is faster on a GPU
        precision="float32",
        progress=False,
    )
    parts = {"train": train, "val": (pictures.x_val, pictures.y_val)}
    parts |= {"test": (pictures.x_test, pictures.y_test)} if test else {}
    return Run(net, history, scores(net, parts))


def penalised(net: nn.Module, l1: float, l2: float) -> Callable:
    """Cross-entropy, and what large weights cost."""
    weights = [p for p in net.parameters() if p.ndim > 1]

    def loss(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        value = F.cross_entropy(logits, y)
        if l1:
            value = value + l1 * sum(w.abs().sum() for w in weights)
        if l2:
            value = value + l2 * sum(w.square().sum() for w in weights)
        return value

    return loss


def scores(net: nn.Module, parts: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> dict[str, float]:
    """Accuracy and mean cross-entropy on each part, unaugmented, dropout off."""
    found = {}
    for part, (x, y) in parts.items():
        logits = evaluation.logits(net, x)
        found[f"{part}_accuracy"] = evaluation.accuracy(logits, y)
        found[f"{part}_loss"] = evaluation.loss(logits, y)
    return found


# --- the tables of chapter 06 -----------------------------------------------------------------------------------------

PLAIN = Trial()
MOVED = (a.Flip(), a.Crop(2))
# How strong each is, was chosen on validation pictures, with a seed that no table uses: `strengths` in the benchmark.
PARTS: dict[str, dict] = {
    "L1": {"l1": 1e-4},
    "L2": {"l2": 3e-3},
    "weight decay": {"optimizer": "AdamW", "weight_decay": 0.3},
    "dropout": {"dropout": 0.5},
    "batch norm": {"batch_norm": True},
    "augmentation": {"augment": MOVED},
    "early stopping": {"patience": 5},
    "more data": {"pictures": 4000, "epochs": PLAIN.epochs // 4},  # 560 steps; with 1,000 pictures there are 600
}
TOGETHER = ("weight decay", "dropout", "batch norm", "augmentation", "more data")


def together(*names: str) -> Trial:
    """The plain trial with several regularisers at once."""
    return PLAIN.changed(**{key: value for name in names for key, value in PARTS[name].items()})


REGULARISERS: dict[str, Trial] = {
    "none": PLAIN,
    **{name: together(name) for name in PARTS},
    "all five": together(*TOGETHER),
    **{f"all but {left}": together(*(name for name in TOGETHER if name != left)) for left in TOGETHER},
    "none, 4 times as long": PLAIN.changed(epochs=4 * PLAIN.epochs),
    "all five, 4 times as long": together(*TOGETHER).changed(epochs=PLAIN.epochs),
}

AUGMENTATIONS: dict[str, Trial] = {
    name: PLAIN.changed(augment=steps)
    for name, steps in {
        "none": (),
        "flip": (a.Flip(),),
        "vertical flip": (a.VerticalFlip(),),
        "rotation": (a.Rotate(15),),
        "scaling": (a.Scale(0.8, 1.25),),
        "crop": (a.ResizedCrop(0.6),),
        "translation": (a.Crop(2),),
        "Gaussian noise": (a.GaussianNoise(0.05),),
        "salt and pepper": (a.SaltPepper(0.05),),
        "brightness": (a.Brightness(0.3),),
        "contrast": (a.Contrast(0.3),),
        "saturation": (a.Saturation(0.3),),
        "flip and translation": MOVED,
    }.items()
}
AUGMENTATIONS |= {
    f"{name}, 4 times as long": AUGMENTATIONS[name].changed(epochs=4 * PLAIN.epochs)
    for name in ("none", "flip and translation")
}

DIGITS: dict[str, Trial] = {
    name: PLAIN.changed(epochs=10, augment=steps)
    for name, steps in {
        "none": (),
        "translation": (a.Crop(1),),
        "rotation": (a.Rotate(15),),
        "flip": (a.Flip(),),
        "vertical flip": (a.VerticalFlip(),),
        "any turn": (a.Rotate(180),),
    }.items()
}

RACE = Trial(pictures=4000, epochs=5)  # 400 steps, too few to overfit
# Where the search for each optimiser's learning rate begins: torch's or its author's own.
FIRST_LR = {
    "SGD": 0.1,
    "momentum": 0.01,
    "Nesterov": 0.01,
    "AdaGrad": 0.01,
    "AdaDelta": 1.0,
    "RMSprop": 1e-3,
    "Adam": 1e-3,  # AdamW, without weight decay, is the same
}


def tuned(
    loss_at: Callable[[float], float], first: float, factor: float = math.sqrt(10), most: int = 8
) -> dict[float, float]:
    """Losses by learning rate: `first` and its neighbours, and on towards the better side until the best has two."""
    found = {first * factor**k: loss_at(first * factor**k) for k in (-1, 0, 1)}
    while len(found) < most:
        best = min(found, key=found.get)
        if best == min(found):
            at = best / factor
        elif best == max(found):
            at = best * factor
        else:
            break
        found[at] = loss_at(at)
    return dict(sorted(found.items()))


# --- a collection with a secret, for the exercise on leakage ----------------------------------------------------------


def collection(
    pictures: ImageData, scenes: int = 150, frames: int = 4, singles: int = 300, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures as people collect them: of some scenes there are several, which differ by noise and a little light.

    Returns
    -------
    x, y : uint8 (N, C, H, W) and labels (N,), in random order
    scene : (N,), which pictures belong together; N = scenes · frames + singles
    """
    n = scenes + singles
    if n > len(pictures.y_train):
        raise ValueError(f"{n:,} scenes are more than the {len(pictures.y_train):,} training pictures.")
    generator = torch.Generator().manual_seed(seed)
    chosen, _ = stratified(pictures.y_train, n, seed)
    times = torch.tensor([frames] * scenes + [1] * singles)
    order = torch.randperm(int(times.sum()), generator=generator)
    scene = torch.arange(n).repeat_interleave(times)[order]
    x = pictures.x_train[chosen][scene].float() / 255
    for change in (a.Brightness(0.05), a.GaussianNoise(0.02)):
        x = change(x, generator)
    numbers = torch.randperm(10 * n, generator=generator)[:n]  # as patients have them: they say nothing
    return (255 * x).round().byte(), pictures.y_train[chosen][scene], numbers[scene]


def judge(trial: Trial, train: tuple, test: tuple, classes: tuple[str, ...], seed: int = 0) -> torch.Tensor:
    """Train on all pictures of `train` = (x, y); which of those of `test` are right: bool (M,)."""
    parts = ImageData("a collection", classes, *train, *test, is_standin=False, origin="", x_val=test[0], y_val=test[1])
    found = run(trial.changed(pictures=len(train[1])), parts, seed, test=False)
    return evaluation.logits(found.net, test[0]).argmax(1) == test[1]
