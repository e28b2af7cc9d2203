"""The benchmark runs, records, and does not run again what it has; on a few pictures, at once."""

import importlib.util
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
import torch.nn.functional as F

from utils import data

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "time_to_accuracy"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The script, with pictures of noise in place of CIFAR-10, and results in a folder that is thrown away."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("time_to_accuracy_run", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x, y = torch.randint(256, (80, 3, 32, 32), dtype=torch.uint8), torch.arange(80) % 10
    noise = data.ImageData("noise", tuple("abcdefghij"), x, y, x[:20], y[:20], False, "drawn")
    monkeypatch.setattr(module, "cifar10", lambda: noise)
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    yield module
    for name in ("recipes", "ship"):
        sys.modules.pop(name, None)


def test_a_training_is_recorded_once(run, tmp_path, capsys):
    short = run.FAST.changed("short", epochs=1, batch_size=40)
    run.train("fast", [short], range(1), validation=False)
    run.train("fast", [short], range(1), validation=False)
    (row,) = json.loads((tmp_path / "fast.json").read_text())
    assert row["name"] == "short"
    assert row["recipe"]["epochs"] == 1
    assert row["judged_on"] == "test"
    assert 0 <= row["accuracy"] <= 1
    assert row["seconds"] == sum(row["seconds_by_epoch"]) > 0
    assert {"machine", "versions", "date", "command", "copy"} <= row.keys()
    assert "short" in capsys.readouterr().out


def test_every_recipe_of_the_ablation_differs_from_the_fast_one(run):
    for recipe in run.ABLATION:
        assert recipe.changed(run.FAST.name) != run.FAST
    names = [recipe.name for recipe in [run.FAST, *run.ABLATION]]
    assert len(set(names)) == len(names)


def test_recipes_of_the_ablation_make_what_they_say(run):
    cifar = run.cifar10()
    for recipe in run.ABLATION:
        net = recipe.model(cifar)
        recipe.made_optimizer(net)
        assert not net.whiten.weight.requires_grad
        assert len(recipe.augment()) == recipe.flip + bool(recipe.crop) + bool(recipe.stages)


def test_a_random_first_layer_keeps_the_mirror(run):
    """Else the row would measure two changes."""
    (recipe,) = [recipe for recipe in run.ABLATION if not recipe.whitening]
    cifar = run.cifar10()
    net, computed = (each.model(cifar).eval() for each in (recipe, run.FAST))
    assert not torch.allclose(net.whiten.weight, computed.whiten.weight)
    x = cifar.x_test / 255
    assert torch.allclose(net(x), net(x.flip(3)), atol=1e-4)


def test_the_pace_counts_every_phase_as_the_training_has_it(run, tmp_path, monkeypatch):
    seen = []
    fit = run.training.fit

    def watched(net, *arguments, **options):
        count = lambda x, _: seen.append((x.shape[-1], not net.features[0][0].weight.requires_grad)) or x  # noqa: E731
        return fit(net, *arguments, **options | {"augment": [*options["augment"], count]})

    monkeypatch.setattr(run.training, "fit", watched)
    short = run.FAST.changed("short", epochs=4, batch_size=10, stages=((0.25, 24),), skip_easy=(0.5, 0.75), freeze=0.5)
    short.train(run.cifar10(), progress=False)
    steps = 8 + 4 + 2 + 2
    assert len(seen) == steps == short.steps(run.cifar10())
    shares = {phase: round(steps * share) for phase, share in short.phases(32).items()}
    assert shares == {(24, False): 4, (32, False): 4, (32, True): 8}
    assert [seen.count(phase) for phase in shares] == [5, 4, 7]  # a batch is made before it is told how far it all is
    run.pace([short], steps=1)
    (paced,) = json.loads((tmp_path / "pace.json").read_text())
    assert set(paced["by_phase"]) == {"24", "32", "32 frozen"}
    run.pace([short], steps=1)
    assert len(json.loads((tmp_path / "pace.json").read_text())) == 1  # recorded already
    run.pace([short], steps=1, repeat=2)
    assert len(json.loads((tmp_path / "pace.json").read_text())) == 2


