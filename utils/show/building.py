"""A network as a blueprint: what each layer makes of the shape, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from utils.show.picture import BLUE, GREEN, ORANGE, Picture
from utils.show.sheet import Sheet

STEP, TALL, ACROSS = 118, 196, 8  # pixels from one stage to the next, pixels of a row, most stages in a row
COLOURS = {"input": "#666666", "conv": BLUE, "pool": GREEN, "flatten": "#666666", "dense": ORANGE}
PALE = {"input": "#E0E0E0", "conv": "#CFE3F1", "pool": "#CDEBE1", "flatten": "#E0E0E0", "dense": "#F6DCCB"}
WORDS = {nn.ReLU: "ReLU", nn.Tanh: "tanh", nn.BatchNorm2d: "batch norm", nn.Dropout: "dropout"}


@dataclass
class Stage:
    """What one layer gives: the shape without the batch, the parameters that made it, and what follows in place."""

    kind: str
    title: str
    shape: tuple[int, ...]
    parameters: int = 0
    then: str = ""


def stages(model: nn.Module, in_shape: Sequence[int]) -> list[Stage]:
    """The shapes of a picture on its way through `model`, measured; layers that keep the shape join the one before."""
    found = [Stage("input", "picture", tuple(in_shape))]

    def note(layer: nn.Module, _, y: torch.Tensor) -> None:
        cost = sum(p.numel() for p in layer.parameters())
        kind, title = described(layer)
        if kind:
            found.append(Stage(kind, title, tuple(y.shape[1:]), cost))
        elif type(layer) in WORDS:
            found[-1].then += f" · {WORDS[type(layer)]}" if found[-1].then else WORDS[type(layer)]
            found[-1].parameters += cost

    leaves = [layer for layer in model.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(note) for layer in leaves]
    modes = {layer: layer.training for layer in model.modules()}
    where = next((p.device for p in model.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *in_shape, device=where))
    finally:
        for hook in hooks:
            hook.remove()
        for layer, training in modes.items():
            layer.training = training
    return found


def described(layer: nn.Module) -> tuple[str, str]:
    """The kind of a layer that changes the shape, and its title; two empty strings for any other."""
    if isinstance(layer, nn.Conv2d):
        return "conv", "conv {}×{}".format(*layer.kernel_size)
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        size = layer.kernel_size
        return "pool", f"{'max' if isinstance(layer, nn.MaxPool2d) else 'mean'} pool {size}×{size}"
    if isinstance(layer, nn.Flatten):
        return "flatten", "flatten"
    return ("dense", "dense") if isinstance(layer, nn.Linear) else ("", "")


def blueprint(model: nn.Module, in_shape: Sequence[int] = (1, 28, 28)) -> Picture:
    """A network drawn stage by stage, each with its shape and its parameters; nothing of it is changed.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture
    """
    found = stages(model, in_shape)
    rows = -(-len(found) // ACROSS)
    across = -(-len(found) // rows)  # rows of equal length
    sheet = Sheet(across * STEP + 10, rows * TALL + 30)
    scale = 66 / max(in_shape[1:])
    for i, stage in enumerate(found):
        draw(sheet, 5 + (i % across) * STEP, (i // across) * TALL, stage, scale)
    total = sum(stage.parameters for stage in found)
    sheet.text(10, rows * TALL + 8, f"{total:,} parameters", size=15, anchor="lm", bold=True)
    told = " → ".join("×".join(map(str, stage.shape)) for stage in found)
    return sheet.picture(f"Blueprint of a network with {total:,} parameters; the shapes on the way: {told}.")


def draw(sheet: Sheet, x: float, y: float, stage: Stage, scale: float) -> None:
    """One stage in its place: title, volume (`scale` pixels for one of its own) or bar, shape, parameters."""
    middle = x + STEP / 2
    sheet.text(middle, y + 14, stage.title, size=13, colour=COLOURS[stage.kind], bold=True)
    sheet.text(middle, y + 30, stage.then, size=11)
    if len(stage.shape) == 3:
        volume(sheet, middle, y + 92, stage, scale)
    else:
        height = min(14 + 8 * stage.shape[0].bit_length(), 112)
        sheet.box(middle - 6, y + 92 - height / 2, 12, height, fill=PALE[stage.kind], edge=COLOURS[stage.kind], line=2)
    sheet.text(middle, y + 156, "×".join(f"{n:,}" for n in stage.shape), size=14, bold=True)
    if stage.parameters:
        sheet.text(middle, y + 174, f"{stage.parameters:,} parameters", size=11)


def volume(sheet: Sheet, x: float, y: float, stage: Stage, scale: float) -> None:
    """Maps behind one another, the more the more channels there are."""
    channels, height, width = stage.shape
    behind = min(channels, 2 + channels.bit_length()) - 1 if channels > 1 else 0
    w, h = max(width * scale, 5), max(height * scale, 5)
    for i in range(behind, -1, -1):
        shift = 4 * (i - behind / 2)
        sheet.box(x - w / 2 + shift, y - h / 2 - shift, w, h, fill=PALE[stage.kind], edge=COLOURS[stage.kind], line=1)
