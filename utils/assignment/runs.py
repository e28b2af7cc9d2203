"""Training runs, kept on disk as they end: none is lost, and none is trained twice.

assignment_runs/state.json                              which class and spec is the current one of each role
assignment_runs/baseline/0a1b2c3d4e-seed0/run.json      what was trained, and how it went
                                         /weights.safetensors
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import torch
from torch import nn

from utils import device, evaluation, models, training
from utils.assignment import notebook, pictures
from utils.assignment.fingerprint import fingerprint
from utils.assignment.rules import LIMITS, ROLES
from utils.assignment.spec import Spec
from utils.checks import tell
from utils.checks.questions.assignment import work
from utils.start import fast
from utils.training.weights import read_tensors, write_json, write_tensors

ANSWERS = 300  # validation pictures whose answers are kept, so that a bundle can prove its weights
COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "lr")


@dataclass(frozen=True)
class Run:
    """One training, as `run.json` says it. Accuracies are fractions; losses of the kept weights are in nats."""

    slot: str  # "baseline", "proposed" or "ablation/NAME"
    network: str  # the name of its class
    key: str  # of its class, spec and pictures
    seed: int
    spec: dict
    history: list[dict]
    val_accuracy: float
    val_loss: float
    seconds: float
    data: str
    parameters: int
    multiply_adds: int
    made: str
    weights: str  # SHA-256
    answers: list[int]  # to the first validation pictures
    test_accuracy: float | None = None
    test_loss: float | None = None
    tested: str = ""  # when the test part was opened for it

    @property
    def folder(self) -> Path:
        return folder_of(self.slot, self.key, self.seed)

    @property
    def rows(self) -> list[dict]:
        """As `show.learning_curves` wants them."""
        return self.history

    def tensors(self) -> dict[str, torch.Tensor]:
        """Its weights; ValueError if they are not those that were saved."""
        path = self.folder / "weights.safetensors"
        if not path.exists() or sha256(path) != self.weights:
            raise ValueError(f"the weights of {self.network}, seed {self.seed}, are missing or damaged. {AGAIN}")
        return read_tensors(path)

    def load(self, network: type) -> nn.Module:
        """A network with its weights, on the best device; ValueError if the class is not the one that was trained."""
        if key_of(network, Spec.from_json(self.spec)) != self.key:
            raise ValueError(
                f"{network.__name__}, or the pictures, changed since it was trained. Run its training cell again."
            )
        model = made(network, self.seed)
        model.load_state_dict(self.tensors())
        return model.to(device.best(), memory_format=device.memory_format())

    def save(self) -> None:
        write_json(self.folder / "run.json", asdict(self))


AGAIN = "Run the training cell again: it trains what is missing, and only that."


def train(
    network: type | None,
    spec: Spec | None,
    seeds=(0, 1, 2),
    *,
    role: str | None = None,
    of: str = "",
    live: bool = True,
) -> None:
    """Train a class once for each seed, and keep each run. What was trained before is not trained again.

    Parameters
    ----------
    network : class of an nn.Module, without arguments: pictures (B, 3, 32, 32) in [0, 1] → logits (B, 10)
    spec : Spec
    seeds : whole numbers
        Of the first weights, of the batches' order and of augmentation.
    role : "baseline", "proposed" or "ablation"; default: "baseline" for `Baseline`, "proposed" for any other class
    of : what an ablation leaves out, for example "without batch norm"
    live : bool
        Curves that grow while it trains, with a stop button.

    Raises
    ------
    TypeError, ValueError
        If the class, the spec or the seeds cannot be used; the message says what to do.
    """
    if (waiting := missing(network, spec)) is not None:
        tell(f"{waiting}: not done yet. There is nothing to train.")
        return
    slot = slot_of(network, role, of)
    check_spec(spec)
    seeds = check_seeds(seeds)
    if fast():
        seeds, spec = seeds[: pictures.FAST_SEEDS], spec.changed(epochs=min(spec.epochs, pictures.FAST_EPOCHS))
    parameters, multiply_adds = measured(network)
    key = key_of(network, spec)
    settle(slot, network.__name__, key, seeds)
    for seed in seeds:
        if (old := read(folder_of(slot, key, seed))) is not None:
            tell(f"{network.__name__}, seed {seed}: kept from before, {summary(old)}. Not trained again.")
        elif (run := trained(network, spec, seed, slot, key, parameters, multiply_adds, live)) is None:
            tell(f"Stopped: seed {seed} is not finished. Run the cell again and it goes on after its last whole epoch.")
            return
        else:
            tell(f"{network.__name__}, seed {seed}: {summary(run)}, after {run.seconds:.0f} s of training. Kept.")


def trained(network, spec: Spec, seed: int, slot: str, key: str, parameters: int, work: int, live: bool) -> Run | None:
    """One training; None if it was stopped."""
    cifar, folder = pictures.parts(), folder_of(slot, key, seed)
    epochs = "1 epoch" if spec.epochs == 1 else f"{spec.epochs} epochs"
    tell(f"{network.__name__}, seed {seed}: training, {epochs} of {len(cifar.y_train):,} pictures.")
    history = model = None
    while history is None:
        model = made(network, seed)
        try:
            history = fit(model, spec, seed, cifar, folder / "checkpoint", live)
        except ValueError as error:
            if not (folder / "checkpoint").exists() or "checkpoint" not in str(error):
                raise
            shutil.rmtree(folder / "checkpoint")
            tell(f"What was begun before cannot be continued ({error}); it begins anew.")
    if history.ended == "stopped":
        return None
    logits = evaluation.logits(model, cifar.x_val)
    write_tensors(folder / "weights.safetensors", model.state_dict())
    run = Run(
        slot, network.__name__, key, seed, spec.to_json(),
        history=[{column: row[column] for column in COLUMNS} for row in history.rows],
        val_accuracy=evaluation.accuracy(logits, cifar.y_val), val_loss=evaluation.loss(logits, cifar.y_val),
        seconds=history.seconds, data=pictures.described()["name"], parameters=parameters, multiply_adds=work,
        made=now(), weights=sha256(folder / "weights.safetensors"), answers=logits[:ANSWERS].argmax(1).tolist(),
    )  # fmt: skip
    run.save()
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return run


def fit(model: nn.Module, spec: Spec, seed: int, cifar, checkpoint: Path, live: bool) -> training.History:
    return training.fit(
        model,
        (cifar.x_train, cifar.y_train),
        (cifar.x_val, cifar.y_val),
        epochs=spec.epochs,
        batch_size=spec.batch_size,
        optimizer=spec.made_optimizer(model.to(device.best(), memory_format=device.memory_format())),
        schedule=spec.made_schedule(),
        augment=spec.made_augment(),
        loss=spec.made_loss(),
        keep=spec.keep,
        checkpoint=checkpoint,
        seed=seed,
        live=live,
    )


def summary(run: Run) -> str:
    return f"validation {run.val_accuracy:.1%}"


# --- what can be trained ----------------------------------------------------------------------------------------------


def missing(network, spec) -> str | None:
    """What is still to be written, if something is."""
    if network is None:
        return "The network"
    if isinstance(network, type) and issubclass(network, nn.Module):
        try:
            with torch.no_grad():
                made(network).eval()(torch.zeros(2, 3, 32, 32))
        except NotImplementedError:
            return network.__name__
        except Exception:  # `measured` will say what is wrong
            return None
    return "spec" if spec is None else None


def slot_of(network: type, role: str | None, of: str) -> str:
    """Where the runs of this class belong, in the assignment and on disk."""
    if isinstance(network, nn.Module):
        raise TypeError(
            f"this is a {type(network).__name__} that was made already; each seed needs a fresh one. Give the class, "
            "without brackets behind it."
        )
    if not (isinstance(network, type) and issubclass(network, nn.Module)):
        raise TypeError(f"train takes a class of networks (of nn.Module); you gave {network!r:.60}.")
    if role is None:
        is_baseline = network.__name__ == "Baseline" or notebook.names().get("Baseline") is network
        role = "baseline" if is_baseline else "proposed"
    if role not in (*ROLES, "ablation"):
        raise ValueError(f'role is "baseline", "proposed" or "ablation"; you gave {role!r}.')
    if role != "ablation":
        return role
    if not of.strip():
        raise ValueError('say what the ablation leaves out, as in of="without batch norm".')
    return f"ablation/{of.strip()}"


def check_spec(spec) -> None:
    if not isinstance(spec, Spec):
        raise TypeError(f"the second argument is your spec, an assignment.Spec(…); you gave a {type(spec).__name__}.")


def check_seeds(seeds) -> tuple[int, ...]:
    """Seeds, each once."""
    seeds = (seeds,) if isinstance(seeds, int) else tuple(seeds)
    if not seeds or not all(type(seed) is int and 0 <= seed < 1_000_000 for seed in seeds):
        raise ValueError(f"seeds are whole numbers, as in (0, 1, 2); you gave {seeds!r:.60}.")
    return tuple(dict.fromkeys(seeds))


def made(network: type, seed: int = 0) -> nn.Module:
    """A fresh network with the first weights of this seed; layers that find out their sizes (Lazy…) have them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = network()
        if any(isinstance(p, nn.UninitializedParameter) for p in model.parameters()):
            with torch.no_grad():
                model.eval()(torch.zeros(2, 3, 32, 32))
    return model.train()