def test_chapter_05_trains_as_the_fast_recipe_does(run):
    """What the benchmark measures is what the learner runs."""
    cells = nbformat.read(ROOT / "solutions/05_cifar10/05_cifar10.ipynb", as_version=4).cells
    asked = {}
    training = SimpleNamespace(
        fit=lambda *_, **options: asked.update(options), Muon=lambda _, **rates: rates, triangle=lambda peak: peak
    )
    names = dict.fromkeys(["cifar", "standardise"], SimpleNamespace(x_train=None)) | {"fast": lambda: False}
    made = SimpleNamespace(**{run.FAST.network: lambda *_, **__: None})
    names |= {"training": training, "models": made, "data": data}
    exec(
        next(cell.source for cell in cells if cell.id == "train"), names | {"torch": torch, "F": F, "partial": partial}
    )
    fast = run.FAST
    assert (asked["epochs"], asked["batch_size"], asked["skip_easy"]) == (fast.epochs, fast.batch_size, fast.skip_easy)
    assert asked["optimizer"] == {"lr": fast.lr} and asked["schedule"] == fast.warmup
    assert asked["loss"].keywords["label_smoothing"] == fast.smoothing
    assert asked.get("freeze", {"features.0": 1.0}) == {"features.0": fast.freeze}
    *steps, grow = asked["augment"]
    *wanted, grown = fast.augment()
    assert steps == wanted and [*grow.stages] == [*grown.stages] and asked["keep"] == "last"


@pytest.mark.parametrize("name", ["cifar10", "shapes10"])
def test_the_command_beside_shipped_weights_trains_as_they_were_trained(run, name):
    """Whatever the fast recipe has become since."""
    about = json.loads((ROOT / f"utils/models/weights/{name}.json").read_text())
    ship = importlib.import_module("ship")  # the fixture's folder is on the path
    recipe = json.loads(json.dumps(asdict(ship.recipe_of(name, about["recipe"]["epochs"]))))
    assert about["command"].endswith(f"ship.py {name} --epochs {recipe['epochs']}")
    assert {key: recipe[key] for key in about["recipe"]} == about["recipe"]
    new = {key: value for key, value in recipe.items() if key not in about["recipe"]}
    assert new == {"network": about["network"], "skip_easy": [], "freeze": 1.0}


def test_an_unknown_recipe_is_named(run, capsys):
    with pytest.raises(SystemExit):
        run.main(["ablation", "--only", "magic"])
    assert "no recipe is called magic; there are: kernels not in pairs, " in capsys.readouterr().err


def test_what_was_measured_is_published_for_the_chapter(run, tmp_path):
    short = run.FAST.changed("short", epochs=3, batch_size=40, stages=((0.5, 24),), freeze=0.5)
    run.train("ladder", [short], range(2), validation=False)
    run.publish(tmp_path)
    assert not (tmp_path / "cifar10_ladder.json").exists()  # one rung is no ladder
    run.train("fast", [short.changed("other", epochs=1)], range(2), validation=False)
    run.train("ladder", [short.changed("once", epochs=2)], range(1), validation=False)  # one seed says too little
    run.publish(tmp_path)
    row = next(
        row for row in json.loads((tmp_path / "cifar10_ladder.json").read_text())["rows"] if row["recipe"] == "short"
    )
    assert row["seconds"] == "" and row["seeds"] == 2
    run.pace([short], steps=1)
    run.publish(tmp_path)
    result = json.loads((tmp_path / "cifar10_ladder.json").read_text())
    assert [row["accuracy"] for row in result["rows"]] == sorted(row["accuracy"] for row in result["rows"])
    row = next(row for row in result["rows"] if row["recipe"] == "short")
    assert {row["recipe"] for row in result["rows"]} == {"short", "other"}
    (paced,) = json.loads((tmp_path / "pace.json").read_text())
    assert row["seconds"] == round(paced["seconds"], 1) > 0
    assert sum(paced["by_phase"].values()) == pytest.approx(paced["seconds"])
    assert set(paced["by_phase"]) == {"24", "32 frozen"}
    trained = json.loads((tmp_path / "ladder.json").read_text())
    assert row["accuracy"] == pytest.approx(sum(each["accuracy"] for each in trained[:2]) / 2, abs=1e-4)
    assert row.keys() == result["columns"].keys() and not (tmp_path / "tutorial_on_copy.json").exists()


def test_the_tutorials_recipe_is_run_once_and_published(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "EPOCHS", 2)
    run.tutorial()
    (first,) = json.loads((tmp_path / "tutorial.json").read_text())
    (tmp_path / "tutorial.json").unlink()
    run.tutorial()  # from its checkpoint: nothing is left to train
    (again,) = json.loads((tmp_path / "tutorial.json").read_text())
    assert again["history"] == first["history"]
    run.publish(tmp_path)
    assert [row["epoch"] for row in json.loads((tmp_path / "tutorial_on_copy.json").read_text())["rows"]] == [1, 2]
