"""How good a network is, where it errs, and what its layers answer.

    from utils import evaluation
    logits = evaluation.logits(model, cifar.x_test)      # (N, classes), on the CPU
    evaluation.accuracy(logits, cifar.y_test)            # 0.8495
    evaluation.per_class(cifar.y_test, logits, cifar.classes)
    maps = evaluation.features(model, cifar.x_test[:8], "features.2")   # (8, 32, 32, 32)

Pictures are uint8, or float in [0, 1], (N, C, H, W). Nothing here changes a network: each part of it is in the same
train or eval mode afterwards as before.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain

import torch
import torch.nn.functional as F
from torch import nn

from utils import device
from utils.data.batches import as_pictures

BATCH = 125  # pictures at a time: a CPU's memory for more is given back, and asked for anew, at every batch

# --- a network's answers ----------------------------------------------------------------------------------------------


def logits(
    model: nn.Module, x: torch.Tensor, batch_size: int = BATCH, tta: bool = False, *, precision: str = "float32"
) -> torch.Tensor:
    """What `model` answers to the pictures `x`, in eval mode and without gradients, on the model's own device.

    Parameters
    ----------
    x : uint8, or float in [0, 1], (N, C, H, W)
    batch_size : pictures at a time; only memory and time depend on it (on a CPU, large batches cost more of both)
    tta : True takes the mean of the answers to a picture and to its mirror image (test-time augmentation)
    precision : "float32", or "auto" for bfloat16 where the machine gains from it: about twice as fast, and a few
        pictures in ten thousand may be answered otherwise

    Returns
    -------
    float32 tensor (N, classes), on the CPU

    Raises
    ------
    ValueError
        If `x` is no batch of pictures, if the network does not take such pictures or gives no (B, classes), or if it
        answers with NaN or infinity.
    """
    check_pictures(x)
    if precision not in ("float32", "auto"):
        raise ValueError(f'precision is "float32" or "auto"; you gave {precision!r}.')
    where = device_of(model)
    answers = []
    with evaluating(model), device.autocast(where) if precision == "auto" else nullcontext():
        for batch in batches(x, batch_size, where):
            answer = ask(model, batch)
            answers.append((answer + ask(model, batch.flip(3))) / 2 if tta else answer)
    return torch.cat([answer.cpu() for answer in answers])


def ask(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Float32 logits (B, classes) for a float batch (B, C, H, W); what goes wrong is said in words."""
    answer = run(model, batch)
    if not isinstance(answer, torch.Tensor) or answer.ndim != 2 or len(answer) != len(batch):
        got = f"shape {tuple(answer.shape)}" if isinstance(answer, torch.Tensor) else type(answer).__name__
        raise ValueError(f"logits (B, classes) expected, here ({len(batch)}, classes); the network gives {got}.")
    if not bool(answer.isfinite().all()):
        raise ValueError(
            "the network answers with NaN or infinity. Its training has probably diverged: "
            "try a smaller learning rate, and look at the loss of the first steps."
        )
    return answer.float()


def run(model: nn.Module, batch: torch.Tensor):
    """`model(batch)`; pictures that do not fit are named with their shape, and so is a batch that is too large."""
    try:
        return model(batch)
    except torch.OutOfMemoryError as error:
        raise ValueError(f"no memory for {len(batch)} pictures at a time: give a smaller batch_size.") from error
    except RuntimeError as error:
        raise ValueError(f"the network does not take pictures of shape {tuple(batch.shape)}: {error}") from error


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; afterwards every part of `model` is in the mode that it was in."""
    modes = {part: part.training for part in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes.items():
            part.training = training


def device_of(model: nn.Module) -> torch.device:
    """Where the model's numbers are; the CPU if it has none."""
    numbers = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if numbers is None else numbers.device


