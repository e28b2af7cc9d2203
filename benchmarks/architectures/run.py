"""The tables of chapter 07: architectures on one budget, plain and residual networks by depth, transfer learning.

    python benchmarks/architectures/run.py rates           # learning rates, with a seed of their own
    python benchmarks/architectures/run.py family          # small relatives of the famous networks, on one budget
    python benchmarks/architectures/run.py depth           # plain against residual
    python benchmarks/architectures/run.py transfer        # frozen, fine-tuned, from scratch, at several sizes
    python benchmarks/architectures/run.py all --seeds 3
    python benchmarks/architectures/run.py report          # the tables, from what has been recorded
    python benchmarks/architectures/run.py publish         # the same into utils/results, for the chapter

Every training is written to results/PART.json as soon as it ends, with machine, versions, date and seed; what is there
already is not run again. A seed draws the training pictures, the network's first weights and the order. The learning
rates are chosen on validation pictures, 1,000 from the end of the training set, which nobody else sees. Set
CNN_COURSE_DATA to where the pictures are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from statistics import mean, stdev

import torch

from utils import data, evaluation, models, training, transfer
from utils.data.image_data import ImageData, stratified
from utils.results.record import Records
from utils.trials import shrink

COMMAND = "python benchmarks/architectures/run.py"
RECORDS = Records(Path(__file__).parent / "results", "architectures", COMMAND)
TUNING_SEED = 100
BUDGET = {"pictures": 4000, "epochs": 8, "batch_size": 50}  # of every network of the family
RATES = (1e-3, 3e-3, 1e-2)
DEEP = {"pictures": 4000, "epochs": 6, "batch_size": 50}
DEEP_RATES = (0.01, 0.03, 0.1, 0.3)
DEEPEST = (
    56,
    {"plain": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1), "residual": (0.01, 0.03)},
)  # layers, rates: one seed, does it learn?
MOMENTUM = partial(torch.optim.SGD, momentum=0.9)  # as in the paper; Adam would hide how large gradients are
DEPTHS = (8, 14, 20, 32)
KINDS = {"plain": models.plain, "residual": models.residual}
SOURCE = ("airplane", "automobile", "bird", "cat", "deer")
TARGET = ("dog", "frog", "horse", "ship", "truck")
SIZES = (25, 100, 400, 1600)  # pictures of the target's five classes together
STEPS, BATCH = 200, 50
PRETRAINING = {"CIFAR-10": {"pictures": 10_000, "epochs": 6}, "shapes": {"pictures": 5000, "epochs": 3}}


# --- pictures and networks --------------------------------------------------------------------------------------------


@cache
def photographs() -> ImageData:
    """CIFAR-10 with its last 1,000 training pictures for validation."""
    found = data.cifar10("cifar10")
    rest, val = slice(None, -1000), slice(-1000, None)
    parts = {"x_train": found.x_train[rest], "y_train": found.y_train[rest]}
    return replace(found, x_val=found.x_train[val], y_val=found.y_train[val], **parts)


@cache
def small() -> ImageData:
    """The same at half the height and width."""
    large = photographs()
    return replace(large, **{name: shrink(getattr(large, name), 2) for name in ("x_train", "x_val", "x_test")})


@cache
def drawn() -> ImageData:
    """Drawn shapes, 16×16: a source that has little to do with photographs."""
    x, y = shapes(PRETRAINING["shapes"]["pictures"])
    x = shrink(x, 2)
    return ImageData("Shapes-10", data.SHAPES, x, y, x[:1], y[:1], True, "drawn")


def shapes(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    found = data.shapes10(n)
    return found.x, found.y


def chosen(pictures: ImageData, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    some, _ = stratified(pictures.y_train, n, seed)
    return pictures.x_train[some], pictures.y_train[some]


def started(make: Callable, seed: int):
    """A new network whose first weights depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def learned(net, train: tuple, budget: dict, lr: float, seed: int, optimizer=None):
    settings = {"lr": lr, "seed": seed, "schedule": training.triangle(), "keep": "last", "optimizer": optimizer}
    sizes = {"epochs": budget["epochs"], "batch_size": budget.get("batch_size", BATCH)}
    history = training.fit(net, train, device="cpu", precision="float32", progress=False, **settings, **sizes)
    return net, history


def scores(net, pictures: ImageData, *parts: str) -> dict[str, float]:
    return {
        part: evaluation.accuracy(net, getattr(pictures, f"x_{part}"), getattr(pictures, f"y_{part}")) for part in parts
    }