def measured(network: type) -> tuple[int, int]:
    """The parameters of a class's networks, and the multiply-adds for a picture; ValueError beyond the limits."""
    model = made(network)
    answer = evaluation.logits(model, torch.zeros(2, 3, 32, 32))
    if answer.shape != (2, 10):
        raise ValueError(f"{network.__name__} turns 2 pictures into {tuple(answer.shape)}; logits (2, 10) are wanted.")
    parameters, multiply_adds = models.count(model), work(model)
    for value, limit, what in (
        (parameters, LIMITS["parameters"], "parameters"),
        (multiply_adds, LIMITS["multiply_adds"], "multiply-adds for a picture"),
    ):
        if value > limit:
            raise ValueError(
                f"{network.__name__} has {value:,} {what}; {limit:,} are allowed. Pool earlier, or use fewer channels."
            )
    return parameters, multiply_adds


def key_of(network: type, spec: Spec) -> str:
    """The same for the same class, spec and pictures; another one if any of them changes."""
    said = json.dumps([fingerprint(network), spec.to_json(), pictures.checksum()])
    return hashlib.sha256(said.encode()).hexdigest()[:10]


# --- on disk ----------------------------------------------------------------------------------------------------------


def home() -> Path:
    """The folder of all runs."""
    return pictures.folder() / "assignment_runs"


