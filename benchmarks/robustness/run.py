"""What repairs a network that attacks and new environments break, what it costs, and how sure that is.

    python benchmarks/robustness/run.py train --pictures cifar10 --seeds 3
    python benchmarks/robustness/run.py train --pictures shapes10 --seeds 3
    python benchmarks/robustness/run.py small      # two more networks, to which attacks are carried over
    python benchmarks/robustness/run.py report     # the tables, from what has been recorded
    python benchmarks/robustness/run.py publish    # the same into utils/results, for chapter 10

Each training begins with the network that comes with the course, and goes on for two epochs with 4,000 of its training
pictures: as they are ("plain", the control), attacked ("adversarial"), corrupted and moved ("augmented"), with other
colours ("recoloured"). All of them are judged on the same test pictures. Every run is written to results/PICTURES.json
as soon as it ends; what is there already is not run again. The attacks are Captum's.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from itertools import product
from pathlib import Path
from statistics import mean, stdev

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, device, evaluation, failure, models, training
from utils.checks.answers import attacks
from utils.models import shipping
from utils.results.record import Record, write

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results"
COMMAND = "python benchmarks/robustness/run.py"
EPSILON = {"cifar10": 0.005, "shapes10": 8 / 255}  # of training and of the attacks that judge it
LEARNED = ("noise", "contrast")  # corruptions that the augmentation contains; the other four it never sees
STEPS = 10  # of PGD, each a quarter of epsilon long
LIGHT = ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0))  # backgrounds that the drawn pictures never had
MOVES = {
    "turned 20°": partial(failure.rotate, degrees=20),
    "turned 60°": partial(failure.rotate, degrees=60),
    "moved 3 px": partial(failure.translate, right=3, down=3),
    "moved 8 px": partial(failure.translate, right=8, down=8),
}
SMALL = {
    "small": {"channels": [16, 32, 64], "batch_norm": "before", "dense": []},
    "other": {"channels": [16, 32, 64], "kernel_size": 5, "batch_norm": None, "dense": [64]},
}
ARMS = {
    "plain": [],
    "adversarial": [],
    "augmented": [failure.Moved(degrees=30, pixels=4), failure.Corrupted(LEARNED)],
    "recoloured": [failure.Recoloured()],
}


def recipe(pictures: str, arm: str) -> dict:
    return {"pictures": 4000, "epochs": 2, "batch_size": 100, "lr": 0.02} | (
        {"epsilon": EPSILON[pictures]} if arm == "adversarial" else {}
    )


def pictures_of(name: str) -> data.ImageData:
    found = data.cifar10("cifar10" if name == "cifar10" else "standin")
    return found.split(validation=len(found.y_train) // 10)


# --- attacks ----------------------------------------------------------------------------------------------------------


def summed_loss(logits, y):
    return F.cross_entropy(logits.float(), y, reduction="sum")[None]


def fgsm(net, x, y, epsilon):
    return attacks.fast(net, x, y, epsilon, loss=summed_loss)


def pgd(net, x, y, epsilon):
    return attacks.projected(net, x, y, epsilon, epsilon / 4, STEPS, loss=summed_loss)


# --- training ---------------------------------------------------------------------------------------------------------


def tuned(net: nn.Module, batches: data.Batches, change: Callable | None, epochs: int, lr: float) -> nn.Module:
    """`net`, trained for some more epochs, on batches as they come or as `change(net, x, y)` makes them."""
    where = evaluation.device_of(net)
    optimizer = training.Muon(net, lr=lr, bias_lr=5 * lr, classifier_lr=lr / 2)
    rates = [group["lr"] for group in optimizer.param_groups]
    steps, step = epochs * len(batches), 0
    for _ in range(epochs):
        for x, y in batches:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * (1 - step / steps)
            step += 1
            with device.autocast(where):
                x = change(net.eval(), x, y) if change else x
                loss = F.cross_entropy(net.train()(x).float(), y, label_smoothing=0.2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()


def train(name: str, seeds: range) -> None:
    cifar, record = pictures_of(name), record_of(name)
    if not record.has(arm="before"):
        record.add(arm="before", seed=None, **measured(name, models.shipped(name)[0], cifar), copy=cifar.origin)
    for seed in seeds:
        for arm, changes in ARMS.items():
            made = recipe(name, arm)
            if record.has(arm=arm, seed=seed, recipe=made) or (arm == "recoloured" and name == "cifar10"):
                continue
            device.seed_everything(seed)
            n, begin = made["pictures"], time.perf_counter()
            chosen = torch.randperm(len(cifar.y_train))[:n]
            augment = [data.Flip(), data.Crop(1, mode="reflect"), *changes]
            batches = data.Batches(
                cifar.x_train[chosen], cifar.y_train[chosen], made["batch_size"], augment=augment, seed=seed
            )
            change = attacked(made["epsilon"]) if arm == "adversarial" else None
            net = tuned(models.shipped(name)[0], batches, change, made["epochs"], made["lr"])
            seconds = time.perf_counter() - begin
            found = measured(name, net, cifar)
            record.add(arm=arm, seed=seed, recipe=made, seconds=seconds, **found, copy=cifar.origin)
            print(name, arm, seed, f"{seconds:.0f} s", found, flush=True)


def attacked(epsilon: float) -> Callable:
    """FGSM from a random place near each picture, after Wong, Rice and Kolter, Fast Is Better Than Free, 2020."""

    def change(net, x, y):
        near = (x + epsilon * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
        return fgsm(net, near, y, epsilon).detach()

    return change


def measured(name: str, net: nn.Module, cifar: data.ImageData) -> dict:
    """Accuracies on test pictures: as they are, attacked, corrupted (by corruption and severity), moved, elsewhere."""
    x, y = cifar.x_test[:500], cifar.y_test[:500]
    fast = {"precision": "auto"}
    found = {"clean": evaluation.accuracy(net, cifar.x_test[:2000], cifar.y_test[:2000], **fast)}
    few, epsilon = x[:400].float() / 255, EPSILON[name]
    found["fgsm"] = evaluation.accuracy(net, fgsm(net, few, y[:400], epsilon), y[:400])
    found["pgd"] = evaluation.accuracy(net, pgd(net, few, y[:400], epsilon), y[:400])
    for kind in failure.CORRUPTIONS:
        found[kind] = [
            evaluation.accuracy(net, failure.corrupt(x, kind, severity), y, **fast) for severity in failure.SEVERITIES
        ]
    for words, move in MOVES.items():
        found[words] = evaluation.accuracy(net, move(x), y, **fast)
    if name == "shapes10":
        home = data.shapes10(1000, seed=77)
        away = failure.elsewhere(home, 77, background=LIGHT)
        found |= {place: evaluation.accuracy(net, s.x, s.y, **fast) for place, s in (("home", home), ("away", away))}
    return found


def small() -> None:
    """Two small networks for each set of pictures, shipped: attacks on one network are tried on the others."""
    for name, (kind, arguments) in product(EPSILON, SMALL.items()):
        if (shipping.FOLDER / f"{name}_{kind}.json").exists():
            continue
        cifar = pictures_of(name)
        device.seed_everything(0)
        net = models.pattern((3, 32, 32), **arguments)
        history = training.fit(
            net,
            cifar.subset(n_train=min(15_000, len(cifar.y_train))),
            epochs=4,
            batch_size=100,
            lr=4e-3 if arguments["batch_norm"] else 2e-3,
            schedule=training.triangle(),
            augment=[data.Flip()],
            progress=False,
        )
        net, now = models.rounded(net), circumstances()
        models.ship(
            f"{name}_{kind}",
            net,
            {"in_shape": [3, 32, 32], **arguments},
            network="pattern",
            pictures=f"{cifar.name}, {cifar.origin}",
            val_accuracy=evaluation.accuracy(net, cifar.x_val, cifar.y_val),
            test_accuracy=evaluation.accuracy(net, cifar.x_test, cifar.y_test),
            seconds_of_training=round(history.seconds, 1),
            command=f"{COMMAND} small",
            seed=0,
            recipe=history.spec,
            date=now["date"][:10],
            machine=f"{now['machine']['name']}, {now['threads']} threads, {platform.system()}",
            versions=now["versions"],
        )


# --- what is recorded -------------------------------------------------------------------------------------------------


def record_of(name: str) -> Record:
    return Record(RESULTS / f"{name}.json", circumstances)


def by_arm(name: str, *arms: str) -> list[tuple[str, list[dict]]]:
    """The rows of each of these arms that there are."""
    found = [(arm, [row for row in record_of(name).rows if row["arm"] == arm]) for arm in arms]
    return [(arm, rows) for arm, rows in found if rows]


def circumstances() -> dict:
    """Where and when a row was measured, and with what."""
    return {
        "machine": asdict(device.machine()),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "python": platform.python_version(), "system": platform.system()},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join([COMMAND, *sys.argv[1:]]),
    }


# --- tables -----------------------------------------------------------------------------------------------------------


def attacks_table() -> list[dict]:
    """How many pictures each network still gets right: as they are, and attacked."""
    return [
        {"pictures": name, "network": arm, "epsilon": round(EPSILON[name], 4)} | summed(runs, "clean", "fgsm", "pgd")
        for name in EPSILON
        for arm, runs in by_arm(name, "before", "plain", "adversarial")
    ]


def environments_table() -> list[dict]:
    """A row for each corruption (mean of five severities) and each movement: before, and after either training."""
    rows = []
    for name in EPSILON:
        arms = dict(by_arm(name, "before", "plain", "augmented"))
        for change in ("clean", *failure.CORRUPTIONS, *MOVES) if len(arms) == 3 else ():
            row = {"pictures": name, "change": change, "before": summed(arms["before"], change)[change]}
            for arm in ("plain", "augmented"):
                found = summed(arms[arm], change)
                row |= {arm: found[change], f"{arm} sd": found[f"{change} sd"]}
            rows.append(row | {"seeds": found["seeds"]})
    return rows


def backgrounds_table() -> list[dict]:
    """Shapes before backgrounds that were in the training pictures, and before others."""
    arms = by_arm("shapes10", "before", "plain", "recoloured")
    return [{"network": arm} | summed(runs, "home", "away") for arm, runs in arms]


def summed(runs: list[dict], *keys: str) -> dict:
    """Means over the seeds, each with its standard deviation (0 for a network that was not trained here)."""
    row = {}
    for key in keys:
        values = [mean(run[key]) if isinstance(run[key], list) else run[key] for run in runs]
        row[key] = round(mean(values), 4)
        row[f"{key} sd"] = round(stdev(values), 4) if len(values) > 1 else 0.0
    return row | {"seeds": sum(run["seed"] is not None for run in runs)}


TABLES = {
    "adversarial_training": (attacks_table, "adversarial training: what it wins back, and its price"),
    "new_environments": (environments_table, "corruptions and movements: before and after augmentation"),
    "new_backgrounds": (backgrounds_table, "Shapes-10 before backgrounds that it never saw"),
}
ACCURACY = "share of 500 test pictures that are right (a corruption: mean of five severities), mean over the seeds"
COLUMNS = {
    "pictures": "cifar10, or the drawn stand-in",
    "network": "before: as it comes with the course; then two epochs more with 4,000 pictures: plain, or changed",
    "epsilon": "of the attacks, and of the adversarial training",
    "clean": "share of 2,000 test pictures that are right, mean over the seeds",
    "fgsm": "share of 400 test pictures that are right after one step of epsilon, mean over the seeds",
    "pgd": f"share of the same pictures that are right after {STEPS} steps of epsilon / 4, mean over the seeds",
    "change": "clean (2,000 test pictures), a corruption, or a movement",
    "before": f"{ACCURACY}: the network that comes with the course",
    "plain": f"{ACCURACY}: after two epochs more with 4,000 pictures",
    "augmented": f"{ACCURACY}: the same, with {' and '.join(LEARNED)}, turned up to 30°, moved up to 4 pixels",
    "home": "share of 1,000 shapes that are right before dark backgrounds, as in training, mean over the seeds",
    "away": "the same shapes before light backgrounds",
    "seeds": "how many trainings",
}
COLUMNS |= {f"{column} sd": f"{column}: standard deviation over the seeds" for column in COLUMNS}


def report() -> None:
    for title, (made, words) in TABLES.items():
        print(f"\n{title}: {words}")
        for row in made():
            print("  ".join(f"{key} {value}" for key, value in row.items()))


def publish(folder: Path = ROOT / "utils" / "results") -> None:
    """What chapter 10 shows."""
    rows = [row for name in EPSILON for row in record_of(name).rows]
    last = max(rows, key=lambda row: row["date"])
    for title, (made, words) in TABLES.items():
        head = {
            "title": words,
            "source": f"benchmarks/robustness, {last['date'][:10]}; {last['machine']['name']}, {last['cores']} cores",
            "copy": {name: record_of(name).rows[0]["copy"] for name in EPSILON if record_of(name).rows},
            "machine": last["machine"],
            "versions": last["versions"],
            "command": f"{COMMAND} train --pictures cifar10 --seeds 3",
            "columns": {column: COLUMNS[column] for column in made()[0]},
        }
        write(folder / f"{title}.json", head, made())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["train", "small", "report", "publish"])
    parser.add_argument("--pictures", choices=list(EPSILON), default="cifar10")
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, 2 … (default 3)")
    asked = parser.parse_args(arguments)
    if asked.part == "train":
        train(asked.pictures, range(asked.seeds))
    else:
        {"small": small, "report": report, "publish": publish}[asked.part]()


if __name__ == "__main__":
    main()
