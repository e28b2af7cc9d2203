"""How long CIFAR-10 takes: the tutorial's recipe, the same network at the library's speed, and the fast recipe.

    python benchmarks/time_to_accuracy/run.py seed         # seconds per epoch, the tutorial's recipe as it stands
    python benchmarks/time_to_accuracy/run.py library      # its network, batch and optimiser through fit
    python benchmarks/time_to_accuracy/run.py tutorial     # so, all of its 20 epochs; goes on where it was stopped
    python benchmarks/time_to_accuracy/run.py fast --seeds 5
    python benchmarks/time_to_accuracy/run.py ladder --only 88 --seeds 3
    python benchmarks/time_to_accuracy/run.py ablation --seeds 3
    python benchmarks/time_to_accuracy/run.py pace         # seconds of each recipe, from some of its steps
    python benchmarks/time_to_accuracy/run.py report       # the tables, from what has been recorded
    python benchmarks/time_to_accuracy/run.py publish      # the same into utils/results, for chapter 05

Every run is written to results/PART.json as soon as it ends, with its machine, versions, date, command and seed. What
is there already is not run again: an interrupted command is simply repeated. Trainings use all 50,000 training pictures
and look at the test pictures once, at the end; with --validation they leave 5,000 training pictures out and are judged
on those: all choices were made that way. The clock counts training, from the first step to the last; making the network
and evaluating it are not in it. Long trainings seldom have a machine for themselves: "pace" times some steps of every
recipe on a quiet one, and the tables give the seconds that follow from it wherever it was measured. The pictures are
those in `data.folder()`: set CNN_COURSE_DATA to compare copies, since accuracies are higher on the original files than
on copies made with JPEG.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from dataclasses import asdict, replace
from datetime import datetime
from itertools import product
from pathlib import Path
from statistics import mean, median, stdev

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from utils import data, device, evaluation, models, training
from utils.results.record import Record, write

if __package__:
    from benchmarks.time_to_accuracy.recipes import ABLATION, FAST, LADDER, Recipe
else:
    from recipes import ABLATION, FAST, LADDER, Recipe

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results"
COMMAND = "python benchmarks/time_to_accuracy/run.py"
EPOCHS = 20  # of the tutorial's recipe
NORMALISE = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))  # as in the tutorial


# --- what is recorded -------------------------------------------------------------------------------------------------


def record_of(part: str) -> Record:
    return Record(RESULTS / f"{part}.json", circumstances)


def circumstances() -> dict:
    """Where and when a row was measured, and with what."""
    return {
        "machine": asdict(device.machine()),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),  # other work on the machine makes seconds longer, and only them
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "system": platform.platform()},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join(["python", "benchmarks/time_to_accuracy/run.py", *sys.argv[1:]]),
    }


def cifar10() -> data.ImageData:
    cifar = data.cifar10()
    if cifar.is_standin:
        sys.exit("CIFAR-10 is not there, and on its stand-in there is nothing to measure: python -m utils.data cifar10")
    return cifar


# --- (a) and (b): the tutorial's network ------------------------------------------------------------------------------


class Pictures(Dataset):
    """As torchvision's CIFAR10 gives them out: one PIL picture after the other, through the transforms."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor, transform):
        self.x, self.y, self.transform = x.permute(0, 2, 3, 1).numpy(), y.tolist(), transform

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int):
        return self.transform(transforms.functional.to_pil_image(self.x[i])), self.y[i]


def timed(batches, step, warm: int, steps: int) -> float:
    """Seconds per step: the mean over `steps` of them, after `warm`."""
    begin = 0.0
    for i, (x, y) in enumerate(batches):
        if i == warm:
            begin = time.perf_counter()
        if i == warm + steps:
            break
        step(x, y)
    else:
        raise ValueError(f"{warm} + {steps} steps are more than there are: {len(batches)}.")
    return (time.perf_counter() - begin) / steps