def folder_of(slot: str, key: str, seed: int) -> Path:
    return home() / slug(slot) / f"{key}-seed{seed}"


def slug(slot: str) -> str:
    """A folder's name for a slot."""
    return re.sub(r"[^a-z0-9]+", "-", slot.lower()).strip("-")[:60] or "run"


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(folder: Path) -> Run | None:
    """The run in a folder; None if there is none. A damaged one is put aside, and said."""
    path = folder / "run.json"
    if not path.exists():
        return None
    try:
        run = Run(**json.loads(path.read_text(encoding="utf-8")))
        if sha256(folder / "weights.safetensors") != run.weights:
            raise ValueError("its weights are not those that were saved")
        return run
    except (ValueError, TypeError, OSError) as error:
        why = "its weights are missing" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]
        aside = put_aside(folder)
        tell(f"The run in {folder} is damaged: {why:.120}. It is kept as {aside.name}. {AGAIN}")
        return None


def put_aside(path: Path) -> Path:
    """Rename what is damaged; nothing is deleted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    return aside


def state() -> dict:
    """Which class and spec is the current one of each slot, and when the test set was opened."""
    path = home() / "state.json"
    if not path.exists():
        return recovered()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found["slots"], dict) and isinstance(found["opened"], list):
            return found
        raise ValueError("it does not hold what it should")
    except (ValueError, TypeError, KeyError, OSError) as error:
        aside = put_aside(path)
        found = recovered()
        tell(f"{path} is damaged ({error!s:.80}); it is kept as {aside.name}, and was made anew from the runs.")
        write_state(found)
        return found


def recovered() -> dict:
    """The state as far as the runs themselves tell it: the latest class of each slot is the current one."""
    found: dict = {"slots": {}, "opened": []}
    runs = [run for path in home().glob("*/*/run.json") if (run := read(path.parent)) is not None]
    for run in sorted(runs, key=lambda run: run.made):
        found["slots"][run.slot] = {"key": run.key, "class": run.network, "seeds": []}
    for run in runs:
        if found["slots"][run.slot]["key"] == run.key:
            found["slots"][run.slot]["seeds"].append(run.seed)
    found["opened"] = sorted({run.tested for run in runs} - {""})
    return found


def write_state(content: dict) -> None:
    home().mkdir(parents=True, exist_ok=True)
    write_json(home() / "state.json", content)


def settle(slot: str, network: str, key: str, seeds: tuple[int, ...]) -> None:
    """Note that this class, with this spec, is now the current one of the slot."""
    content = state()
    before = content["slots"].get(slot)
    if before and before["key"] != key:
        tell(
            f"{network}: the class, the spec or the pictures have changed since the last training, so it is trained "
            "anew. The earlier runs are kept on disk, and count again if you go back."
        )
    content["slots"][slot] = {"key": key, "class": network, "seeds": sorted(seeds)}
    write_state(content)


def runs_of(slot: str) -> list[Run]:
    """The finished runs of a slot's current class and spec, by seed."""
    current = state()["slots"].get(slot)
    if current is None:
        return []
    paths = sorted((home() / slug(slot)).glob(f"{current['key']}-seed*"))
    found = [run for path in paths if ".damaged" not in path.name and (run := read(path)) is not None]
    return sorted(found, key=lambda run: run.seed)


def ablations() -> list[str]:
    """The slots of the ablations."""
    return [slot for slot in state()["slots"] if slot.startswith("ablation/")]


def best(runs: list[Run]) -> Run:
    """The one with the best validation accuracy; with equal ones, of the lower loss."""
    return max(runs, key=lambda run: (run.val_accuracy, -run.val_loss))


def tested(run: Run, accuracy: float, loss: float, when: str) -> None:
    """Note a run's test accuracy."""
    replace(run, test_accuracy=accuracy, test_loss=loss, tested=when).save()