def batches(x: torch.Tensor, batch_size: int, where: torch.device) -> Iterator[torch.Tensor]:
    """Float pictures in [0, 1], `batch_size` at a time, on the device `where`."""
    if batch_size < 1:
        raise ValueError(f"batch_size is at least 1; you gave {batch_size}.")
    for part in x.split(batch_size):
        part = as_pictures(part.to(where))
        yield part.contiguous(memory_format=device.memory_format(where))


def check_pictures(x: torch.Tensor) -> None:
    """Refuse what is no batch of pictures, and say what was meant."""
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"pictures are a tensor (N, C, H, W), as in data.x_test; you gave {type(x).__name__}.")
    if x.ndim == 3:
        raise ValueError(f"one picture alone, {tuple(x.shape)}: add the batch axis, as in x[None] or x[:1].")
    if x.ndim != 4:
        raise ValueError(f"pictures have shape (N, C, H, W); you gave {tuple(x.shape)}.")
    if x.numel() == 0:
        raise ValueError(f"there are no pictures here: the shape is {tuple(x.shape)}.")
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise ValueError(f"pictures are uint8, or float in [0, 1]; you gave {x.dtype}.")
    if x.is_floating_point() and float(x.max()) > 16:  # no standardised picture comes near
        raise ValueError(f"float pictures are in [0, 1]; these reach {float(x.max()):g}: divide by 255.")


# --- numbers ----------------------------------------------------------------------------------------------------------


def accuracy(answers, x_or_y: torch.Tensor, y: torch.Tensor | None = None, **options) -> float:
    """The share of right answers, from 0 to 1.

    accuracy(logits, y), accuracy(predicted, y) or accuracy(model, x, y); the last takes the options of `logits`.
    """
    answers, y = answered(answers, x_or_y, y, options)
    return float((predictions(answers) == y).double().mean())


def loss(answers, x_or_y: torch.Tensor, y: torch.Tensor | None = None, **options) -> float:
    """The mean cross-entropy, in nats: loss(logits, y), or loss(model, x, y) with the options of `logits`."""
    answers, y = answered(answers, x_or_y, y, options)
    if answers.ndim != 2:
        raise ValueError("the loss needs logits (N, classes); from predicted labels it cannot be computed.")
    return float(F.cross_entropy(answers, y))


