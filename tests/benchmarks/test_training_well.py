"""The benchmark of chapter 06 records, resumes, and publishes what the chapter reads; on a few pictures, at once."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from utils import data, results, trials

FOLDER = Path(__file__).parents[2] / "benchmarks" / "training_well"
TINY = trials.Trial(pictures=40, epochs=1, channels=(2, 2, 2))


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script, with pictures of noise, and results in a folder that is thrown away."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("training_well_run", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x, y = torch.randint(256, (80, 3, 16, 16), dtype=torch.uint8), torch.arange(80) % 10
    noise = data.ImageData("noise", tuple("abcdefghij"), x, y, x[:20], y[:20], False, "drawn").split(20)
    monkeypatch.setattr(module, "pictures", lambda part: noise)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    yield module
    sys.modules.pop("tables", None)


def rows(tmp_path, part):
    return json.loads((tmp_path / f"results/{part}.json").read_text())


def test_trainings_are_recorded_once_and_published(run, tmp_path, monkeypatch):
    named = {"none": TINY, "dropout": TINY.changed(dropout=0.5)}
    run.table("augmentations", named, range(2))
    run.table("augmentations", named, range(3))
    found = rows(tmp_path, "augmentations")
    assert [(row["name"], row["seed"]) for row in found] == [(n, s) for s in range(3) for n in named]
    assert {"machine", "versions", "date", "command", "trial", "pictures"} <= found[0].keys()
    run.publish(tmp_path)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    table = results.load("training_well_augmentations")
    assert table["name"] == list(named) and table["seeds"] == [3, 3] and table["gain"][0] == 0
    mean = sum(row["test_accuracy"] for row in found if row["name"] == "dropout") / 3
    assert table["test"][1] == pytest.approx(mean, abs=1e-4)
    assert table.about["test_by_seed"]["none"] == [row["test_accuracy"] for row in found if row["name"] == "none"]
    assert set(table.rows[0]) <= set(table.about["columns"]) and "recorded 2" in table.source


def test_what_is_tuned_does_not_see_the_test_pictures(run, tmp_path):
    run.table("strengths", {"L1": TINY}, [run.TUNING_SEED])
    assert "test_accuracy" not in rows(tmp_path, "strengths")[0]


def test_a_training_that_diverges_is_recorded_as_one(run, tmp_path):
    run.table("race", {"wild": TINY.changed(optimizer="SGD", lr=1e30, epochs=3, batch_size=20)}, range(1))
    (row,) = rows(tmp_path, "race")
    assert "loss became" in row["failed"] and "test_accuracy" not in row


def test_rates_are_tried_once_and_the_best_are_raced(run, tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "RACE", TINY)
    monkeypatch.setattr(trials, "FIRST_LR", {"SGD": 0.1, "Adam": 1e-3})
    run.rates()
    tried = rows(tmp_path, "rates")
    run.rates()
    assert rows(tmp_path, "rates") == tried and len(tried) >= 6
    for name, trial in run.race().items():
        losses = {row["lr"]: row["val_loss"] for row in tried if row["name"] == name}
        assert losses[trial.lr] == min(losses.values()) and trial.optimizer == name


def test_every_search_gets_the_same_budget_and_tests_once(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "BUDGET", 3)
    monkeypatch.setattr(run, "BASE", TINY)
    tested = []
    scores = trials.scores
    monkeypatch.setattr(trials, "scores", lambda net, parts: (tested.append("test" in parts), scores(net, parts))[1])
    run.search(range(1))
    found = rows(tmp_path, "search")
    assert [row["name"] for row in found] == list(run.METHODS) and sum(tested) == len(found)
    for row in found:
        values = [trial["val_accuracy"] for trial in row["tried"]]
        assert len(values) == 3 and row["val_accuracy"] == pytest.approx(max(values), abs=1e-4)
    assert all({k: t[k] for k in run.GUESS} == run.GUESS for t in found[0]["tried"])
    assert all(t["lr"] in run.GRID["lr"] for t in found[1]["tried"])
    run.publish(tmp_path)


def test_what_is_published_is_what_was_recorded(tmp_path):
    """The tables in utils/results follow from the rows in benchmarks/training_well/results."""
    spec = importlib.util.spec_from_file_location("training_well_tables", FOLDER / "tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for part, (_, _, lines_of) in tables.TABLES.items():
        groups = {}
        for row in json.loads((FOLDER / "results" / f"{part}.json").read_text()):
            groups.setdefault(row["name"], []).append(row)
        lines, _ = lines_of(groups)
        assert lines == results.load(f"training_well_{part}").rows, part
