"""The tables of chapter 06: small trainings on CIFAR-10 and MNIST, each with several seeds.

    python benchmarks/training_well/run.py strengths      # how strong each regulariser is: one seed of its own
    python benchmarks/training_well/run.py regularisers
    python benchmarks/training_well/run.py augmentations
    python benchmarks/training_well/run.py digits
    python benchmarks/training_well/run.py rates          # a learning rate for each optimiser: one seed of its own
    python benchmarks/training_well/run.py race
    python benchmarks/training_well/run.py schedules
    python benchmarks/training_well/run.py search
    python benchmarks/training_well/run.py all --seeds 5
    python benchmarks/training_well/run.py report         # the tables, from what has been recorded
    python benchmarks/training_well/run.py publish        # the same into utils/results, for the chapter

Every training is written to results/PART.json as soon as it ends, with machine, versions, date, command and seed. What
is there already is not run again: an interrupted command is simply repeated. The trials themselves stand in
utils/trials.py. Everything is chosen on validation pictures; the test pictures are looked at once by each training, and
nothing is chosen by them. The pictures are those in `data.folder()`: set CNN_COURSE_DATA to use others.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import torch
import torchvision

from utils import data, device, training, trials
from utils.results.record import Record, write

if __package__:
    from benchmarks.training_well.tables import TABLES, spread
else:
    from tables import TABLES, spread

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results"
COMMAND = "python benchmarks/training_well/run.py"
TUNING_SEED = 100  # what is tuned is tuned with it, and no table uses it
METHODS = ("guess", "grid", "random", "automated")
BUDGET = 12  # trainings for each method
BASE = trials.Trial(epochs=8, optimizer="AdamW")
GUESS = {"lr": 1e-3, "weight_decay": 0.01, "dropout": 0.5, "width": 16}
GRID = {"lr": [3e-4, 2e-3, 1e-2], "weight_decay": [0.01], "dropout": [0.0, 0.4], "width": [16, 24]}


def record_of(part: str) -> Record:
    return Record(RESULTS / f"{part}.json", circumstances)


def circumstances() -> dict:
    """Where and when a row was measured, and with what."""
    machine = device.machine()
    return {
        "machine": {"name": machine.name, "cores": os.cpu_count(), "threads": torch.get_num_threads()},
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "system": platform.system()},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join([COMMAND, *sys.argv[1:]]),
    }


def pictures(part: str) -> data.ImageData:
    found = data.mnist() if part == "digits" else data.cifar10()
    if found.is_standin:
        sys.exit(f"{part}: the real pictures are not there; fetch them with python -m utils.data")
    return trials.small(found, size=14 if part == "digits" else 16)


def spelled(trial: trials.Trial) -> dict:
    """A trial as JSON says it."""
    return asdict(trial) | {"augment": [repr(step) for step in trial.augment]}


def measured(trial: trials.Trial, parts: data.ImageData, seed: int, test: bool = True) -> dict:
    """One training's scores and curves; a training that diverges has none."""
    begin = time.process_time()
    try:
        found = trials.run(trial, parts, seed, test=test)
    except training.TrainingError as error:
        return {"failed": str(error).partition(".")[0], "cpu_seconds": round(time.process_time() - begin, 1)}
    curves = {name: found.history[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    rounded = {name: [round(value, 4) for value in values] for name, values in curves.items()}
    steps = found.history.steps
    rounded["steps"] = [[round(at, 3), round(loss, 4)] for at, loss in steps[:: max(1, len(steps) // 40)]]
    scores = {name: round(value, 5) for name, value in found.scores.items()}
    ended = {"best_epoch": found.history.best_epoch, "ended": found.history.ended, "curves": rounded}
    return scores | ended | {"cpu_seconds": round(time.process_time() - begin, 1)}


def table(part: str, named: dict[str, trials.Trial], seeds) -> None:
    """Every trial with every seed; a seed first for all trials, so that an unfinished table is a fair one."""
    record, parts = record_of(part), pictures(part)
    for seed in seeds:
        for name, trial in named.items():
            if not record.has(name=name, seed=seed, trial=spelled(trial)):
                found = measured(trial, parts, seed, test=seed != TUNING_SEED)
                record.add(name=name, seed=seed, pictures=parts.origin, trial=spelled(trial), **found)
                say(part, record.rows[-1])


def say(part: str, row: dict) -> None:
    told = "failed" if "failed" in row else " ".join(f"{k} {row[k]:.1%}" for k in row if k.endswith("_accuracy"))
    print(f"{part:13} {row['name']:30} seed {row['seed']:3}  {told}  {row['cpu_seconds']} s", flush=True)


# --- what was chosen on validation pictures ---------------------------------------------------------------------------

STRENGTHS = {
    **{f"L1 {v:g}": trials.PLAIN.changed(l1=v) for v in (3e-5, 1e-4, 3e-4)},
    **{f"L2 {v:g}": trials.PLAIN.changed(l2=v) for v in (3e-4, 1e-3, 3e-3)},
    **{f"weight decay {v:g}": trials.PLAIN.changed(optimizer="AdamW", weight_decay=v) for v in (0.3, 1.0, 3.0)},
    **{f"dropout {v:g}": trials.PLAIN.changed(dropout=v) for v in (0.25, 0.5, 0.75)},
}


def rates() -> None:
    """Each optimiser's losses by learning rate."""
    record, parts = record_of("rates"), pictures("rates")
    for name, first in trials.FIRST_LR.items():

        def loss_at(lr: float, name=name) -> float:
            lr = float(f"{lr:.3g}")
            trial = trials.RACE.changed(optimizer=name, lr=lr)
            if not record.has(name=name, trial=spelled(trial)):
                found = measured(trial, parts, TUNING_SEED, test=False)
                about = {"seed": TUNING_SEED, "pictures": parts.origin, "trial": spelled(trial)}
                record.add(name=name, lr=lr, **about, **found)
                say(f"rates {lr:g}", record.rows[-1])
            row = next(row for row in record.rows if row["name"] == name and row["lr"] == lr)
            return row.get("val_loss", float("inf"))

        trials.tuned(loss_at, first)


def best_rates() -> dict[str, float]:
    rows = [row for row in record_of("rates").rows if "val_loss" in row]
    return {
        name: min((row for row in rows if row["name"] == name), key=lambda row: row["val_loss"])["lr"]
        for name in trials.FIRST_LR
    }


def race() -> dict[str, trials.Trial]:
    return {name: trials.RACE.changed(optimizer=name, lr=lr) for name, lr in best_rates().items()}


def schedules() -> dict[str, trials.Trial]:
    """Each schedule at the rate that was best for momentum without one, and at three times that."""
    lr = best_rates()["momentum"]
    return {
        f"{name}, lr {factor * lr:g}": trials.RACE.changed(optimizer="momentum", lr=factor * lr, schedule=name)
        for factor in (1, 3)
        for name in trials.SCHEDULES
    }


# --- searching --------------------------------------------------------------------------------------------------------


def search(seeds) -> None:
    """Each way of searching, with the same number of trainings; its best by validation then meets the test pictures."""
    record, parts = record_of("search"), pictures("search")
    for seed in seeds:
        for method in METHODS:
            if not record.has(name=method, seed=seed, budget=BUDGET, trial=spelled(BASE)):
                found = searched(method, parts, seed)
                about = {"seed": seed, "pictures": parts.origin, "budget": BUDGET, "trial": spelled(BASE)}
                record.add(name=method, **about, **found)
                say("search", record.rows[-1])


def searched(method: str, parts: data.ImageData, seed: int) -> dict:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {
        "guess": lambda: optuna.samplers.RandomSampler(seed=seed),  # asked nothing: all its trials are given
        "grid": lambda: optuna.samplers.GridSampler(GRID, seed=seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        "automated": lambda: optuna.samplers.TPESampler(seed=seed, n_startup_trials=4),
    }
    study = optuna.create_study(direction="maximize", sampler=samplers[method]())
    if method == "guess":
        for _ in range(BUDGET):
            study.enqueue_trial(GUESS)
    best: dict = {"val_accuracy": -1.0}
    begin = time.process_time()

    def objective(trial) -> float:
        width = trial.suggest_int("width", 8, 24, step=8)
        asked = BASE.changed(
            lr=trial.suggest_float("lr", 1e-4, 3e-2, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-3, 1.0, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.6),
            channels=(width, 2 * width, 4 * width),
        )
        found = trials.run(asked, parts, 1000 * (seed + 1) + trial.number, chosen=seed, test=False)
        value = found.scores["val_accuracy"]
        if value > best["val_accuracy"]:
            best.update(found.scores, net=found.net, params=trial.params)
        return value

    study.optimize(objective, n_trials=BUDGET)
    test = trials.scores(best.pop("net"), {"test": (parts.x_test, parts.y_test)})
    tried = [trial.params | {"val_accuracy": round(trial.value, 4)} for trial in study.trials]
    return best | test | {"tried": tried, "cpu_seconds": round(time.process_time() - begin, 1)}


# --- tables -----------------------------------------------------------------------------------------------------------


def grouped(part: str) -> dict[str, list[dict]]:
    groups: dict[str, list[dict]] = {}
    for row in record_of(part).rows:
        groups.setdefault(row["name"], []).append(row)
    return groups


def report() -> None:
    for part in ("strengths", "regularisers", "augmentations", "digits", "race", "schedules", "search"):
        print(f"\n{part}")
        for name, rows in grouped(part).items():
            whole = [row for row in rows if "failed" not in row]
            columns = [c for c in ("train_accuracy", "val_accuracy", "test_accuracy") if whole and c in whole[0]]
            told = "  ".join("{} {:6.2%} ± {:5.2%}".format(c[:-9], *spread([row[c] for row in whole])) for c in columns)
            print(f"  {name:28} {told}  {len(whole)} of {len(rows)} seeds")
    seconds = sum(row["cpu_seconds"] for path in RESULTS.glob("*.json") for row in record_of(path.stem).rows)
    print(f"\nCPU time of all of it: {seconds / 60:.1f} minutes")


def publish(folder: Path = ROOT / "utils" / "results") -> None:
    """What chapter 06 shows, in the form that utils.results reads."""
    for part, (title, columns, lines_of) in TABLES.items():
        if groups := grouped(part):
            publish_part(folder / f"training_well_{part}.json", part, title, columns, *lines_of(groups))


def publish_part(path: Path, part: str, title: str, columns: dict, rows: list[dict], more: dict) -> None:
    last = record_of(part).rows[-1]
    machine = last["machine"]
    about = {
        "title": title,
        "source": f"recorded {last['date'][:10]} on {machine['name']}, {machine['threads']} thread; {COMMAND} {part}",
        "pictures": last["pictures"],
        "machine": machine,
        "versions": last["versions"],
        "command": f"{COMMAND} {part}",
        "columns": columns,
    }
    write(path, about, rows, more)


PARTS = {
    "strengths": lambda seeds: table("strengths", STRENGTHS, [TUNING_SEED]),
    "rates": lambda seeds: rates(),
    "regularisers": lambda seeds: table("regularisers", trials.REGULARISERS, seeds),
    "digits": lambda seeds: table("digits", trials.DIGITS, seeds),
    "race": lambda seeds: table("race", race(), seeds),
    "augmentations": lambda seeds: table("augmentations", trials.AUGMENTATIONS, seeds),
    "search": search,
    "schedules": lambda seeds: table("schedules", schedules(), seeds),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=[*PARTS, "all", "report", "publish"])
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, 2 … (default 3)")
    asked = parser.parse_args(arguments)
    if asked.part in (alone := {"report": report, "publish": publish}):
        alone[asked.part]()
    else:
        torch.set_num_threads(1)  # nothing so small gains from more
        for part in PARTS if asked.part == "all" else [asked.part]:
            PARTS[part](range(asked.seeds))


if __name__ == "__main__":
    main()
