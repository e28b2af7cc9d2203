"""The benchmark of chapter 08 runs, records, does not run again what it has, and publishes; on a few small pictures."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from utils.results.record import Records

FILE = Path(__file__).parents[2] / "benchmarks" / "autoencoders" / "run.py"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script with few pictures of its own, and results in a folder that is thrown away."""
    spec = importlib.util.spec_from_file_location("autoencoders_run", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def pictures(part, seed):
        drawn = torch.rand(
            30, *((3, 32, 32) if part == "resolution" else (1, 28, 28)), generator=torch.manual_seed(seed)
        )
        return drawn[:20], drawn[20:]

    for name, value in {
        "RECORDS": Records(tmp_path / "results", module.RECORDS.name, module.COMMAND),
        "pictures": pictures,
        "CODES": (4,),
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "EPOCHS", dict.fromkeys(module.EPOCHS, 1))
    for name in module.NETWORKS:
        for lr in module.RATES:
            module.RECORDS.add("rates", {"name": name, "lr": lr, "seed": 100, "val_loss": abs(lr - 3e-3)}, 0.0)
    return module


@pytest.mark.parametrize("part", ["codes", "noise", "resolution"])
def test_every_part_is_recorded_once_and_published(run, tmp_path, capsys, part):
    run.main([part])
    rows = run.RECORDS.rows(part)
    assert {row["seed"] for row in rows} == {0, 1, 2}
    assert all({"machine", "date", "cpu_seconds"} <= row.keys() for row in rows)
    assert capsys.readouterr().out
    run.main([part])
    assert not capsys.readouterr().out.count(part) and run.RECORDS.rows(part) == rows
    run.RECORDS.publish_all(tmp_path, run.TABLES)
    result = json.loads((tmp_path / f"autoencoders_{part}.json").read_text(encoding="utf-8"))
    assert all(row.keys() == result["columns"].keys() and row["seeds"] == 3 for row in result["rows"])


def test_the_best_learning_rate_is_taken_and_none_is_guessed(run, tmp_path, monkeypatch):
    assert run.best_rate("convolutional") == 3e-3
    monkeypatch.setattr(run, "RECORDS", Records(tmp_path / "elsewhere", "none", "none"))
    with pytest.raises(SystemExit, match="first run"):
        run.best_rate("convolutional")


def test_gains_are_taken_seed_by_seed(run):
    mine = [{"seed": s, "v": v} for s, v in ((0, 1.0), (1, 2.0), (2, 3.0))]
    theirs = [{"seed": s, "v": v} for s, v in ((2, 1.0), (0, 0.5), (1, 1.0))]
    assert run.gains(mine, theirs, "v", 3) == (1.167, 0.764)


def test_two_dense_layers_have_as_many_parameters_as_the_convolutional_network(run):
    for code in (4, 16, 64):
        sizes = [run.models.count(make(code)) for make in (run.two_layers, run.convolutional)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


def test_two_seeds_say_too_little(run):
    for seed in (0, 1):
        run.RECORDS.add("resolution", {"name": "bilinear", "seed": seed, "psnr": 20.0}, 0.0)
    assert run.resolution_table() == ([], {"ripple_by_seed": {}})