def answered(answers, x_or_y, y, options: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Answers and labels on the CPU, checked against each other; a model is asked first."""
    if isinstance(answers, nn.Module):
        if y is None:
            raise TypeError("for a model, pictures and labels are needed: (model, x, y).")
        check_labels(y, len(x_or_y))
        answers = logits(answers, x_or_y, **options)
    elif y is not None or options:
        raise TypeError("from logits, labels are all that is needed: (logits, y). Pictures go with a model.")
    else:
        y = x_or_y
    classes = answers.shape[1] if answers.ndim == 2 else None
    return answers.detach().cpu(), check_labels(y, len(answers), classes)


def check_labels(y: torch.Tensor, n: int, classes: int | None = None) -> torch.Tensor:
    """The labels, int64 on the CPU; ValueError if there are not `n`, or if one is no class."""
    y = torch.as_tensor(y).cpu()
    if y.ndim != 1 or y.is_floating_point():
        raise ValueError(f"labels are whole numbers, shape (N,); you gave {y.dtype} {tuple(y.shape)}.")
    if len(y) != n:
        raise ValueError(f"{len(y):,} labels for {n:,} answers: the two must be of the same pictures.")
    if n == 0:
        raise ValueError("there are no labels here, and of nothing there is no share.")
    low, high = int(y.min()), int(y.max())
    if classes is not None and not 0 <= low <= high < classes:
        raise ValueError(f"labels from {low} to {high}; {classes} classes are numbered 0 to {classes - 1}.")
    return y.long()


def predictions(answers: torch.Tensor) -> torch.Tensor:
    """The label of the largest logit, int64 (N,); predicted labels stay as they are."""
    answers = torch.as_tensor(answers).detach().cpu()
    if answers.ndim == 2:
        return answers.argmax(1)
    if answers.ndim != 1 or answers.is_floating_point():
        raise ValueError(f"logits (N, classes) or predicted labels (N,) expected; you gave {tuple(answers.shape)}.")
    return answers.long()


def interval(right: int, n: int) -> tuple[float, float]:
    """Between which accuracies the truth lies, with 95 % confidence, if `right` of `n` pictures were right.

    Wilson's score interval: it stays within 0 and 1, and holds for small `n` and for accuracies near 1.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927
    """
    if n < 1 or not 0 <= right <= n:
        raise ValueError(f"{right:,} right of {n:,} is not possible.")
    z = 1.959964  # 95 % of a normal distribution lie within ± z standard deviations
    share = right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


# --- where it errs ----------------------------------------------------------------------------------------------------


def confusion(y: torch.Tensor, predicted: torch.Tensor, classes: int | Sequence[str]) -> torch.Tensor:
    """How often each class was taken for each: int64 (classes, classes), rows are the truth, columns the guesses.

    Parameters
    ----------
    y : labels (N,)
    predicted : predicted labels (N,), or logits (N, classes)
    classes : how many there are, or their names
    """
    from sklearn.metrics import confusion_matrix

    n = classes if isinstance(classes, int) else len(classes)
    predicted = predictions(predicted)
    y = check_labels(y, len(predicted), n)
    check_labels(predicted, len(y), n)
    return torch.from_numpy(confusion_matrix(y, predicted, labels=range(n))).long()


def most_frequent_mistake(matrix: torch.Tensor) -> tuple[int, int]:
    """The cell (actual, guessed) of a confusion matrix that counts most mistakes; the first cell if there are none."""
    wrong = torch.as_tensor(matrix).clone().fill_diagonal_(0)
    row, column = divmod(int(wrong.argmax()), len(wrong))
    return row, column


@dataclass(frozen=True, repr=False)
class PerClass:
    """Precision, recall and F1 of each class, as a table that shows itself.

    Attributes
    ----------
    rows : list of dicts: class, precision, recall, f1 (shares from 0 to 1; NaN where they are of nothing), count
    """

    rows: list[dict]

    def __getitem__(self, name: str) -> dict:
        """The row of the class `name`."""
        for row in self.rows:
            if row["class"] == name:
                return row
        raise KeyError(f"no class is called {name!r}; there are: {', '.join(row['class'] for row in self.rows)}")

    def cells(self) -> list[list[str]]:
        """The table as it is written: percentages, and a dash for a share of nothing."""
        shares = ("precision", "recall", "f1")
        return [
            [row["class"], *(f"{row[s]:.1%}" if row[s] == row[s] else "–" for s in shares), f"{row['count']:,}"]
            for row in self.rows
        ]

    def __repr__(self) -> str:
        lines = [["class", "precision", "recall", "F1", "pictures"], *self.cells()]
        return "\n".join(f"{name:<12}" + "".join(f"{cell:>11}" for cell in cells) for name, *cells in lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'>{name}</th>" for name in ("class", "precision", "recall", "F1", "pictures"))
        body = "".join(
            f"<tr><th scope='row' style='text-align:left'>{html.escape(name)}</th>"
            + "".join(f"<td style='text-align:right'>{cell}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in self.cells()
        )
        caption = (
            "<caption>Precision: of those taken for the class, the share that is. "
            "Recall: of those that are, the share that was found.</caption>"
        )
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def per_class(y: torch.Tensor, predicted: torch.Tensor, classes: Sequence[str]) -> PerClass:
    """Precision, recall and F1 of each class; arguments as for `confusion`, with the names of the classes."""
    from sklearn.metrics import precision_recall_fscore_support

    predicted = predictions(predicted)
    y = check_labels(y, len(predicted), len(classes))
    check_labels(predicted, len(y), len(classes))
    labels = range(len(classes))
    columns = precision_recall_fscore_support(y, predicted, labels=labels, zero_division=float("nan"))
    return PerClass(
        [
            {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "count": int(n)}
            for name, p, r, f, n in zip(classes, *columns, strict=True)
        ]
    )


def two_best(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two most probable classes of each picture, best first: int64 (N, 2), and their probabilities (N, 2)."""
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits of two classes or more, (N, classes), expected; you gave {tuple(logits.shape)}.")
    probabilities, classes = logits.detach().cpu().double().softmax(1).topk(2)
    return classes, probabilities


def most_confident_mistakes(logits: torch.Tensor, y: torch.Tensor, n: int = 12) -> torch.Tensor:
    """Which pictures are wrong with the greatest probability, worst first: int64 indices, `n` of them or fewer."""
    classes, probabilities = two_best(logits)
    y = check_labels(y, len(logits), logits.shape[1])
    wrong = (classes[:, 0] != y).nonzero().flatten()
    order = probabilities[wrong, 0].argsort(descending=True, stable=True)
    return wrong[order[:n]]


# --- what its layers answer -------------------------------------------------------------------------------------------


def features(model: nn.Module, x: torch.Tensor, layer: str | None = None, batch_size: int = BATCH) -> torch.Tensor:
    """What the layer called `layer` answers to the pictures `x`.

    Parameters
    ----------
    x : as for `logits`
    layer : a name from `model.named_modules()`, such as "features.2"; without one, what the last dense layer is
        given: the features from which the network decides

    Returns
    -------
    float32 tensor (N, …), on the CPU

    Raises
    ------
    ValueError
        If there is no such layer, or as `logits`.
    """
    check_pictures(x)
    parts = dict(model.named_modules())
    dense = [name for name, part in parts.items() if isinstance(part, nn.Linear)]
    if layer is None and not dense:
        raise ValueError(f"the network has no dense layer: name the layer that you mean. {listed(parts)}")
    name = dense[-1] if layer is None else layer
    if name not in parts or not name:
        raise ValueError(f"the network has no layer {layer!r}. {listed(parts)}")
    last, found = {}, []

    def keep(module, given, answer):  # a copy: a ReLU that works in place would overwrite it
        last["answer"] = (given[0] if layer is None else answer).detach().float().cpu().clone()

    hook = parts[name].register_forward_hook(keep)
    try:
        with evaluating(model):
            for batch in batches(x, batch_size, device_of(model)):
                run(model, batch)
                found.append(last.pop("answer", None))
    finally:
        hook.remove()
    if found[0] is None:
        raise ValueError(f"the network has a layer {name!r}, but does not use it in its forward().")
    return torch.cat(found)


def feature_maps(model: nn.Module, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every layer's maps for one picture (C, H, W): float32 (channels, height, width) by layer, in order of use.

    Layers whose answer is no stack of maps, as those of dense layers, are left out.
    """
    if picture.ndim != 3:
        raise ValueError(f"one picture (C, H, W) expected, as x[0] is one; you gave {tuple(picture.shape)}.")
    check_pictures(picture[None])
    maps, hooks = {}, []
    for name, part in model.named_modules():
        if name and next(part.children(), None) is None:
            hooks.append(part.register_forward_hook(keeper(maps, name)))
    try:
        with evaluating(model):
            run(model, next(batches(picture[None], 1, device_of(model))))
    finally:
        for hook in hooks:
            hook.remove()
    return maps


def keeper(maps: dict, name: str):
    """A forward hook that puts a layer's maps into `maps`, as a copy."""

    def keep(module, given, answer):
        if isinstance(answer, torch.Tensor) and answer.ndim == 4:
            maps[name] = answer[0].detach().float().cpu().clone()

    return keep


def listed(parts: dict[str, nn.Module]) -> str:
    """The layers there are, in a sentence."""
    named = [f"{name} ({type(part).__name__})" for name, part in parts.items() if name]
    return f"It has: {', '.join(named) if named else 'no named layers'}."
