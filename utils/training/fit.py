"""The training loop of chapter 05, grown up."""

from __future__ import annotations

import contextlib
import inspect
import json
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, is_dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils import device as devices
from utils.data.batches import Batches
from utils.data.image_data import ImageData
from utils.training import checkpoint as checkpoints
from utils.training.faults import TrainingError, check_first_batch, check_labels, check_loss, explained
from utils.training.history import History
from utils.training.schedules import Schedule, constant
from utils.training.watching import Live, Stop, bar, interruptible

POINTS = 200  # of the loss's fine curve, over the whole training; more if there are more epochs: two for each
LOOKS = 20  # steps between two looks at the loss on a GPU, where each look waits for the GPU


def fit(
    model: nn.Module,
    train,
    val=None,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    lr: float = 1e-3,
    optimizer: Callable | torch.optim.Optimizer | None = None,
    schedule: Schedule | Callable = constant,
    augment=None,
    skip_easy: Sequence[float] = (),
    freeze: dict[str, float] | None = None,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    clip: float | None = None,
    patience: int | None = None,
    keep: str = "best",
    checkpoint: str | Path | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    precision: str = "auto",
    progress: bool = True,
    live: bool = False,
    stop: Stop | None = None,
) -> History:
    """Train `model`, which is changed, and return what happened.

    Parameters
    ----------
    model : nn.Module
        Pictures (B, C, H, W) in [0, 1] → logits (B, classes).
    train : ImageData, Batches, (x, y), or a DataLoader of (x, y)
        ImageData gives its training and validation parts. Tensors lie on the device as a whole; what does not fit there
        comes from an ordinary DataLoader.
    val : as `train`, optional
        Looked at after each epoch.
    lr, optimizer
        `optimizer` makes one, for example `partial(torch.optim.SGD, momentum=0.9)`; default: Adam. It is called with
        the parameters and lr=lr. Or it is a torch optimiser, made by you, with its own learning rates.
    schedule : function fraction → factor, or function (optimizer, steps) → torch LRScheduler
        The first kind says by which factor the learning rates are multiplied when that fraction of the training is
        done; one of torch's is stepped after each step.
    augment : function (x, generator) → x, or a list of them
        See `data.augment`. If it has a method `set_progress`, that is told the fraction of the training that is done.
    skip_easy : shares in [0, 1)
        (0.3, 0.4): from the second epoch on the 30 %, from the third on the 40 % of the pictures are left out that cost
        least when they were last seen. See `data.Batches`.
    freeze : part of the model, as in `model.named_modules()` → fraction of the training
        {"features.0": 0.5}: after half of the training, this part learns no longer (its batch norm goes on measuring).
        If nothing before it learns either, no gradient is computed there: the steps get shorter.
    loss : function (logits, y) → scalar
        Default: cross-entropy, which is also what val_loss is, whatever is trained with.
    clip : float
        The largest norm that the gradient of all parameters may have.
    patience : int
        Stop when the validation accuracy has not improved for so many epochs.
    keep : "best" or "last"
        The weights that the model has afterwards: those of the best validation accuracy (with equal ones, of the lower
        loss), or the last ones. After a stop they are those of that moment.
    checkpoint : path of a folder
        Where the state is saved after each epoch. If one is there, the training goes on from it: a killed training
        loses the epoch that was under way, and ends with the same weights as one that was never killed.
    seed : int
        Of the batches' order, augmentation and dropout. The same seed gives the same training on the same machine with
        the same number of threads; other machines round differently, and on a GPU some kernels add in any order.
    precision : "auto" or "float32"
        With "auto", bfloat16 autocast where the machine gains from it.
    progress, live : bool
        A progress bar; in a notebook, curves that grow, with a stop button.
    stop : Stop
        Whoever calls it ends the training after the step.

    Raises
    ------
    TrainingError
        If it cannot go on: labels out of range, wrong shapes, a loss that is no number, no memory. The message says
        what was found and what to do.
    """
    for name, value, known in (("keep", keep, ("best", "last")), ("precision", precision, ("auto", "float32"))):
        if value not in known:
            raise ValueError(f"{name} is {' or '.join(map(repr, known))}; you gave {value!r}.")
    device = torch.device(device) if device else devices.best()
    train, val = given(train, val, batch_size, augment, skip_easy, seed, device)
    if patience is not None and val is None:
        raise ValueError("patience needs validation data: give val, or split the data with .split().")
    model.to(device=device, memory_format=devices.memory_format(device))
    if not isinstance(optimizer, torch.optim.Optimizer):
        optimizer = (optimizer or torch.optim.Adam)(model.parameters(), lr=lr)
    check_optimizer(optimizer, model)
    steps = sum(steps_of(train, epoch) for epoch in range(epochs))
    training = Training(
        model, optimizer, loss or F.cross_entropy, train, val, epochs, clip, patience, device, precision == "auto",
        Pace(schedule, optimizer, steps), stop or Stop(), parts_of(model, freeze or {}),
    )  # fmt: skip
    asked = {"epochs": epochs, "clip": clip, "patience": patience, "seed": seed, "precision": precision}
    asked |= {"freeze": freeze} if freeze else {}
    asked |= {"skip_easy": list(train.skip_easy)} if getattr(train, "skip_easy", ()) else {}
    training.history.spec = asked | described(training, schedule, augment)
    with torch.random.fork_rng(), interruptible(training.stop):  # random numbers drawn afterwards do not depend on this
        torch.manual_seed(seed)
        try:
            training.run(Path(checkpoint) if checkpoint else None, progress, live)
        finally:
            training.thaw()
    if keep == "best" and training.best and training.history.ended != "stopped":
        model.load_state_dict(training.best)
    return training.history