# --- trainings --------------------------------------------------------------------------------------------------------


def rates() -> None:
    """Learning rates, judged by validation pictures: for each network of the family, for both kinds at each depth, and
    for both kinds of training in transfer at each size. And whether networks of 56 layers learn at all."""
    for name, make in models.FAMILY.items():
        for lr in RATES:
            key = {"name": name, "lr": lr, "seed": TUNING_SEED}
            if not RECORDS.has("rates", key):
                begin = time.process_time()
                train = chosen(photographs(), BUDGET["pictures"], TUNING_SEED)
                net, _ = learned(started(make, TUNING_SEED), train, BUDGET | {"epochs": 4}, lr, TUNING_SEED)
                RECORDS.add("rates", key | scores(net, photographs(), "val"), begin)
    for kind in KINDS:
        for lr in DEEPEST[1][kind]:
            depth_rate(f"deepest, {kind}", kind, DEEPEST[0], lr, DEEP)
        for layers in DEPTHS:
            for lr in DEEP_RATES:
                depth_rate(f"{kind}, {layers}", kind, layers, lr, DEEP | {"epochs": 3})
    transfer_rates()


def depth_rate(name: str, kind: str, layers: int, lr: float, budget: dict) -> None:
    key = {"name": name, "lr": lr, "seed": TUNING_SEED}
    if not RECORDS.has("rates", key):
        begin = time.process_time()
        train = chosen(small(), DEEP["pictures"], TUNING_SEED)
        net = started(lambda: models.deep(layers, KINDS[kind]), TUNING_SEED)
        net, history = learned(net, train, budget, lr, TUNING_SEED, MOMENTUM)
        RECORDS.add("rates", key | scores(net, small(), "val") | {"loss": history["loss"][-1]}, begin)


def transfer_rates() -> None:
    target = transfer.only(small(), TARGET)
    for n in SIZES:
        x, y = chosen(target, n, TUNING_SEED)
        for way in ("fine-tuned", "from scratch"):
            for lr in RATES:
                key = {"name": f"{way}, {n}", "lr": lr, "seed": TUNING_SEED}
                if not RECORDS.has("rates", key):
                    begin = time.process_time()
                    start = pretrained("CIFAR-10", TUNING_SEED) if way == "fine-tuned" else network(TUNING_SEED)
                    net = transfer.renewed(start, len(TARGET), TUNING_SEED)
                    net = transfer.trained(net, x, y, lr=lr, steps=STEPS, batch_size=BATCH, seed=TUNING_SEED)
                    RECORDS.add("rates", key | scores(net, target, "val"), begin)


def best_rate(name: str) -> float:
    rows = [row for row in RECORDS.rows("rates") if row["name"] == name]
    if len(rows) < len(RATES):
        sys.exit(f"first run {COMMAND} rates: a learning rate for {name!r} is not chosen yet")
    return max(rows, key=lambda row: row["val"])["lr"]


def family(seeds: Iterable[int]) -> None:
    for seed in seeds:
        for name, make in models.FAMILY.items():
            key = {"name": name, "seed": seed}
            if RECORDS.has("family", key):
                continue
            train = chosen(photographs(), BUDGET["pictures"], seed)
            net = started(make, seed)
            about = {"parameters": models.count(net), "multiply_adds": models.multiply_adds(net), "lr": best_rate(name)}
            begin = time.process_time()
            net, history = learned(net, train, BUDGET, about["lr"], seed)
            seconds = round(time.process_time() - begin, 1)
            found = {"train": evaluation.accuracy(net, *train)} | scores(net, photographs(), "val", "test")
            curve = {"loss": [round(value, 4) for value in history["loss"]]}
            RECORDS.add("family", key | about | {"seconds": seconds} | found | curve, begin)


def depth(seeds: Iterable[int]) -> None:
    """Plain and residual networks of equal depth and parameters, each at the best of four rates."""
    for seed in seeds:
        for layers in DEPTHS:
            for kind, block in KINDS.items():
                key = {"kind": kind, "depth": layers, "seed": seed}
                if RECORDS.has("depth", key):
                    continue
                begin, lr = time.process_time(), best_rate(f"{kind}, {layers}")
                x, y = chosen(small(), DEEP["pictures"], seed)
                net = started(lambda layers=layers, block=block: models.deep(layers, block), seed)
                norms = models.gradient_norms(net, x[:100].float() / 255, y[:100])
                net, history = learned(net, (x, y), DEEP, lr, seed, MOMENTUM)
                found = {"train": evaluation.accuracy(net, x, y)} | scores(net, small(), "val", "test")
                about = {"lr": lr, "parameters": models.count(net), "loss": [round(v, 4) for v in history["loss"]]}
                RECORDS.add(
                    "depth", key | about | found | {"gradient_norms": [float(f"{v:.4g}") for v in norms]}, begin
                )


