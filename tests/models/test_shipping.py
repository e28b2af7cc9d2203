"""Networks that come with the course: small, as good as their note says, and written so that they come back."""

import json
import re

import pytest
import torch

from utils import data, evaluation, models
from utils.models import FastCNN, shipping

NAMES = sorted(path.stem for path in shipping.FOLDER.glob("*.json"))


def test_there_is_one_for_the_real_pictures_and_one_for_the_stand_in():
    assert {"cifar10", "shapes10"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_says_how_it_was_made(name):
    net, about = models.shipped(name)
    assert (shipping.FOLDER / f"{name}.safetensors").stat().st_size < 3_000_000
    assert not net.training and net(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    good = 0.55 if name.endswith(("_small", "_other")) else 0.8  # some are there to be attacked only
    assert about["val_accuracy"] > good and about["test_accuracy"] > good
    assert re.fullmatch(r"python benchmarks/(time_to_accuracy/ship|robustness/run)\.py .+", about["command"])
    assert {"seed", "date", "machine", "versions", "recipe", "pictures", "seconds_of_training"} <= about.keys()


def test_the_stand_ins_network_is_as_good_as_its_note_says():
    net, about = models.shipped("shapes10")
    shapes = data.cifar10("standin").subset(n_train=10, n_test=1000)
    accuracy = evaluation.accuracy(net, shapes.x_test, shapes.y_test)
    assert abs(accuracy - about["test_accuracy"]) < 0.04  # of 1,000 pictures


def test_what_is_shipped_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "FOLDER", tmp_path / "weights")
    torch.manual_seed(0)
    net = FastCNN(torch.randint(0, 256, (50, 3, 32, 32), dtype=torch.uint8), widths=(8, 8, 8))
    x = torch.rand(4, 3, 32, 32)
    file = models.ship("mine", net, {"widths": [8, 8, 8]}, test_accuracy=0.5)
    again, about = models.shipped("mine")
    assert torch.equal(again(x), models.rounded(net)(x)) and about["test_accuracy"] == 0.5
    assert not torch.equal(again(x), net.eval()(x))
    assert json.loads(file.with_suffix(".json").read_text())["network"] == "FastCNN"
    with pytest.raises(ValueError, match=r"no trained network is called 'yours'; there are: mine\."):
        models.shipped("yours")
