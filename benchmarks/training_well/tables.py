"""From recorded trainings to the tables that chapter 06 shows: each part's rows, what its columns mean, and its curves.

A part's function takes its groups, {name: one row for each seed}, and gives (rows, more): lines of the table, and
whatever else a figure needs.
"""

from __future__ import annotations

from statistics import mean, stdev

ACCURACIES = {
    "name": "of the trial in utils/trials.py",
    "train": "share of the training pictures that are right after training, unaugmented; mean over the seeds",
    "test_loss": "mean cross-entropy of the test pictures, mean over the seeds",
    "test": "share of the test pictures that are right, mean over the seeds",
    "sd": "standard deviation of `test` over the seeds",
    "gain": "test accuracy minus that of the first line with the same seed, mean over the seeds",
    "gain_sd": "standard deviation of these differences",
    "seeds": "how many trainings: each seed draws its own training pictures, start and order",
}


def spread(values: list[float]) -> tuple[float, float]:
    return round(mean(values), 4), round(stdev(values), 4) if len(values) > 1 else 0.0


def by_seed(rows: list[dict], column: str) -> dict[int, float]:
    return {row["seed"]: row[column] for row in rows if column in row}


def compared(groups: dict[str, list[dict]]) -> tuple[list[dict], dict]:
    """A line for each group, beside the first one."""
    first = by_seed(next(iter(groups.values())), "test_accuracy")
    lines, all_seeds = [], {}
    for name, rows in groups.items():
        found = by_seed(rows, "test_accuracy")
        test, sd = spread(list(found.values()))
        gain, gain_sd = spread([found[seed] - first[seed] for seed in found if seed in first])
        train, loss = (spread(list(by_seed(rows, column).values()))[0] for column in ("train_accuracy", "test_loss"))
        lines.append(
            {
                "name": name,
                "train": train,
                "test_loss": round(loss, 2),
                "test": test,
                "sd": sd,
                "gain": gain,
                "gain_sd": gain_sd,
                "seeds": len(found),
            }
        )
        all_seeds[name] = [round(found[seed], 4) for seed in sorted(found)]
    return lines, {"test_by_seed": all_seeds}


def with_curves(groups: dict[str, list[dict]]) -> tuple[list[dict], dict]:
    """The same, and the curves of the first seed."""
    lines, more = compared(groups)
    return lines, more | {
        "curves": {name: {"val_loss": rows[0]["curves"]["val_loss"]} for name, rows in groups.items()}
    }


def rated(groups: dict[str, list[dict]]) -> tuple[list[dict], dict]:
    lines = []
    for name, rows in groups.items():
        best = min((row for row in rows if "val_loss" in row), key=lambda row: row["val_loss"])
        for row in sorted(rows, key=lambda row: row["lr"]):
            loss = round(row["val_loss"], 4) if "val_loss" in row else "diverged"
            lines.append({"optimizer": name, "lr": row["lr"], "val_loss": loss, "chosen": row is best})
    return lines, {}


def raced(groups: dict[str, list[dict]]) -> tuple[list[dict], dict]:
    """A line for each optimiser, the best first, and its training loss on the way."""
    lines, curves = [], {}
    for name, rows in groups.items():
        whole = [row for row in rows if "test_accuracy" in row]
        test, sd = spread([row["test_accuracy"] for row in whole])
        loss, loss_sd = spread([row["train_loss"] for row in whole])
        lines.append(
            {
                "optimizer": name,
                "lr": rows[0]["trial"]["lr"],
                "train_loss": loss,
                "loss_sd": loss_sd,
                "test": test,
                "sd": sd,
                "seeds": len(whole),
            }
        )
        columns = list(zip(*(row["curves"]["steps"] for row in whole), strict=True))
        curves[name] = [[points[0][0], round(mean(loss for _, loss in points), 4)] for points in columns]
    test = {name: [row["test_accuracy"] for row in rows if "test_accuracy" in row] for name, rows in groups.items()}
    return sorted(lines, key=lambda line: line["train_loss"]), {"curves": curves, "test_by_seed": test}


def searched(groups: dict[str, list[dict]]) -> tuple[list[dict], dict]:
    lines, tried, by = [], {}, {}
    for name, rows in groups.items():
        val, _ = spread([row["val_accuracy"] for row in rows])
        test, sd = spread([row["test_accuracy"] for row in rows])
        lines.append(
            {
                "method": name,
                "trainings": rows[0]["budget"],
                "validation": val,
                "test": test,
                "sd": sd,
                "repeats": len(rows),
            }
        )
        tried[name] = [row["tried"] for row in rows]
        by[name] = [row["test_accuracy"] for row in rows]
    return lines, {"tried": tried, "test_by_seed": by}


SCHEDULED = "schedules at the learning rate that was best without one, and at three times that"
TABLES = {
    "strengths": (
        "how strong each regulariser is: one seed, judged on validation pictures",
        {"name": "of the trial", "val_accuracy": "share of the validation pictures that are right"},
        lambda groups: ([{"name": name, "val_accuracy": rows[0]["val_accuracy"]} for name, rows in groups.items()], {}),
    ),
    "regularisers": ("regularisers, alone and together, from 1,000 pictures", ACCURACIES, with_curves),
    "augmentations": ("augmentations, each alone, from 1,000 pictures", ACCURACIES, compared),
    "digits": ("augmentations of handwritten digits, from 1,000 of them", ACCURACIES, compared),
    "rates": (
        "validation loss by learning rate, one seed",
        {
            "optimizer": "of utils/trials.py",
            "lr": "learning rate",
            "val_loss": "mean cross-entropy of the validation pictures after training",
            "chosen": "the best of its optimiser",
        },
        rated,
    ),
    "race": (
        "seven optimisers, 400 steps, each with its own learning rate",
        {
            "optimizer": "of utils/trials.py",
            "loss_sd": "its standard deviation over the seeds",
            "lr": "the best of several, by validation loss, with a seed of its own",
            "train_loss": "mean cross-entropy of the training pictures after training, mean over the seeds",
            **{k: ACCURACIES[k] for k in ("test", "sd", "seeds")},
        },
        raced,
    ),
    "schedules": (SCHEDULED, ACCURACIES, compared),
    "search": (
        "four ways to choose four settings, with the same number of trainings",
        {
            "method": "how settings were chosen",
            "trainings": "how many settings each method may try",
            "validation": "validation accuracy of the best of them, which chose it, mean over the repeats",
            "test": "accuracy of that one network on test pictures, mean over the repeats",
            "sd": "standard deviation of `test` over the repeats",
            "repeats": "whole searches, each with its own pictures and luck",
        },
        searched,
    ),
}