def network(seed: int):
    return started(lambda: models.SmallResNet((3, 16, 16), len(SOURCE), blocks=(1, 1, 1), stride=1), seed)


@cache
def pretrained(source: str, seed: int):
    """A network that has learned five classes of photographs, or ten drawn shapes."""
    budget = PRETRAINING[source]
    pictures = transfer.only(small(), SOURCE) if source == "CIFAR-10" else drawn()
    net = transfer.renewed(network(seed), len(pictures.classes), seed)
    net, _ = learned(net, chosen(pictures, budget["pictures"], seed), budget, 3e-3, seed)
    if source == "CIFAR-10":
        print(f"pretrained, seed {seed}: {scores(net, pictures, 'test')}", flush=True)
    return net


def adapted(way: str, x: torch.Tensor, y: torch.Tensor, seed: int):
    """A network for the target's classes, in one of the five ways."""
    classes, n = len(TARGET), len(y)
    if way in ("fine-tuned", "from scratch"):
        start = pretrained("CIFAR-10", seed) if way == "fine-tuned" else network(seed)
        lr = best_rate(f"{way}, {n}")
        net = transfer.renewed(start, classes, seed)
        return transfer.trained(net, x, y, lr=lr, steps=STEPS, batch_size=BATCH, seed=seed)
    starts = {
        "frozen": lambda: pretrained("CIFAR-10", seed),
        "frozen, from shapes": lambda: pretrained("shapes", seed),
        "frozen, random": lambda: network(seed),
    }
    return transfer.frozen(starts[way](), x, y, classes)


WAYS = ("frozen", "fine-tuned", "from scratch", "frozen, from shapes", "frozen, random")


def transfers(seeds: Iterable[int]) -> None:
    target = transfer.only(small(), TARGET)
    for seed in seeds:
        for n in SIZES:
            x, y = chosen(target, n, seed)
            for way in WAYS:
                key = {"way": way, "pictures": n, "seed": seed}
                if RECORDS.has("transfer", key):
                    continue
                begin = time.process_time()
                net = adapted(way, x, y, seed)
                RECORDS.add(
                    "transfer", key | {"train": evaluation.accuracy(net, x, y)} | scores(net, target, "test"), begin
                )


# --- tables -----------------------------------------------------------------------------------------------------------


def spread(rows: list[dict], column: str) -> tuple[float, float]:
    values = [row[column] for row in rows]
    return round(mean(values), 4), round(stdev(values), 4)


def family_table() -> tuple[list[dict], dict]:
    groups, lines = RECORDS.grouped("family", "name"), []
    for (name,), rows in sorted(groups.items(), key=lambda item: list(models.FAMILY).index(item[0][0])):
        (test, sd), (val, val_sd) = spread(rows, "test"), spread(rows, "val")
        line = {"name": name, "parameters": rows[0]["parameters"], "multiply_adds": rows[0]["multiply_adds"]}
        line |= {"seconds": round(mean(row["seconds"] for row in rows), 1), "lr": rows[0]["lr"]}
        line |= {"train": spread(rows, "train")[0], "val": val, "val_sd": val_sd, "test": test, "sd": sd}
        lines.append(line | {"seeds": len(rows)})
    by_seed = {name: [row["test"] for row in rows] for (name,), rows in groups.items()}
    return lines, {"test_by_seed": by_seed}


