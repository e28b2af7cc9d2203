"""Trained weights on disk: tensors as safetensors, what is to be known about them as JSON beside it. No pickle.

training.save_weights(model, "runs/mine", accuracy=0.91)      # runs/mine.safetensors and runs/mine.json
about = training.load_weights(model, "runs/mine")
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn


def save_weights(model: nn.Module, path: str | Path, **about) -> Path:
    """Write a model's parameters and buffers, and `about` (whatever JSON can say), in two files named after `path`.

    Each is replaced in one move: whoever reads meanwhile finds the old or the new one.
    """
    tensors, words = files_of(path)
    tensors.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(tensors, model.state_dict())
    write_json(words, about)
    return tensors


def load_weights(model: nn.Module, path: str | Path) -> dict:
    """Put saved weights into `model`, which must be the one they were made for; return what is known about them.

    Raises
    ------
    FileNotFoundError
        If there are none.
    ValueError
        If the file is damaged, or belongs to another network; the model is then as it was.
    """
    file, words = files_of(path)
    tensors = read_tensors(file)
    here = model.state_dict()
    missing, extra = sorted(here.keys() - tensors.keys()), sorted(tensors.keys() - here.keys())
    other = [f"{k}: {tuple(tensors[k].shape)} there, {tuple(here[k].shape)} here" for k in here.keys() & tensors.keys()
             if tensors[k].shape != here[k].shape]  # fmt: skip
    if missing or extra or other:
        said = [f"missing there: {', '.join(missing[:3])}"] * bool(missing)
        said += [f"unknown here: {', '.join(extra[:3])}"] * bool(extra) + sorted(other)[:3]
        raise ValueError(
            f"{file.name} holds the weights of another network than {type(model).__name__}. {'; '.join(said)}"
        )
    model.load_state_dict(tensors)
    return json.loads(words.read_text(encoding="utf-8")) if words.exists() else {}


def files_of(path: str | Path) -> tuple[Path, Path]:
    """The two files that belong to a name, whether or not it comes with one of their endings."""
    path = Path(path)
    name = path.stem if path.suffix in (".safetensors", ".json") else path.name
    return path.with_name(f"{name}.safetensors"), path.with_name(f"{name}.json")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    draft = path.with_name(f"{path.name}.part")
    save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, draft)
    with open(draft, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    if not path.exists():
        raise FileNotFoundError(f"there are no weights at {path}.")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or no safetensors file ({error}). Fetch or make it again.") from None


def write_json(path: Path, content: dict) -> None:
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    with open(draft, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)
