"""The benchmark of chapter 09 runs, records, does not run again what it has, and publishes; with next to no work."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from utils.results.record import Records

FILE = Path(__file__).parents[2] / "benchmarks" / "applications" / "run.py"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script with small settings, and results in a folder that is thrown away."""
    spec = importlib.util.spec_from_file_location("applications_run", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    y = torch.arange(80) % 10
    photos = SimpleNamespace(
        x_train=torch.randint(0, 256, (80, 3, 32, 32), dtype=torch.uint8), y_train=y,
        x_test=torch.randint(0, 256, (80, 3, 32, 32), dtype=torch.uint8), y_test=y,
    )  # fmt: skip
    small = {
        "RECORDS": Records(tmp_path / "results", module.RECORDS.name, module.COMMAND),
        "SIZES": (36, 40),
        "REPEATS": 1,
        "SCENES": {"hard": (24, 4), "skips": (6, 4)},
        "EPOCHS": {"hard": 1, "skips": 1, "retrieval": 1},
        "WEIGHTS": (1.0, 10.0),
        "PAIRS": (("cat", "brick"),),
        "STEPS": 2,
        "SIZE": 16,
        "HARD": dict(list(module.HARD.items())[:2]),
        "photographs": lambda: photos,
    }
    for name, value in small.items():
        monkeypatch.setattr(module, name, value)
    return module


@pytest.mark.parametrize("part", ["windows", "hard", "skips", "retrieval", "styles"])
def test_every_part_is_recorded_once_and_published(run, tmp_path, capsys, part):
    run.main([part])
    rows = run.RECORDS.rows(part)
    assert {row["seed"] for row in rows} == {0, 1, 2}
    assert all({"machine", "date", "cpu_seconds"} <= row.keys() for row in rows)
    assert capsys.readouterr().out
    run.main([part])
    assert not capsys.readouterr().out.count(part) and run.RECORDS.rows(part) == rows
    run.RECORDS.publish_all(tmp_path, run.TABLES)
    result = json.loads((tmp_path / f"applications_{part}.json").read_text(encoding="utf-8"))
    assert all(row.keys() == result["columns"].keys() and row["seeds"] == 3 for row in result["rows"])
    run.main(["report"])
    assert f"{part}: " in capsys.readouterr().out


def test_two_seeds_say_too_little(run):
    run.main(["windows", "--seeds", "2"])
    assert run.windows_table() == ([], {}) and run.hard_table() == ([], {}) and run.retrieval_table() == ([], {})


def test_windows_alone_and_the_whole_picture_answer_alike(run):
    run.main(["windows", "--seeds", "1"])
    for row in run.RECORDS.rows("windows"):
        assert row["difference"] < 1e-4 and row["alone"] > row["whole"] > 0


def test_both_training_sets_are_equally_large_and_half_of_the_varied_one_is_plain(run):
    plain, varied = run.plain_scenes(48, 0), run.varied_scenes(48, 0)
    assert len(plain) == len(varied) == 48 and varied.boxes.shape == (48, 1, 4) and varied.masks.shape == (48, 48, 48)
    first = run.plain_scenes(24, 0)
    assert torch.equal(varied.x[:24], first.x)


def test_the_wider_network_has_no_fewer_parameters(run):
    sizes = {name: run.models.count(make(0)) for name, make in run.UNETS.items()}
    assert sizes["without"] < sizes["with"] <= sizes["without, wider"] < 1.3 * sizes["with"]


def test_precision_counts_no_picture_as_its_own_neighbour(run):
    vectors = torch.eye(12)
    assert run.precision(vectors, torch.arange(12), k=3) == 0
    assert run.precision(vectors, torch.zeros(12, dtype=torch.long), k=3) == 1