def depth_table() -> tuple[list[dict], dict]:
    groups, lines = RECORDS.grouped("depth", "depth", "kind"), []
    for (layers, kind), rows in sorted(groups.items()):
        (test, sd), (train, train_sd) = spread(rows, "test"), spread(rows, "train")
        line = {"depth": layers, "kind": kind, "parameters": rows[0]["parameters"], "lr": rows[0]["lr"]}
        line |= {"loss": round(mean(row["loss"][-1] for row in rows), 3), "train": train, "train_sd": train_sd}
        lines.append(line | {"test": test, "sd": sd, "seeds": len(rows)})
    named = {f"{kind} {layers}": rows for (layers, kind), rows in groups.items()}
    rates = RECORDS.rows("rates")
    deepest = {
        kind: {f"{row['lr']:g}": round(row["val"], 3) for row in rates if row["name"] == f"deepest, {kind}"}
        for kind in KINDS
    }
    return lines, {
        "by_seed": {name: {c: [row[c] for row in rows] for c in ("train", "test")} for name, rows in named.items()},
        "gradient_norms": {name: [row["gradient_norms"] for row in rows] for name, rows in named.items()},
        "deepest": {"layers": DEEPEST[0], "validation_by_rate": deepest, "seeds": 1},
    }


def transfer_table() -> tuple[list[dict], dict]:
    groups, lines = RECORDS.grouped("transfer", "way", "pictures"), []
    for (way, n), rows in sorted(groups.items(), key=lambda item: (item[0][1], WAYS.index(item[0][0]))):
        test, sd = spread(rows, "test")
        lines.append({"pictures": n, "way": way, "test": test, "sd": sd, "seeds": len(rows)})
    by_seed = {f"{way}, {n}": [row["test"] for row in rows] for (way, n), rows in groups.items()}
    tuned = [f"{way}, {n}" for way in ("fine-tuned", "from scratch") for n in SIZES]
    return lines, {"test_by_seed": by_seed, "rates": {name: best_rate(name) for name in tuned} if lines else {}}


TABLES = {
    "family": (
        f"small relatives of the famous networks: {BUDGET['pictures']:,} photographs, {BUDGET['epochs']} epochs",
        "CIFAR-10 (a JPEG copy)",
        {
            "name": "whose ideas it has; the networks are those of utils/models/architectures.py",
            "parameters": "numbers that are learned",
            "multiply_adds": "for one picture, forwards",
            "seconds": "CPU seconds of the training, mean over the seeds",
            "lr": "learning rate: the best of three by validation pictures, after 4 epochs, with a seed of its own",
            "train": "accuracy on the training pictures, mean over the seeds",
            "val": "accuracy on 1,000 validation pictures, mean over the seeds",
            "val_sd": "its standard deviation over the seeds",
            "test": "accuracy on 10,000 test pictures, mean over the seeds",
            "sd": "its standard deviation over the seeds",
            "seeds": "how many trainings: each seed draws its own pictures, start and order",
        },
        family_table,
    ),
    "depth": (
        f"plain against residual by depth: {DEEP['pictures']:,} photographs of 16×16, {DEEP['epochs']} epochs",
        "CIFAR-10 (a JPEG copy), shrunk to 16×16",
        {
            "depth": "layers with weights",
            "kind": "plain: blocks of two convolutions; residual: the same, with the input added",
            "parameters": "numbers that are learned",
            "lr": "learning rate of SGD with momentum 0.9: the best of four by validation pictures after 3 epochs, "
            "with a seed of its own",
            "loss": "training loss in the last epoch, nats, mean over the seeds",
            "train": "accuracy on the training pictures after the last epoch, mean over the seeds",
            "train_sd": "its standard deviation over the seeds",
            "test": "accuracy on 10,000 test pictures, mean over the seeds",
            "sd": "its standard deviation over the seeds",
            "seeds": "how many trainings: each seed draws its own pictures, start and order",
        },
        depth_table,
    ),
    "transfer": (
        f"from {', '.join(SOURCE)} to {', '.join(TARGET)}, {STEPS} steps",
        "CIFAR-10 (a JPEG copy), shrunk to 16×16",
        {
            "pictures": "of the five new classes together, to learn from",
            "way": "frozen: a new last layer on fixed features; fine-tuned: everything learns on; from scratch; frozen "
            "features of a network that learned drawn shapes, and of one that has learned nothing",
            "test": "accuracy on the 5,000 test pictures of the new classes, mean over the seeds",
            "sd": "its standard deviation over the seeds",
            "seeds": "how many: each seed draws its own pictures, start, order, and pretraining",
        },
        transfer_table,
    ),
}


def main(arguments: list[str] | None = None) -> None:
    torch.set_num_threads(1)  # nothing so small gains from more
    RECORDS.main(arguments, __doc__, {"family": family, "depth": depth, "transfer": transfers}, TABLES, rates)


if __name__ == "__main__":
    main()
