"""A training that is killed goes on where its last epoch ended, and ends with the very same weights."""

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from lessons import easy, same, small
from safetensors.torch import load_file

from utils import data
from utils.training import Stop, fit

HERE = Path(__file__).parent
MOMENTUM = partial(torch.optim.SGD, momentum=0.9, nesterov=True)
THEIRS = lambda optimizer, steps: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)  # noqa: E731
HOW = {"batch_size": 16, "lr": 1e-2, "progress": False, "augment": [data.Crop(1), data.Flip()], "epochs": 5}


@pytest.fixture(scope="module")
def colours():
    return easy()


class Watched:
    """Calls `then` in the middle of the third epoch."""

    def __init__(self, then=lambda: None):
        self.then, self.count = then, 0

    def __call__(self, x, generator):
        self.count += 1
        if self.count == 6:
            self.then()
        return x


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, MOMENTUM, torch.optim.RMSprop])
@pytest.mark.parametrize("schedule", [lambda done: 1 - done, THEIRS], ids=["ours", "theirs"])
@pytest.mark.parametrize("keep", ["best", "last"])
def test_it_ends_as_if_nothing_had_happened(colours, tmp_path, optimizer, schedule, keep):
    how = HOW | {"optimizer": optimizer, "schedule": schedule, "keep": keep}
    whole, halves, stop = small(), small(), Stop()
    how["augment"] = [*HOW["augment"], Watched()]
    undisturbed = fit(whole, colours, **how)
    how["augment"] = [*HOW["augment"], Watched(stop)]
    assert fit(halves, colours, checkpoint=tmp_path, stop=stop, **how).ended == "stopped"
    with torch.no_grad():
        halves[1].weight.zero_()  # the state on disk is what counts
    resumed = fit(halves, colours, checkpoint=tmp_path, **how)
    assert resumed.ended == "all epochs" and same(whole, halves)
    for column in ("loss", "val_accuracy", "lr"):
        assert resumed[column] == undisturbed[column]
    assert resumed.steps == undisturbed.steps and resumed.best_epoch == undisturbed.best_epoch


def test_it_knows_which_pictures_were_easy_and_what_is_frozen(colours, tmp_path):
    how = HOW | {"skip_easy": (0.0, 0.25, 0.5), "freeze": {"1": 0.7}}
    whole, halves, stop = small(), small(), Stop()
    undisturbed = fit(whole, colours, **how | {"augment": Watched()})
    fit(halves, colours, checkpoint=tmp_path, stop=stop, **how | {"augment": Watched(stop)})
    resumed = fit(halves, colours, checkpoint=tmp_path, **how | {"augment": Watched()})
    assert resumed.ended == "all epochs" and same(whole, halves) and resumed.steps == undisturbed.steps
    assert resumed["loss"] == undisturbed["loss"]
    with pytest.raises(ValueError, match=r"skip_easy: \[0.0, 0.25, 0.5\] there, None now"):
        fit(halves, colours, checkpoint=tmp_path, **HOW | {"augment": Watched(), "freeze": {"1": 0.7}})


def test_one_that_is_through_is_not_trained_again(colours, tmp_path):
    first = small()
    done = fit(first, colours, checkpoint=tmp_path, **HOW)
    second = small(seed=1)
    again = fit(second, colours, checkpoint=tmp_path, **HOW)
    assert again.rows == done.rows and again.ended == "all epochs" and same(first, second)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-005.safetensors", "state.json"]


def test_of_another_training_is_refused(colours, tmp_path):
    fit(small(), colours, checkpoint=tmp_path, **HOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for other, said in [
        ({"epochs": 6}, "epochs: 5 there, 6 now"),
        ({"lr": 0.5}, r"lr: \[0.01\] there, \[0.5\] now"),
        ({"augment": None}, "augment: .*Crop.* there, .* now"),
        ({"batch_size": 8}, "batch_size: 16 there, 8 now"),
        ({"optimizer": MOMENTUM}, "optimizer: 'Adam' there, 'SGD' now"),
    ]:
        with pytest.raises(ValueError, match=rf"is of another training \(.*{said}"):
            fit(small(), colours, checkpoint=tmp_path, **HOW | other)
    with pytest.raises(ValueError, match="labels: "):
        fit(small(), easy(99), checkpoint=tmp_path, **HOW)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("damage", ["state.json", "epoch-005.safetensors", "gone"])
def test_a_damaged_one_is_refused(colours, tmp_path, damage):
    fit(small(), colours, checkpoint=tmp_path, **HOW)
    if damage == "gone":
        (tmp_path / "epoch-005.safetensors").unlink()
    else:
        (tmp_path / damage).write_bytes((tmp_path / damage).read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"the checkpoint in .* cannot be read .*Delete the folder"):
        fit(small(), colours, checkpoint=tmp_path, **HOW)


SCRIPT = """
import sys, time
from lessons import easy, small
from utils.training import fit
def slow(x, generator):
    time.sleep(0.05)
    return x
fit(small(), easy(), epochs=40, batch_size=16, lr=1e-2, progress=False, augment=slow, checkpoint=sys.argv[1])
"""


def test_a_killed_process_loses_one_epoch_at_most(tmp_path):
    """kill -9 in the middle; whenever it comes, the JSON names tensors that are there and whole."""
    folder, env = tmp_path / "run", {"PYTHONPATH": f"{HERE}:{HERE.parents[1]}", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], env=env)
    for epochs in (2, 4):
        while epochs_in(folder) < epochs:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        there = epochs_in(folder)
        state = json.loads((folder / "state.json").read_text())
        assert load_file(folder / state["tensors"])
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder)], env=env, stdout=subprocess.PIPE, text=True
        )
        assert f"after epoch {there} of 40" in process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()


def epochs_in(folder):
    state = folder / "state.json"
    return len(json.loads(state.read_text())["history"]["rows"]) if state.exists() else 0
