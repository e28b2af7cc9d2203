"""What goes wrong in a training, said so that a learner can repair it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import torch
from torch import nn


class TrainingError(RuntimeError):
    """A training that cannot go on; the message says what was found, and what to do."""


def check_first_batch(model: nn.Module, x: torch.Tensor, logits: torch.Tensor) -> None:
    """What the first batch can tell: one row of logits for each picture."""
    name = type(model).__name__
    if logits.ndim != 2 or len(logits) != len(x):
        raise TrainingError(
            f"{name} turned a batch {tuple(x.shape)} into {tuple(logits.shape)}; expected are logits (B, classes), "
            f"here ({len(x)}, classes)." + (" Flatten the maps before the last layer." if logits.ndim > 2 else "")
        )


def check_labels(y: torch.Tensor, classes: int) -> None:
    """Labels must be 0 … classes − 1; a GPU would say no more than "device-side assert triggered"."""
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= classes:
        wrong = int(((y < 0) | (y >= classes)).sum())
        hint = f" Labels count from 0: use y - {low}." if low == 1 and high == classes else ""
        raise TrainingError(
            f"the network has {classes} outputs, so labels are 0 … {classes - 1}; {wrong:,} of {len(y):,} are not: "
            f"they go from {low} to {high}.{hint}"
        )


def check_loss(value: float, where: str, model: nn.Module, x: torch.Tensor, lr: float) -> None:
    """Raise if the loss is no number any more, with the likeliest cause."""
    if math.isfinite(value):
        return
    raise TrainingError(f"the loss became {value} at {where}. {likely_cause(model, x, lr)}")


def likely_cause(model: nn.Module, x: torch.Tensor, lr: float) -> str:
    """Why a loss is no number: what is wrong with the batch, with the weights, or, if neither, the learning rate."""
    if not torch.isfinite(x).all():
        bad = int((~torch.isfinite(x.flatten(1)).all(1)).sum())
        return f"{bad} of the batch's {len(x)} pictures hold NaN or infinity: look at the data and the augmentation."
    if x.abs().max() > 10:
        return f"The batch's values go up to {x.abs().max():.3g}: pictures should be in [0, 1]."
    broken = [name for name, p in model.named_parameters() if not torch.isfinite(p).all()]
    if broken:
        return (
            f"The weights of {broken[0]} are no numbers any more: lr={lr:g} is likely too high; try a tenth, or clip=1."
        )
    return f"Its pictures and the weights are in order, so the step was too large: try a tenth of lr={lr:g}, or clip=1."


@contextlib.contextmanager
def explained(model: nn.Module, x: torch.Tensor, fits: Callable[[int], bool]) -> Iterator[None]:
    """Turn torch's complaints about a batch into ours.

    Parameters
    ----------
    fits : function n → bool
        Whether a step with n pictures of the batch goes through.
    """
    try:
        yield
    except (RuntimeError, MemoryError, ValueError, IndexError) as error:
        if isinstance(error, TrainingError):
            raise
        if out_of_memory(error):
            size = len(x) // 2
            while size and not fits(size):
                size //= 2
            what = f"batch_size={size} fits" if size else "not even one picture fits; use a smaller network"
            raise TrainingError(
                f"a batch of {len(x)} pictures does not fit into the {x.device.type}'s memory; {what}."
            ) from None
        raise TrainingError(
            f"{type(model).__name__} cannot take a batch {tuple(x.shape)}: {reason(model, x, error)}"
        ) from error


def out_of_memory(error: Exception) -> bool:
    said = str(error)
    return (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or "can't allocate memory" in said
        or "out of memory" in said
    )


def reason(model: nn.Module, x: torch.Tensor, error: Exception) -> str:
    """The layer at which it happens, found by walking through once more, and what torch says."""
    places = {p.device for p in model.parameters()} | {b.device for b in model.buffers()} | {x.device}
    if len({place.type for place in places}) > 1:
        return (
            f"parts of it lie on different devices ({', '.join(sorted(map(str, places)))}). Register all its tensors."
        )
    if "more than 1 value per channel" in str(error):
        return "batch normalisation needs more than one number a channel. Choose another batch size, or drop_last=True."
    seen: list[tuple[str, str, tuple]] = []
    layers = [(name, layer) for name, layer in model.named_modules() if not list(layer.children())]

    def note(name):
        return lambda layer, given: seen.append((name, repr(layer), tuple(given[0].shape) if given else ()))

    hooks = [layer.register_forward_pre_hook(note(name)) for name, layer in layers]
    try:
        with torch.no_grad():
            model(x[:2])
    except Exception as again:
        if not seen:
            return str(again)
        name, layer, shape = seen[-1]
        return f"at layer {name}, {layer}, which was given {shape}: {again}"
    finally:
        for hook in hooks:
            hook.remove()
    return str(error)