def seed_recipe(steps: int) -> dict:
    """The tutorial's training loop and its evaluations, as they stand there; seconds per epoch."""
    cifar, where = cifar10(), device.best()
    plain = [transforms.ToTensor(), transforms.Normalize(*NORMALISE)]
    moved = transforms.Compose([transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *plain])
    train = DataLoader(Pictures(cifar.x_train, cifar.y_train, moved), batch_size=128, shuffle=True, num_workers=2)
    test = DataLoader(Pictures(cifar.x_test, cifar.y_test, transforms.Compose(plain)), batch_size=128, num_workers=2)
    net = models.CifarCNN()
    net.standardise = nn.Identity()  # the transforms do it
    net.to(where)
    optimizer, criterion = torch.optim.Adam(net.parameters(), lr=1e-4), nn.CrossEntropyLoss()

    def learn(x, y):
        loss = criterion(net(x.to(where)), y.to(where))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    @torch.no_grad()
    def judge(x, y):
        (net(x.to(where)).argmax(1) == y.to(where)).sum().item()

    net.train()
    learning = timed(train, learn, 3, steps)
    net.eval()
    judging = [timed(loader, judge, 3, min(steps, len(loader) - 4)) for loader in (train, test)]
    return {
        "train_seconds_per_epoch": learning * len(train),
        "evaluation_seconds_per_epoch": judging[0] * len(train) + judging[1] * len(test),
    }


