"""The state of a training on disk, so that a killed one goes on at its last epoch and ends as if nothing had happened.

A folder holds `state.json` and the one `epoch-NNN.safetensors` that it names. Tensors come first, under a new name;
only then does the JSON, in one move, name them. Whenever the power fails, what the JSON names is there and whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from utils.training.history import History
from utils.training.weights import read_tensors, write_json, write_tensors

if TYPE_CHECKING:
    from utils.training.fit import Training

STATE = "state.json"


def save(folder: Path, training: Training) -> None:
    """Write the state after an epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    known = training.optimizer.state_dict()
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in training.best.items()}
    if getattr(training.train, "skip_easy", ()):
        tensors["losses"] = training.train.losses
    tensors["random"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    numbers = {}
    for index, state in known["state"].items():
        for key, value in state.items():
            (tensors if torch.is_tensor(value) else numbers)[f"optimizer.{index}.{key}"] = value
    name = f"epoch-{len(training.history):03}.safetensors"
    write_tensors(folder / name, tensors)
    groups = [{key: value for key, value in group.items() if key != "params"} for group in known["param_groups"]]
    state = {"tensors": name, "numbers": numbers, "groups": groups, "schedule": training.pace.state()}
    write_json(folder / STATE, state | {"history": asdict(training.history)})
    for old in folder.glob("epoch-*.safetensors*"):
        if old.name != name:
            old.unlink()


def restore(folder: Path, training: Training) -> bool:
    """Bring a training back to where `save` left it; False if nothing is there.

    Raises
    ------
    ValueError
        If the checkpoint is damaged, or of a training that was asked for something else.
    """
    if not (folder / STATE).exists():
        return False
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        history, tensors = History(**state["history"]), read_tensors(folder / state["tensors"])
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        raise ValueError(
            f"the checkpoint in {folder} cannot be read ({error}). Delete the folder to begin anew."
        ) from None
    asked = training.history.spec
    if differing := [key for key in asked.keys() | history.spec.keys() if asked.get(key) != history.spec.get(key)]:
        said = "; ".join(f"{key}: {history.spec.get(key)!r} there, {asked.get(key)!r} now" for key in sorted(differing))
        raise ValueError(
            f"the checkpoint in {folder} is of another training ({said}). Name another folder, or delete it."
        )
    training.model.load_state_dict(part(tensors, "model."))
    training.best = part(tensors, "best.")
    if "losses" in tensors:
        training.train.losses.copy_(tensors["losses"])
    moments: dict[int, dict] = {}
    for name, value in part(tensors | state["numbers"], "optimizer.").items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = value
    groups = [
        g | saved for g, saved in zip(training.optimizer.state_dict()["param_groups"], state["groups"], strict=True)
    ]
    training.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    training.pace.restore(state["schedule"])
    torch.set_rng_state(tensors["random"])
    if torch.cuda.is_available() and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"])
    history.steps, history.ended = [tuple(step) for step in history.steps], ""
    training.history = history
    return True


def part(everything: dict, beginning: str) -> dict:
    """What has names with this beginning, without it."""
    return {name.removeprefix(beginning): value for name, value in everything.items() if name.startswith(beginning)}