class Pace:
    """The learning rates, step by step."""

    def __init__(self, schedule: Callable, optimizer: torch.optim.Optimizer, steps: int):
        self.optimizer, self.steps = optimizer, steps
        self.base = [group["lr"] for group in optimizer.param_groups]
        required = [p for p in inspect.signature(schedule).parameters.values() if p.default is p.empty]
        self.torchs = schedule(optimizer, steps) if len(required) == 2 else None
        self.factor = schedule

    def before(self, step: int) -> float:
        """Set the rates for a step; return the fraction of the training that is done."""
        if self.torchs is None:
            for group, lr in zip(self.optimizer.param_groups, self.base, strict=True):
                group["lr"] = lr * self.factor(step / self.steps)
        return step / self.steps

    def after(self) -> None:
        if self.torchs is not None:
            self.torchs.step()

    def state(self) -> dict | None:
        return self.torchs and self.torchs.state_dict()

    def restore(self, state: dict | None) -> None:
        if self.torchs is not None:
            self.torchs.load_state_dict(state)


@dataclass
class Training:
    """One training under way."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable
    train: Iterable
    val: Iterable | None
    epochs: int
    clip: float | None
    patience: int | None
    device: torch.device
    autocast: bool
    pace: Pace
    stop: Stop
    freeze: list[tuple[float, list[nn.Parameter]]] = field(default_factory=list)
    history: History = field(default_factory=History)
    best: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return self.before(self.epochs)

    def before(self, epoch: int) -> int:
        """The number of steps before that epoch, counted from 0."""
        return sum(steps_of(self.train, each) for each in range(epoch))

    def run(self, folder: Path | None, progress: bool, live: bool) -> None:
        """All epochs, from the beginning or from a checkpoint."""
        if folder and checkpoints.restore(folder, self):
            print(f"Going on from the checkpoint in {folder}, after epoch {len(self.history)} of {self.epochs}.")
        watch = Live(self.history, live)
        with bar(self.steps, self.before(len(self.history)), progress) as shown:
            while not self.ended():
                row = self.epoch(shown, watch)
                if row is None:
                    continue
                self.note(row)
                shown.set_postfix_str(brief(row))
                watch.draw()
                if folder:
                    checkpoints.save(folder, self)
        watch.end()

    def ended(self) -> bool:
        """Whether that was all, and why."""
        history = self.history
        if len(history) == self.epochs:
            history.ended = "all epochs"
        elif self.patience is not None and len(history) - history.best_epoch >= self.patience:
            history.ended = "early stopping"
        elif self.stop.asked:
            history.ended = "stopped"
        return bool(history.ended)

    def epoch(self, shown, watch: Live) -> dict | None:
        """Every batch once; the epoch's row, or None if it was stopped on the way."""
        epoch, begin = len(self.history), time.perf_counter()
        before, steps = self.before(epoch), steps_of(self.train, epoch)
        every = max(1, min(self.steps // POINTS, steps // 2))
        tally = Tally(every, look=1 if self.device.type == "cpu" else LOOKS)
        if hasattr(self.train, "set_epoch"):
            self.train.set_epoch(epoch)
        self.model.train()
        for i, (x, y) in enumerate(self.train):
            if self.stop.asked:
                return None
            self.tell(self.pace.before(before + i))
            value, right = self.step(x, y, first=i == 0)
            self.pace.after()
            for loss in tally.add(value, right, len(y), last=i + 1 == steps):
                where = f"epoch {epoch + 1}, in batch {i + 1} of {steps} or shortly before"
                check_loss(loss, where, self.model, x, self.optimizer.param_groups[0]["lr"])
            if point := tally.point():
                self.history.steps.append((epoch + (i + 1) / steps, point))
                watch.draw()
            shown.update()
        seconds, lr = time.perf_counter() - begin, self.optimizer.param_groups[0]["lr"]
        row = {
            "epoch": epoch + 1,
            "loss": tally.loss,
            "accuracy": tally.accuracy,
            "val_loss": None,
            "val_accuracy": None,
        }
        return row | {"lr": lr, "seconds": seconds, "val_seconds": 0.0} | self.validated()

    def step(self, x: torch.Tensor, y: torch.Tensor, first: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Learn from one batch; its loss, and how many were right."""
        x, y = self.moved(x, y)
        with explained(self.model, x, partial(self.fits, x, y)):
            logits = self.logits(x)
            if first:
                check_first_batch(self.model, x, logits)
            if first or not isinstance(self.train, Batches):
                check_labels(self.train.y if isinstance(self.train, Batches) else y, logits.shape[1])
            value = self.loss(logits, y)
            if getattr(self.train, "skip_easy", ()):
                self.train.note(F.cross_entropy(logits.detach(), y, reduction="none"))
            self.optimizer.zero_grad()
            if self.device.type != "cpu" or torch.isfinite(value):  # on a GPU, to look would mean to wait
                value.backward()
                if self.clip:
                    nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
                self.optimizer.step()
        return value.detach(), (logits.detach().argmax(1) == y).sum()

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """In float32, whatever the network computes in."""
        with devices.autocast(self.device) if self.autocast else contextlib.nullcontext():
            return self.model(x).float()

    def moved(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A loader's batch, on the device; a batch of `Batches` is there already."""
        layout = devices.memory_format(self.device) if x.ndim == 4 else torch.preserve_format
        return x.to(self.device, memory_format=layout, non_blocking=True), y.to(self.device, non_blocking=True)

    def fits(self, x: torch.Tensor, y: torch.Tensor, n: int) -> bool:
        """Whether a step with n pictures has enough memory; nothing is learned in it."""
        try:
            self.loss(self.logits(x[:n]), y[:n]).backward()
            return True
        except (RuntimeError, MemoryError):
            return False
        finally:
            self.optimizer.zero_grad()

    def tell(self, done: float) -> None:
        """Let the augmentation know how far the training is, if it wants to; freeze what is to learn no longer."""
        for each in getattr(self.train, "augment", ()):
            if hasattr(each, "set_progress"):
                each.set_progress(done)
        for until, parameters in self.freeze:
            for p in parameters:
                p.requires_grad_(done < until)

    def thaw(self) -> None:
        """Whatever was frozen on the way may learn again."""
        for _, parameters in self.freeze:
            for p in parameters:
                p.requires_grad_(True)

    @torch.no_grad()
    def validated(self) -> dict:
        """Loss and accuracy on the validation data, as columns of the epoch's row."""
        if self.val is None:
            return {}
        begin, total, right, count = time.perf_counter(), 0.0, 0, 0
        self.model.eval()
        for x, y in self.val:
            x, y = self.moved(x, y)
            logits = self.logits(x)
            total, right, count = (
                total + F.cross_entropy(logits, y) * len(y),
                right + (logits.argmax(1) == y).sum(),
                count + len(y),
            )
        seconds = time.perf_counter() - begin
        return {"val_loss": float(total) / count, "val_accuracy": int(right) / count, "val_seconds": seconds}

    def note(self, row: dict) -> None:
        """Write the epoch down, and keep its weights if none were better."""
        history = self.history
        history.rows.append(row)
        if self.val is None:
            history.best_epoch = len(history)
        elif len(history) == 1 or merit(row) > merit(history.best):
            history.best_epoch = len(history)
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}


def merit(row: dict) -> tuple[float, float]:
    """By what epochs are compared: validation accuracy, and with equal ones the loss."""
    return row["val_accuracy"], -row["val_loss"]


class Tally:
    """Losses and right answers of an epoch, added up on the device; looked at every `look` steps."""

    def __init__(self, every: int, look: int):
        self.every, self.look = every, look
        self.pending: list[torch.Tensor] = []
        self.since: list[float] = []  # losses since the last point of the curve
        self.total = self.right = self.count = 0

    def add(self, loss: torch.Tensor, right: torch.Tensor, n: int, last: bool) -> list[float]:
        """Note a step; return the losses that can be looked at now."""
        self.pending.append(loss)
        self.total, self.right, self.count = self.total + loss * n, self.right + right, self.count + n
        if len(self.pending) < self.look and not last:
            return []
        seen = torch.stack(self.pending).tolist()
        self.pending.clear()
        self.since += seen
        return seen

    def point(self) -> float | None:
        """The mean loss since the last point, if it is time for one."""
        if len(self.since) < self.every:
            return None
        mean = sum(self.since) / len(self.since)
        self.since.clear()
        return mean

    @property
    def loss(self) -> float:
        return float(self.total) / self.count

    @property
    def accuracy(self) -> float:
        return int(self.right) / self.count


def brief(row: dict) -> str:
    """What the progress bar says of an epoch."""
    val = "" if row["val_accuracy"] is None else f", validation {row['val_accuracy']:.1%}"
    return f"loss {row['loss']:.3f}, accuracy {row['accuracy']:.1%}{val}"


def steps_of(train: Iterable, epoch: int) -> int:
    """The number of batches of that epoch, counted from 0."""
    return train.steps(epoch) if isinstance(train, Batches) else len(train)


def parts_of(model: nn.Module, freeze: dict[str, float]) -> list[tuple[float, list[nn.Parameter]]]:
    """Until when which parameters learn; those that never do are left alone."""
    parts = dict(model.named_modules())
    for name, until in freeze.items():
        if name not in parts:
            raise ValueError(f"freeze: the model has no part called {name!r}; it has {', '.join(filter(None, parts))}.")
        if not 0 < until <= 1:
            raise ValueError(f"freeze: {name!r} learns for a fraction of the training, 0 < … ≤ 1; you gave {until!r}.")
    return [(until, [p for p in parts[name].parameters() if p.requires_grad]) for name, until in freeze.items()]


def given(
    train, val, batch_size: int, augment, skip_easy: Sequence[float], seed: int, device: torch.device
) -> tuple[Iterable, Iterable | None]:
    """Batches of whatever was given."""
    if isinstance(train, ImageData):
        if val is None and len(train.y_val):
            val = train.x_val, train.y_val
        train = train.x_train, train.y_train
    if isinstance(train, tuple | list):
        train = Batches(*train, batch_size, augment=augment, seed=seed, device=device, skip_easy=skip_easy)
    elif augment is not None or skip_easy:
        raise ValueError(
            f"{'skip_easy' if augment is None else 'augment'} works on the batches that fit makes; give it to your own "
            "Batches, or to your loader's data set."
        )
    if isinstance(val, tuple | list):
        val = Batches(*val, 500, shuffle=False, device=device)
    for name, each in (("train", train), ("val", val)):
        if each is not None and not (hasattr(each, "__iter__") and hasattr(each, "__len__")):
            raise TypeError(
                f"{name} is data with pictures and labels, or batches of them; you gave {type(each).__name__}."
            )
    return train, val


def check_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """An optimiser that was made for another model, or an earlier copy of this one, would change nothing here."""
    theirs = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not theirs & {id(p) for p in model.parameters()}:
        raise TrainingError(
            "the optimizer holds none of this model's parameters. Make it from model.parameters(), after the model."
        )


def described(training: Training, schedule: Callable, augment) -> dict:
    """What was asked for, as far as JSON can say it: two trainings with the same are the same."""
    train, optimizer = training.train, training.optimizer
    parameters = sum(p.numel() for p in training.model.parameters())
    numbers = {k: v for k, v in optimizer.defaults.items() if isinstance(v, bool | int | float | tuple | None)}
    steps = augment if isinstance(augment, list | tuple) else [augment] if augment else getattr(train, "augment", [])
    return {
        "model": f"{type(training.model).__name__}, {parameters:,} parameters",
        "pictures": len(train.y)
        if isinstance(train, Batches)
        else len(train.dataset)
        if hasattr(train, "dataset")
        else None,
        "labels": zlib.crc32(train.y.cpu().numpy().tobytes()) if isinstance(train, Batches) else None,
        "batch_size": getattr(train, "batch_size", None),
        "optimizer": type(optimizer).__name__,
        "settings": json.loads(json.dumps(numbers)),
        "lr": training.pace.base,
        "schedule": getattr(schedule, "__qualname__", type(schedule).__name__),
        "augment": [
            repr(step) if is_dataclass(step) else getattr(step, "__qualname__", type(step).__name__) for step in steps
        ],
        "loss": getattr(training.loss, "__qualname__", type(training.loss).__name__),
    }
