"""One file to hand in: the notebook, the weights, and what the runs say; written only if it will work elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from safetensors.torch import save_file

from utils import __version__, device
from utils.assignment import pictures, runs
from utils.assignment.reading import (
    NAME,
    SAVE,
    binds,
    cells_of,
    definitions,
    find,
    place,
    read,
    without_outputs,
)
from utils.assignment.runs import ROLES, Run, runs_of
from utils.assignment.tables import Table
from utils.checks import tell
from utils.data.files import write_whole
from utils.start import fast

FILE = "assignment_cifar10.zip"
SECONDS = 300  # for the proof
RUN = ("seed", "spec", "history", "val_accuracy", "val_loss", "test_accuracy", "test_loss", "seconds", "data")


class CannotBundle(ValueError):
    """The file to hand in was not written; the message says why, and what to do."""

    def _render_traceback_(self) -> list[str]:
        return [f"Nothing was written. {self.args[0]}"]


def bundle(notebook: str | Path | None = None) -> Table | None:
    """Write assignment_cifar10.zip and list what is in it.

    Before that, a fresh process runs the definition cells of your *saved* notebook, alone, and asks both networks,
    with the weights that will be handed in, for their answers to some validation pictures.

    Parameters
    ----------
    notebook : path
        Your notebook, if it has another name than assignment_cifar10.ipynb.

    Raises
    ------
    CannotBundle, CannotRead
        If something is missing or does not work; then nothing is written, and an earlier file is left alone.
    """
    chosen = {role: runs.best(found) for role in ROLES if (found := runs_of(role))}
    if lacking := [role for role in ROLES if role not in chosen]:
        tell(f"bundle: not done yet. There is no trained network for: {' and '.join(lacking)}.")
        return None
    path = find(notebook)
    prove(cells_of(path), chosen)
    parts = made(path, chosen)
    write_whole(file(), lambda opened: pack(opened, parts))
    remarks(chosen)
    return listing(parts)


def content() -> dict:
    """What bundle.json says; a network without runs is left out."""
    found = {role: some for role in ROLES if (some := runs_of(role))}
    chosen = {role: runs.best(some) for role, some in found.items()}
    return {
        "format": 1,
        "data": pictures.described(),
        "test_opened": runs.state()["opened"],
        "made": runs.now(),
        "versions": {"course": __version__} | {name: version(name) for name in ("torch", "numpy", "safetensors")},
        "machine": asdict(device.machine()),
        "models": {role: model(some, chosen[role]) for role, some in found.items()},
        "ablation": [
            {"name": slot.partition("/")[2], "class": some[0].network, "runs": list(map(told, some))}
            for slot in runs.ablations()
            if (some := runs_of(slot))
        ],
        "files": {f"weights/{role}.safetensors": run.weights for role, run in chosen.items()},
    }


def model(some: list[Run], chosen: Run) -> dict:
    return {
        "class": chosen.network,
        "chosen": chosen.seed,
        "parameters": chosen.parameters,
        "multiply_adds": chosen.multiply_adds,
        "runs": list(map(told, some)),
    }


def told(run: Run) -> dict:
    """A run as the bundle tells it."""
    return {key: getattr(run, key) for key in RUN}


# --- the file ---------------------------------------------------------------------------------------------------------


def made(path: Path, chosen: dict[str, Run]) -> dict[str, tuple[bytes, str]]:
    """The parts of the file: name → bytes, and what it is."""
    from utils.assignment.rules import LIMITS

    plain = json.dumps(without_outputs(read(path)), indent=1, ensure_ascii=False).encode()
    parts = {NAME: (plain, "your notebook, without outputs")}
    parts["bundle.json"] = json.dumps(content(), indent=1).encode(), "spec, histories, accuracies, versions"
    for role, run in chosen.items():
        weights = (run.folder / "weights.safetensors").read_bytes()
        if len(weights) > LIMITS["weights"]:
            raise CannotBundle(
                f"the weights of {run.network} have {len(weights):,} bytes; {LIMITS['weights']:,} are allowed. "
                "Use fewer parameters, and train again."
            )
        what = f"{run.network}, seed {run.seed}: {run.parameters:,} parameters"
        parts[f"weights/{role}.safetensors"] = weights, what
    return parts


def file() -> Path:
    """The file to hand in, beside the notebook."""
    return pictures.folder() / FILE


def pack(file, parts: dict[str, tuple[bytes, str]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, (data, _) in parts.items():
            packed.writestr(name, data)


def listing(parts: dict[str, tuple[bytes, str]]) -> Table:
    rows = [[name, what, size(len(data))] for name, (data, what) in parts.items()]
    total = size(file().stat().st_size)
    return Table(f"{FILE} ({total}), ready to hand in", ["file", "what it is", "size"], rows)


def size(n: int) -> str:
    return f"{n / 1e6:.1f} MB" if n >= 100_000 else f"{n / 1e3:.1f} kB"


def remarks(chosen: dict[str, Run]) -> None:
    """What may be handed in, but should be known."""
    if any(run.test_accuracy is None for run in chosen.values()):
        tell("The test part was not opened for these runs, so no test accuracy is reported: assignment.open_test().")
    if fast():
        tell(f"{pictures.QUICK} This file is for trying things out.")


# --- the proof --------------------------------------------------------------------------------------------------------


def prove(cells: list[dict], chosen: dict[str, Run]) -> None:
    """Raise CannotBundle unless the definition cells, alone, give networks to which the weights belong."""
    names = {"baseline": "Baseline", "proposed": "proposed"}
    alone = [{"number": cell["number"], "source": cell["source"]} for cell in definitions(cells)]
    x = pictures.parts().x_val[: runs.ANSWERS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_file({"x": x.contiguous()}, folder / "pictures.safetensors")
        for role, run in chosen.items():
            (folder / f"{role}.safetensors").write_bytes((run.folder / "weights.safetensors").read_bytes())
        (folder / "task.json").write_text(json.dumps({"cells": alone, "classes": names}), encoding="utf-8")
        found = asked(folder)
    if "answers" not in found:
        raise CannotBundle(explained(found, cells))
    for role, run in chosen.items():
        given = found["answers"][role]
        same = sum(a == b for a, b in zip(given, run.answers, strict=True)) / len(run.answers)
        if same < 0.99:
            raise CannotBundle(
                f"with the saved notebook's definitions, {run.network} gives the same answer as when it was trained to "
                f"only {same:.0%} of {len(given)} validation pictures: the class has changed. {SAVE} If it is saved, "
                "run the training cell again."
            )


def asked(folder: Path) -> dict:
    """The answers of the fresh process."""
    here = str(Path(__file__).resolve().parents[2])  # where `utils` is, whether or not it is installed
    environ = os.environ | {"PYTHONPATH": here, "PYTHONSAFEPATH": "1", "MPLBACKEND": "Agg"}
    call = [sys.executable, "-m", "utils.assignment.proving", str(folder / "task.json")]
    try:
        done = subprocess.run(call, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"kind": "time", "name": "", "message": f"it was not ready after {SECONDS} s"}
    if not (folder / "answers.json").exists():
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return {"kind": "ended", "name": "", "message": said[:300]}
    return json.loads((folder / "answers.json").read_text(encoding="utf-8"))


def explained(found: dict, cells: list[dict]) -> str:
    """What stopped the fresh process, and where to repair it."""
    by_number = {cell["number"]: cell for cell in cells}
    where = f" in {place(by_number[found['cell']])}" if found.get("cell") in by_number else ""
    where = where or (f" in the {found['role']} network" if "role" in found else "")
    if found["kind"] == "NameError" and found["name"]:
        return missing_name(found["name"], where, found, cells)
    if found["kind"] == "no class":
        return missing_class(found["name"], cells)
    if found["kind"] == "ModuleNotFoundError" and Path(f"{found['name']}.py").exists():
        return (
            f"{found['name']}.py lies beside your notebook and is not handed in. Put what you need from it into the "
            "cell “helpers”."
        )
    if "state_dict" in found["message"] or "size mismatch" in found["message"] or found["kind"] == "RuntimeError":
        return (
            f"the trained weights do not belong to the saved notebook's {found.get('role', '')} class "
            f"({found['message']}). {SAVE} If it is saved, run the training cell again."
        )
    return f"the definition cells do not run alone{where}: {found['kind']}: {found['message']}"


def missing_name(name: str, where: str, found: dict, cells: list[dict]) -> str:
    """A name that the definition cells use and do not define."""
    makers = [cell for cell in cells if binds(cell, name)]
    needs = f"`{name}` is needed{where or ' by a definition cell'}"
    if not makers:
        return f"{needs} and is defined nowhere in the saved notebook. {SAVE} Or write it into the cell “helpers”."
    last = makers[-1]
    if last["part"] in ("setup", "definition"):
        return f"{needs}, but only {place(last)} defines it, further down. Move it up, into the cell “helpers”."
    return (
        f"{needs}, but {place(last)} defines it, which is not run when grading. Move that definition into the cell "
        "“helpers”, save, and call this again."
    )


def missing_class(name: str, cells: list[dict]) -> str:
    """One of the two names that must be there is not."""
    makers = [cell for cell in cells if binds(cell, name)]
    if makers:
        return (
            f"`{name}` is defined in {place(makers[-1])}, which is not run when grading. Move it into the cell "
            f"“{'baseline' if name == 'Baseline' else 'proposed'}”, save, and call this again."
        )
    ask = "class Baseline" if name == "Baseline" else "proposed = YourClass"
    return f"no cell of the saved notebook says `{ask}`. {SAVE}"
