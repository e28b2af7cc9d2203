"""The benchmark of chapter 07 runs, records, does not run again what it has, and publishes; on a few small pictures."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from utils.data.image_data import ImageData
from utils.results.record import Records

FILE = Path(__file__).parents[2] / "benchmarks" / "architectures" / "run.py"


def pictures(size, n=40):
    generator = torch.Generator().manual_seed(size)
    x, y = torch.randint(0, 256, (n, 3, size, size), generator=generator, dtype=torch.uint8), torch.arange(n) % 10
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    return ImageData("noise", names, x, y, x, y, True, "drawn", x, y)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script with few pictures, steps and layers, and results in a folder that is thrown away."""
    spec = importlib.util.spec_from_file_location("architectures_run", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    few = {"pictures": 20, "epochs": 1, "batch_size": 20}
    changes = {
        "RECORDS": Records(tmp_path / "results", module.RECORDS.name, module.COMMAND),
        "BUDGET": few,
        "DEEP": few,
        "DEPTHS": (4, 6),
        "SIZES": (10,),
        "STEPS": 1,
    }
    changes |= {
        "DEEPEST": (8, {"plain": (0.01,), "residual": (0.01,)}),
        "PRETRAINING": {"CIFAR-10": few, "shapes": few},
    }
    changes |= {"photographs": lambda: pictures(32), "small": lambda: pictures(16), "drawn": lambda: pictures(16)}
    for name, value in changes.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module.models, "FAMILY", {"LeNet-5": module.models.FAMILY["LeNet-5"]})
    return module


@pytest.fixture
def tuned(run):
    names = ["LeNet-5", *(f"{kind}, {n}" for kind in run.KINDS for n in run.DEPTHS)]
    for name in [*names, "fine-tuned, 10", "from scratch, 10"]:
        for lr in (1e-3, 3e-3, 1e-2):
            run.RECORDS.add("rates", {"name": name, "lr": lr, "seed": 100, "val": 1 - abs(lr - 3e-3)}, 0.0)
    return run


@pytest.mark.parametrize("part", ["family", "depth", "transfer"])
def test_every_part_is_recorded_once_and_published(tuned, tmp_path, capsys, part):
    tuned.main([part])
    rows = tuned.RECORDS.rows(part)
    assert {row["seed"] for row in rows} == {0, 1, 2}
    assert all({"machine", "date", "cpu_seconds"} <= row.keys() for row in rows)
    assert capsys.readouterr().out
    tuned.main([part])
    assert not capsys.readouterr().out.count(part) and tuned.RECORDS.rows(part) == rows
    tuned.RECORDS.publish_all(tmp_path, tuned.TABLES)
    result = json.loads((tmp_path / f"architectures_{part}.json").read_text(encoding="utf-8"))
    assert all(row.keys() == result["columns"].keys() and row["seeds"] == 3 for row in result["rows"])


def test_every_learning_rate_that_is_needed_is_looked_for(run):
    run.rates()
    for name in ("LeNet-5", "plain, 4", "residual, 6", "fine-tuned, 10", "from scratch, 10"):
        assert run.best_rate(name) in (*run.RATES, *run.DEEP_RATES)
    before = run.RECORDS.rows("rates")
    run.rates()
    assert run.RECORDS.rows("rates") == before


def test_the_best_learning_rate_is_taken_and_none_is_guessed(tuned, tmp_path, monkeypatch):
    assert tuned.best_rate("LeNet-5") == 3e-3
    monkeypatch.setattr(tuned, "RECORDS", Records(tmp_path / "elsewhere", "none", "none"))
    with pytest.raises(SystemExit, match="first run"):
        tuned.best_rate("LeNet-5")


def test_two_seeds_say_too_little(run):
    for seed in (0, 1):
        run.RECORDS.add("transfer", {"way": "frozen", "pictures": 25, "test": 0.5, "seed": seed}, 0.0)
    assert run.transfer_table()[0] == []
