"""Train the networks that come with the course: utils/models/weights/NAME.safetensors and NAME.json.

    python benchmarks/time_to_accuracy/ship.py cifar10 --epochs 10
    python benchmarks/time_to_accuracy/ship.py shapes10 --epochs 3

The accuracies written down are those of the numbers as they are shipped: rounded to half precision.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict

import torch
from recipes import PLAIN, Recipe

from utils import data, device, evaluation, models


def recipe_of(name: str, epochs: int, widths: Sequence[int] = (32, 64, 128)) -> Recipe:
    """All pictures in every epoch, with plain kernels: a network that was trained for mirror images, not built so."""
    return PLAIN.changed(name, epochs=epochs, widths=tuple(widths))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=["cifar10", "shapes10"])
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    cifar = data.cifar10("cifar10" if asked.name == "cifar10" else "standin").split()
    recipe = recipe_of(asked.name, asked.epochs, asked.widths)
    net, history = recipe.train(cifar, asked.seed)
    shipped, machine = models.rounded(net.cpu()), device.machine()
    about = {
        "pictures": cifar.origin if cifar.is_standin else f"{cifar.name}, {cifar.origin}",
        "val_accuracy": evaluation.accuracy(shipped, cifar.x_val, cifar.y_val),
        "test_accuracy": evaluation.accuracy(shipped, cifar.x_test, cifar.y_test),
        "seconds_of_training": round(history.seconds, 1),
        "command": f"python benchmarks/time_to_accuracy/ship.py {' '.join(sys.argv[1:])}",
        "seed": asked.seed,
        "recipe": asdict(recipe),
        "date": datetime.date.today().isoformat(),
        "machine": f"{machine.name}, {machine.threads} threads, {platform.system()}",
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
    }
    file = models.ship(asked.name, shipped, {"widths": asked.widths}, **about)
    print(f"{file}: {file.stat().st_size / 1e6:.2f} MB, test accuracy {about['test_accuracy']:.2%}")


if __name__ == "__main__":
    main()
