"""What a planted shortcut costs, and what repairs win back: in Shapes-10 and in CIFAR-10, with several seeds.

    python benchmarks/bias/run.py train --seeds 5      # what is recorded already is not run again
    python benchmarks/bias/run.py report               # the table
    python benchmarks/bias/run.py publish              # the same into utils/results, for chapter 10

A colour gives the class away in 95 % of the training pictures: the background's in Shapes-10, a frame's in CIFAR-10.
Each test picture is asked twice, in its own class's colour and in another class's. A seed changes the pictures that are
learned from, their colours, the network's first weights and the order of the batches.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import mean, stdev

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from utils import data, device, evaluation, models, training
from utils.data.image_data import stratified
from utils.failure import shortcuts
from utils.results.record import Record, write

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results" / "runs.json"
COMMAND = "python benchmarks/bias/run.py train --seeds 5"
SHARE, SIZE, EPOCHS, BATCH = 0.95, 24, 5, 100
MOVE = data.Crop(2, mode="reflect")
PICTURES = {"Shapes-10": (2000, 2000), "CIFAR-10": (5000, 4000)}  # to learn from, to test on


def weights(group: torch.Tensor) -> torch.Tensor:
    """A weight for each picture: every group that occurs counts as much as any other, and the mean is 1."""
    share = F.one_hot(group).float().mean(0)  # of each group
    return 1 / share[group] / (share > 0).sum()


def both(train: shortcuts.Planted) -> torch.Tensor:
    """Two groups: with the shortcut, against it."""
    return train.against


def cells(train: shortcuts.Planted) -> torch.Tensor:
    """A group for each pair of class and colour."""
    return len(shortcuts.COLOURS) * train.y + train.colour


@dataclass(frozen=True)
class Way:
    """How to train: which groups are to count alike, whether by weights or by how often they are drawn, and whether
    pictures are moved by up to two pixels, differently every time."""

    groups: Callable | None = None
    by: str = ""
    moved: bool = False


AT_RANDOM = "colours at random"  # other data, not a repair: what could be had without the shortcut
WAYS = {
    "as it is": Way(),
    "weights, 2 groups": Way(both, "weights"),
    "sampling, 2 groups": Way(both, "sampling"),
    "weights, class × colour": Way(cells, "weights"),
    "sampling, class × colour": Way(cells, "sampling"),
    "as it is, moved": Way(moved=True),
    "weights, 2 groups, moved": Way(both, "weights", moved=True),
    "sampling, 2 groups, moved": Way(both, "sampling", moved=True),
    AT_RANDOM: Way(),
}


def planted(name: str, seed: int, way: str) -> tuple[shortcuts.Planted, shortcuts.Planted]:
    """Pictures to learn from, and to test on."""
    n, tested = PICTURES[name]
    share = 0.1 if way == AT_RANDOM else SHARE
    if name == "Shapes-10":
        return shortcuts.shapes(n, share, seed, SIZE), shortcuts.shapes(tested, 0.0, 1000 + seed, SIZE)
    cifar = data.cifar10("cifar10")
    chosen, _ = stratified(cifar.y_train, n, seed)
    train = shortcuts.framed(cifar.x_train[chosen], cifar.y_train[chosen], share, seed, SIZE)
    return train, shortcuts.framed(cifar.x_test[:tested], cifar.y_test[:tested], 0.0, 1000 + seed, SIZE)


def learn(train: shortcuts.Planted, way: str, seed: int) -> models.FastCNN:
    """A small network, trained in one of the ways."""
    how, generator = WAYS[way], torch.Generator().manual_seed(seed)
    weight = weights(how.groups(train)) if how.groups else torch.ones(len(train.y))
    torch.manual_seed(seed)
    net = models.FastCNN(train.x, widths=(16, 32, 64), convolutions=(1, 1, 1)).to(memory_format=torch.channels_last)
    sampler = WeightedRandomSampler(weight, len(weight)) if how.by == "sampling" else None
    loss_weight = weight if how.by == "weights" else torch.ones(len(weight))
    pictures = TensorDataset(train.x, train.y, loss_weight)
    batches = DataLoader(pictures, BATCH, sampler=sampler, shuffle=sampler is None)
    optimizer = training.Muon(net)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, EPOCHS * len(batches))
    for _ in range(EPOCHS):
        for x, y, w in batches:
            x = MOVE(x / 255, generator) if how.moved else x / 255
            x = x.contiguous(memory_format=torch.channels_last)
            loss = (w * F.cross_entropy(net(x), y, reduction="none")).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


MEASURED = ("overall", "with", "against", "follows")


def measured(net: torch.nn.Module, test: shortcuts.Planted) -> dict[str, float]:
    """The same pictures in the colours of their own classes, and in those of others."""
    misled = evaluation.predictions(evaluation.logits(net, test.x))
    right = {
        "with": evaluation.accuracy(net, test.repaint(test.y), test.y),
        "against": evaluation.accuracy(misled, test.y),
    }
    follows = float((misled == test.colour).double().mean())
    return {"overall": SHARE * right["with"] + (1 - SHARE) * right["against"], **right, "follows": follows}


# --- what is recorded -------------------------------------------------------------------------------------------------


def record() -> Record:
    return Record(RESULTS, circumstances)


def circumstances() -> dict:
    """Where and when a row was measured, and with what."""
    return {
        "machine": asdict(device.machine()),
        "cores": os.cpu_count(),
        "versions": {"torch": torch.__version__, "python": sys.version.split()[0]},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def train(names: list[str], seeds: int) -> None:
    """Every way with every seed, those that are recorded left out."""
    for seed in range(seeds):
        for name in names:
            for way in WAYS:
                key = {"pictures": name, "way": way, "seed": seed}
                if record().has(**key):
                    continue
                learned_from, test = planted(name, seed, way)
                found = measured(learn(learned_from, way, seed), test)
                record().add(**key, **found)
                print(name, way, seed, *(f"{what} {share:.1%}" for what, share in found.items()), flush=True)


def table() -> list[dict]:
    """A row for each set of pictures and each way: means over the seeds, and the gain over "as it is" seed by seed."""
    runs = {(row["pictures"], row["way"], row["seed"]): row for row in record().rows}
    rows = []
    for name in PICTURES:
        for way in WAYS:
            found = [row for (n, w, _), row in sorted(runs.items()) if (n, w) == (name, way)]
            if len(found) < 3:  # two seeds say too little
                continue
            start = "as it is, moved" if WAYS[way].moved else "as it is"
            gains = [row["against"] - runs[name, start, row["seed"]]["against"] for row in found]
            means = {what: round(mean(row[what] for row in found), 4) for what in MEASURED}
            spread = {"gain": round(mean(gains), 4), "sd": round(stdev(gains), 4), "seeds": len(found)}
            rows.append({"pictures": name, "way": way, **means, **spread})
    return rows


COLUMNS = {
    "pictures": "Shapes-10: the background's colour is planted; CIFAR-10: a frame's; 24×24 pixels",
    "way": "how the network was trained; moved: each picture by up to 2 pixels, differently every time",
    "overall": "accuracy on test pictures drawn as the training pictures were: 95 % with the shortcut",
    "with": "accuracy where the colour is the class's own",
    "against": "accuracy where it is another class's: the worst of the two groups",
    "follows": "share of the pictures against the shortcut that are taken for the colour's class",
    "gain": "of the accuracy against the shortcut over “as it is” (with moved ones: over “as it is, moved”), by seed",
    "sd": "standard deviation of these differences",
    "seeds": "how many trainings",
}


def publish(path: Path = ROOT / "utils" / "results" / "bias_repairs.json") -> None:
    """The table as `utils.results` reads it."""
    rows, last = table(), record().rows[-1]
    head = {
        "title": "A planted shortcut, and what repairs win back",
        "source": f"recorded {last['date'][:10]} by benchmarks/bias; {last['machine']['name']}, {last['cores']} cores",
        **{key: last[key] for key in ("machine", "versions", "date")},
        "command": COMMAND,
        "copy": "CIFAR-10 from a copy made of JPEG files",
        "columns": COLUMNS,
    }
    write(path, head, rows)


def report() -> None:
    for row in table():
        print(
            f"{row['pictures']:10} {row['way']:26}", *(f"{key} {row[key]:.1%}" for key in list(row)[2:8]), row["seeds"]
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["train", "report", "publish"])
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, 2 … (default 3)")
    parser.add_argument("--only", choices=list(PICTURES), help="of the two sets, only this one")
    asked = parser.parse_args(arguments)
    if asked.part == "train":
        train([asked.only] if asked.only else list(PICTURES), asked.seeds)
    else:
        {"report": report, "publish": publish}[asked.part]()


if __name__ == "__main__":
    main()
