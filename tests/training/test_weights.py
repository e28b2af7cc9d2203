"""Weights go to disk and come back; what does not fit, or is damaged, is refused and changes nothing."""

import json

import pytest
import torch
from lessons import same, small

from utils.training import History, load_weights, save_weights


def test_there_and_back(tmp_path):
    first, second = small(0), small(1)
    file = save_weights(first, tmp_path / "runs" / "v1.2", accuracy=0.84, seeds=[1, 2])
    assert file == tmp_path / "runs" / "v1.2.safetensors" and file.is_file()
    assert load_weights(second, tmp_path / "runs" / "v1.2") == {"accuracy": 0.84, "seeds": [1, 2]}
    assert same(first, second)
    assert load_weights(second, file) == json.loads((tmp_path / "runs" / "v1.2.json").read_text())
    assert sorted(path.name for path in file.parent.iterdir()) == ["v1.2.json", "v1.2.safetensors"]


def test_weights_in_channels_last_come_back_too(tmp_path):
    first, second = small(0).to(memory_format=torch.channels_last), small(1)
    load_weights(second, save_weights(first, tmp_path / "a"))
    assert same(first, second)


def test_of_another_network(tmp_path):
    save_weights(small(classes=4), tmp_path / "four")
    save_weights(torch.nn.Linear(2, 2), tmp_path / "line")
    model = small()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"four.safetensors holds .* another network than Sequential.*\(4,\) there, \(3,\) here"
    ):
        load_weights(model, tmp_path / "four")
    with pytest.raises(ValueError, match=r"missing there: 0.mean, .*unknown here: bias, weight"):
        load_weights(model, tmp_path / "line")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_damaged_or_not_there(tmp_path):
    file = save_weights(small(), tmp_path / "a")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(ValueError, match=r"a.safetensors is damaged.*Fetch or make it again"):
        load_weights(small(), file)
    with pytest.raises(FileNotFoundError, match=r"there are no weights at .*b.safetensors"):
        load_weights(small(), tmp_path / "b")


def history():
    row = {"epoch": 1, "loss": 2.0, "accuracy": 0.25, "val_loss": 1.5, "val_accuracy": 0.5, "lr": 0.1, "seconds": 3.0}
    rows = [row | {"val_seconds": 1.0}, row | {"epoch": 2, "val_loss": None, "val_accuracy": None, "val_seconds": 0.0}]
    return History(rows, [(0.5, 2.25)], {"epochs": 2}, "all epochs", 1)


def test_a_history_is_written_and_read(tmp_path):
    history().save(tmp_path / "h.json")
    assert History.load(tmp_path / "h.json") == history()
    (tmp_path / "h.json").write_text("[]")
    with pytest.raises(ValueError, match="does not hold a history"):
        History.load(tmp_path / "h.json")


def test_a_history_says_what_happened():
    assert repr(history()).splitlines() == [
        "epoch     loss  accuracy  val loss  val acc.  seconds",
        "    1   2.0000    25.00%    1.5000    50.00%      3.0  ← best",
        "    2   2.0000    25.00%         –         –      3.0",
        "ended: all epochs, after 6.0 s of training",
    ]
    assert history().best["epoch"] == 1 and history()["val_accuracy"] == [0.5, None] and history().seconds == 6
    with pytest.raises(KeyError, match="'acc' is no column; there are: epoch, loss"):
        history()["acc"]
    with pytest.raises(ValueError, match="no epoch was completed"):
        _ = History().best
    assert "no epoch completed" in repr(History())
