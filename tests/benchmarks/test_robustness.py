"""What is measured of repairs: recorded once, summed up over seeds, published; the attacks stay within epsilon."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from utils import data, models, results

FILE = Path(__file__).parents[2] / "benchmarks" / "robustness" / "run.py"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script, with a few pictures of noise, short trainings, and results in a folder that is thrown away."""
    spec = importlib.util.spec_from_file_location("robustness_run", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x, y = torch.randint(256, (40, 3, 32, 32), dtype=torch.uint8), torch.arange(40) % 10
    noise = data.ImageData("noise", tuple("abcdefghij"), x, y, x[:10], y[:10], False, "drawn")
    monkeypatch.setattr(module, "pictures_of", lambda name: noise)
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    short = {"pictures": 20, "epochs": 1, "batch_size": 10, "lr": 0.02}
    adversarial = {"epsilon": 0.01}
    monkeypatch.setattr(module, "recipe", lambda name, arm: short | (adversarial if arm == "adversarial" else {}))
    return module


def counted(module, monkeypatch):
    """Measurements are replaced by numbers that tell which one it was; returns the networks that were measured."""
    seen = []

    def measured(name, net, cifar):
        seen.append(net)
        level = len(seen) / 100
        kinds = {kind: [level] * 5 for kind in module.failure.CORRUPTIONS}
        moves = dict.fromkeys(module.MOVES, level)
        return {"clean": level, "fgsm": level, "pgd": level, **kinds, **moves, "home": level, "away": level}

    monkeypatch.setattr(module, "measured", measured)
    return seen


def test_every_arm_is_trained_once_and_differs_from_where_it_began(run, monkeypatch, tmp_path):
    seen = counted(run, monkeypatch)
    for _ in range(2):
        run.train("shapes10", range(1))
    rows = json.loads((tmp_path / "shapes10.json").read_text())
    assert [row["arm"] for row in rows] == ["before", "plain", "adversarial", "augmented", "recoloured"]
    before, *trained = [torch.cat([p.detach().flatten() for p in net.parameters()]) for net in seen]
    assert all(not torch.allclose(before, after) for after in trained)
    assert all(not torch.allclose(a, b) for i, a in enumerate(trained) for b in trained[:i])
    assert not any(part.training for net in seen for part in net.modules())
    assert {"machine", "versions", "date", "command", "copy", "seconds"} <= rows[1].keys()


def test_what_is_published_can_be_loaded_and_holds_means_and_deviations(run, monkeypatch, tmp_path):
    counted(run, monkeypatch)
    for name in ("cifar10", "shapes10"):
        run.train(name, range(2))
    run.publish(tmp_path)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    for title in run.TABLES:
        table = results.load(title)
        assert set(table.rows[0]) == set(table.about["columns"])
    before, plain, *_ = results.load("adversarial_training").rows
    assert (before["pgd"], before["seeds"]) == (0.01, 0)
    assert plain["seeds"] == 2 and plain["pgd"] == pytest.approx((0.02 + 0.05) / 2)
    assert plain["pgd sd"] == pytest.approx(0.03 / 2**0.5, abs=1e-4)
    row = next(row for row in results.load("new_environments").rows if row["change"] == "fog")
    assert row["before"] == 0.01 and row["augmented"] == pytest.approx((0.04 + 0.07) / 2)
    assert [row["network"] for row in results.load("new_backgrounds").rows] == ["before", "plain", "recoloured"]


def test_attacks_stay_within_epsilon_and_within_the_pictures(run):
    torch.manual_seed(0)
    net, x, y = models.LeNet5().eval(), torch.rand(4, 1, 28, 28), torch.arange(4)
    for attack in (run.fgsm, run.pgd):
        attacked = attack(net, x, y, 0.1)
        assert 0.099 < (attacked - x).abs().max() <= 0.1 + 1e-6 and attacked.min() >= 0 and attacked.max() <= 1
    near = run.attacked(0.1)(net, x, y)
    assert 0.1 < (near - x).abs().max() <= 0.2 + 1e-6


def test_everything_is_measured_on_the_same_pictures(run):
    net = models.shipped("shapes10")[0]
    few = data.shapes10(30, seed=5)
    cifar = data.ImageData("few", few.classes, few.x, few.y, few.x[:12], few.y[:12], True, "drawn")
    found = run.measured("cifar10", net, cifar)
    assert set(found) == {"clean", "fgsm", "pgd", *run.failure.CORRUPTIONS, *run.MOVES}
    assert found["clean"] > 0.9 > found["turned 60°"] and len(found["noise"]) == 5


def test_the_small_networks_that_are_there_are_not_trained_again(run):
    run.small()  # would need pictures that can be split
    assert models.shipped("cifar10_small")[1]["command"] == f"{run.COMMAND} small"
