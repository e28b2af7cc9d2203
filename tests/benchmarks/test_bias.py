"""The benchmark of planted shortcuts runs, records, and does not run again what it has; on a few pictures."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

FILE = Path(__file__).parents[2] / "benchmarks" / "bias" / "run.py"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script with few, small pictures, and results in a folder that is thrown away."""
    import sys

    spec = importlib.util.spec_from_file_location("bias_run", FILE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bias_run", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    for name, value in {"RESULTS": tmp_path / "results" / "runs.json", "SIZE": 16, "EPOCHS": 1, "BATCH": 20}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "PICTURES", {"Shapes-10": (40, 20)})
    return module


def test_every_way_is_recorded_once_and_published(run, tmp_path, capsys):
    run.train(["Shapes-10"], seeds=3)
    rows = run.record().rows
    assert len(rows) == 3 * len(run.WAYS) and {row["seed"] for row in rows} == {0, 1, 2}
    for row in rows:
        assert row["overall"] == pytest.approx(0.95 * row["with"] + 0.05 * row["against"])
        assert {"machine", "versions", "date", "cores"} <= row.keys()
    before = capsys.readouterr().out
    run.train(["Shapes-10"], seeds=3)
    assert before and not capsys.readouterr().out and run.record().rows == rows
    run.publish(tmp_path / "bias_repairs.json")
    result = json.loads((tmp_path / "bias_repairs.json").read_text(encoding="utf-8"))
    assert [row["way"] for row in result["rows"]] == list(run.WAYS)
    assert all(row.keys() == result["columns"].keys() and row["seeds"] == 3 for row in result["rows"])
    gains = {row["way"]: row["gain"] for row in result["rows"]}
    assert gains["as it is"] == gains["as it is, moved"] == 0
    worst = {row["way"]: row["against"] for row in result["rows"]}
    start, end = "as it is, moved", "weights, 2 groups, moved"
    assert gains[end] == pytest.approx(worst[end] - worst[start], abs=2e-4)


def test_two_seeds_say_too_little(run):
    run.record().add(pictures="Shapes-10", way="as it is", seed=0, against=0.5)
    assert run.table() == []


def test_weights_make_groups_count_alike(run):
    weight = run.weights(torch.tensor([0, 0, 0, 2]))
    assert weight.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