def library_speed(steps: int) -> dict:
    """The same network, optimiser and batch through `fit`: pictures as one tensor, bfloat16, channels_last."""
    cifar = cifar10()
    n = 128 * steps
    net = models.CifarCNN(standardise=models.Standardise(*NORMALISE))
    history = training.fit(
        net,
        (cifar.x_train[:n], cifar.y_train[:n]),
        epochs=2,  # the first warms up
        batch_size=128,
        lr=1e-4,
        augment=[data.Crop(4), data.Flip()],
        progress=False,
    )
    begin = time.perf_counter()
    evaluation.logits(net, cifar.x_test, precision="auto")
    test = time.perf_counter() - begin
    return {
        "train_seconds_per_epoch": history["seconds"][-1] / steps * -(-len(cifar.y_train) // 128),
        "evaluation_seconds_per_epoch": test * (len(cifar.y_train) + len(cifar.y_test)) / len(cifar.y_test),
    }


def tutorial() -> None:
    """All epochs of the tutorial's recipe through `fit`; as there, the test pictures are looked at after each epoch."""
    cifar, record = cifar10(), record_of("tutorial")
    device.seed_everything(0)
    history = training.fit(
        models.CifarCNN(standardise=models.Standardise(*NORMALISE)),
        (cifar.x_train, cifar.y_train),
        (cifar.x_test, cifar.y_test),
        epochs=EPOCHS,
        batch_size=128,
        lr=1e-4,
        augment=[data.Crop(4), data.Flip()],
        keep="last",
        checkpoint=RESULTS / "tutorial",
    )
    if not record.rows:
        record.add(history=history.rows, spec=history.spec, seed=0, copy=cifar.origin)


def measure_steps(part: str, steps: int, repeat: int) -> None:
    measured = {"seed": seed_recipe, "library": library_speed}[part]
    record = record_of(part)
    for i in range(repeat):
        if not record.has(steps=steps, repeat=i):
            record.add(steps=steps, repeat=i, **measured(steps))
    show_steps()


# --- (c): trainings ---------------------------------------------------------------------------------------------------


def train(part: str, recipes: list[Recipe], seeds: range, validation: bool) -> None:
    """Every recipe with every seed, those that are recorded left out."""
    cifar, record = cifar10(), record_of(part)
    judged_on = "validation" if validation else "test"
    cifar = cifar.split(validation=5000) if validation else cifar
    x, y = (cifar.x_val, cifar.y_val) if validation else (cifar.x_test, cifar.y_test)
    for recipe in recipes:
        for seed in seeds:
            key = {"name": recipe.name, "seed": seed, "recipe": asdict(recipe), "judged_on": judged_on}
            if record.has(**key):
                continue
            net, history = recipe.train(replace(cifar, x_val=None, y_val=None), seed)
            accuracy, mirrored = (
                evaluation.accuracy(evaluation.logits(net, x, tta=tta, precision="auto"), y) for tta in (False, True)
            )
            record.add(
                **key,
                accuracy=accuracy,
                accuracy_tta=mirrored,
                seconds=history.seconds,
                seconds_by_epoch=history["seconds"],
                pictures=len(cifar.y_train),
                copy=cifar.origin,
            )
            show_trainings(part, judged_on)


def pace(recipes: list[Recipe], steps: int, repeat: int = 1) -> None:
    """Seconds of each recipe's training, from some steps of each of its phases; one recipe after the other, repeatedly.

    On a shared machine neighbours come and go within minutes: the tables have the median.
    """
    cifar, record = cifar10(), record_of("pace")
    for i, recipe in product(range(repeat), recipes):
        if record.has(recipe=asdict(recipe), steps=steps, repeat=i):
            continue
        n, seconds = recipe.batch_size * steps, {}
        some = replace(cifar, x_train=cifar.x_train[:n], y_train=cifar.y_train[:n], x_val=None, y_val=None)
        for (size, frozen), share in recipe.phases(cifar.x_train.shape[-1]).items():
            part = {"stages": ((1.0, size),), "freeze": 1e-9 if frozen else 1.0, "skip_easy": ()}
            timed_recipe = recipe.changed(recipe.name, epochs=2, **part)  # the first epoch warms up
            _, history = timed_recipe.train(some, progress=False)
            step = history["seconds"][-1] / steps
            seconds[f"{size}{' frozen' * frozen}"] = step * share * recipe.steps(cifar)
        whole = {"seconds": sum(seconds.values()), "by_phase": seconds}
        record.add(name=recipe.name, recipe=asdict(recipe), steps=steps, repeat=i, **whole)
        print(f"{recipe.name}: {whole['seconds']:.1f} s", flush=True)


# --- tables -----------------------------------------------------------------------------------------------------------


def table(title: str, head: tuple[str, ...], rows: list[tuple]) -> None:
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, *rows]:
        cells = [
            f"{row[0]:<{widths[0]}}",
            *(f"{cell!s:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        print("  ".join(cells))


def show_steps() -> None:
    rows = []
    for part, name in (("seed", "tutorial's recipe as it stands"), ("library", "the same network through fit")):
        found = record_of(part).rows
        if found:
            learning, judging = (
                mean(row[f"{what}_seconds_per_epoch"] for row in found) for what in ("train", "evaluation")
            )
            rows.append(
                (name, f"{learning:.0f} s", f"{judging:.0f} s", f"{learning * EPOCHS / 60:.0f} min", len(found))
            )
    if rows:
        head = ("", "epoch", "its evaluations", f"{EPOCHS} epochs of training", "measured")
        table("Seconds per epoch, from some of the steps", head, rows)


def show_trainings(part: str, judged_on: str) -> None:
    groups: dict[str, list[dict]] = {}
    for row in record_of(part).rows:
        if row["judged_on"] == judged_on:
            groups.setdefault(json.dumps(row["recipe"]), []).append(row)
    rows = [summed_up(group) for group in groups.values()]
    head = ("recipe", "epochs", "seconds", "accuracy", "sd", "with mirror images", "seeds")
    if rows:
        table(f"{part}: {judged_on} pictures (* from the pace of some steps)", head, rows)


def summed_up(group: list[dict]) -> tuple:
    """A line of the table for one recipe's runs."""
    accuracies = [row["accuracy"] for row in group]
    paced = pace_of(group[0]["recipe"])
    spread = f"{stdev(accuracies):.2%}" if len(group) > 1 else "–"
    return (
        group[0]["name"],
        group[0]["recipe"]["epochs"],
        f"{paced:.1f}*" if paced else f"{mean(row['seconds'] for row in group):.1f}",
        f"{mean(accuracies):.2%}",
        spread,
        f"{mean(row['accuracy_tta'] for row in group):.2%}",
        len(group),
    )


def report() -> None:
    show_steps()
    for part in ("fast", "ladder", "ablation"):
        for judged_on in ("test", "validation"):
            show_trainings(part, judged_on)
    seed, fast = record_of("seed").rows, [row for row in record_of("fast").rows if row["judged_on"] == "test"]
    if seed and fast:
        slow = mean(row["train_seconds_per_epoch"] for row in seed) * EPOCHS
        quick = pace_of(fast[0]["recipe"]) or mean(row["seconds"] for row in fast)
        print(f"\nThe tutorial's {EPOCHS} epochs take {slow / quick:.0f} times as long as the fast recipe.")


def publish(folder: Path = ROOT / "utils" / "results") -> None:
    """What chapter 05 shows: the ladder, the ablation, and the tutorial's recipe on the copy at hand."""
    if rows := record_of("tutorial").rows:
        columns = {
            "epoch": "counted from 1",
            "loss": "mean training loss of the epoch's batches, cross-entropy, while the weights change, dropout is on",
            "test_accuracy": "share of the 10,000 test pictures that are right after the epoch",
            "seconds": "the epoch's training, without evaluation, beside other work on the machine",
        }
        epochs = [
            {"epoch": e["epoch"], "loss": e["loss"], "test_accuracy": e["val_accuracy"], "seconds": e["seconds"]}
            for e in rows[0]["history"]
        ]
        write_result(folder / "tutorial_on_copy.json", "the tutorial's recipe, run again", rows, columns, epochs)
    columns = {
        "recipe": "in benchmarks/time_to_accuracy/recipes.py",
        "channels": "of the three blocks",
        "epochs": "how often each of the 50,000 training pictures is seen, at most",
        "seconds": "of training, from the pace of some steps on a quiet machine",
        "accuracy": "share of the 10,000 test pictures that are right, mean over the seeds",
        "sd": "standard deviation over the seeds",
        "mirrored": "the same, answers averaged over each picture and its mirror image",
        "seeds": "how many trainings",
    }
    for part, title in (("ladder", "how far minutes carry"), ("ablation", "the fast recipe, changed in one thing")):
        groups: dict[str, list[dict]] = {}
        for row in [*(record_of("fast").rows), *(record_of(part).rows)]:
            if row["judged_on"] == "test":
                groups.setdefault(json.dumps(row["recipe"]), []).append(row)
        found = [group for group in groups.values() if len(group) > 1]  # one seed says too little
        if len(found) > 1:
            measured = [row for group in found for row in group]
            rows = sorted(map(as_row, found), key=lambda row: row["accuracy"])
            write_result(folder / f"cifar10_{part}.json", title, measured, columns, rows)


def as_row(group: list[dict]) -> dict:
    """One recipe's runs as a row of a result; without a pace, its seconds are not known."""
    by_seed = {row["seed"]: row for row in group}  # the same recipe may stand in two parts
    accuracies = [row["accuracy"] for row in by_seed.values()]
    seconds = pace_of(group[0]["recipe"])
    return {
        "recipe": group[0]["name"],
        "channels": "-".join(map(str, group[0]["recipe"]["widths"])),
        "epochs": group[0]["recipe"]["epochs"],
        "seconds": round(seconds, 1) if seconds else "",
        "accuracy": round(mean(accuracies), 4),
        "sd": round(stdev(accuracies), 4) if len(accuracies) > 1 else "",
        "mirrored": round(mean(row["accuracy_tta"] for row in by_seed.values()), 4),
        "seeds": len(by_seed),
    }


def pace_of(recipe: dict) -> float | None:
    """Seconds of a recipe's training on a quiet machine, if that was measured."""
    return median(found) if (found := [r["seconds"] for r in record_of("pace").rows if r["recipe"] == recipe]) else None


def write_result(path: Path, title: str, measured: list[dict], columns: dict, rows: list[dict]) -> None:
    """A result as `utils.results` reads it."""
    last = measured[-1]
    machine, versions = last["machine"], last["versions"]
    source = f"benchmarks/time_to_accuracy, {max(row['date'] for row in measured)[:10]}; {last['cores']} CPU cores"
    about = {"pictures": last["copy"], "machine": machine, "versions": versions, "command": COMMAND}
    write(path, {"title": title, "source": source, **about, "columns": columns}, rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "part", choices=["seed", "library", "fast", "ladder", "ablation", "tutorial", "pace", "report", "publish"]
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, 2 … (default 3)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the ladder, the ablation, or pace, only these")
    parser.add_argument("--validation", action="store_true", help="leave 5,000 training pictures out, judge on those")
    parser.add_argument("--steps", type=int, default=60, help="how many steps are timed (seed, library, pace)")
    parser.add_argument("--repeat", type=int, default=1, help="how often (seed, library, pace)")
    asked = parser.parse_args(arguments)
    parts = {"fast": [FAST], "ladder": list(LADDER.values()), "ablation": ABLATION}
    recipes = parts.get(asked.part)
    if asked.part in (alone := {"report": report, "publish": publish, "tutorial": tutorial}):
        alone[asked.part]()
    elif asked.part == "pace":
        everything = [recipe for part in parts.values() for recipe in part]
        pace([each for each in everything if not asked.only or each.name in asked.only], asked.steps, asked.repeat)
    elif recipes is None:
        measure_steps(asked.part, asked.steps, asked.repeat)
    else:
        names = [recipe.name for recipe in recipes]
        if unknown := set(asked.only or ()) - set(names):
            parser.error(f"no recipe is called {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
        chosen = [recipe for recipe in recipes if not asked.only or recipe.name in asked.only]
        train(asked.part, chosen, range(asked.seeds), asked.validation)


if __name__ == "__main__":
    main()
