"""What benchmarks write down: added to, found again, and whole at any moment."""

import json
import os

import pytest

from utils import results
from utils.results.record import Record, Records


def test_rows_are_kept_with_their_circumstances_and_found_again(tmp_path):
    path = tmp_path / "results" / "part.json"
    Record(path, lambda: {"machine": "a"}).add(seed=0, name="größer", widths=(1, 2))
    again = Record(path, lambda: {"machine": "b"})
    again.add(seed=1, name="größer")
    assert [(row["seed"], row["machine"]) for row in json.loads(path.read_text(encoding="utf-8"))] == [
        (0, "a"),
        (1, "b"),
    ]
    assert again.has(seed=0, widths=(1, 2)) and again.has(name="größer")
    assert not again.has(seed=2) and not again.has(seed=1, widths=(1, 2))


def test_a_write_that_is_interrupted_loses_nothing(tmp_path, monkeypatch):
    record = Record(tmp_path / "part.json", dict)
    record.add(seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            record.add(seed=1)
    assert Record(tmp_path / "part.json", dict).rows == [{"seed": 0}]


def test_parts_are_grouped_by_what_is_asked_and_published_as_results_are_read(tmp_path, monkeypatch):
    records = Records(tmp_path, "trial", "python trial.py")
    for seed in (2, 0, 1):
        records.add("part", {"way": "a", "seed": seed, "curve": [1, 2]}, 0.0)
    records.add("part", {"way": "b", "seed": 0}, 0.0)
    assert records.has("part", {"way": "b", "seed": 0}) and not records.has("part", {"way": "b", "seed": 1})
    groups = records.grouped("part", "way")
    assert list(groups) == [("a",)] and [row["seed"] for row in groups["a",]] == [0, 1, 2]  # one seed says too little
    about = {"title": "größer", "pictures": "drawn", "columns": {"way": "which"}}
    records.publish(tmp_path, "part", about, [{"way": "größer"}, {"way": "b"}], {"by_seed": {"a": [1, 2]}})
    text = (tmp_path / "trial_part.json").read_text(encoding="utf-8")
    assert '\n  "by_seed": {"a": [1, 2]},\n  "rows": [\n    {"way": "größer"},\n    {"way": "b"}\n  ]\n}\n' in text
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    found = results.load("trial_part")
    assert found["way"] == ["größer", "b"] and found.about["command"] == "python trial.py part"


def test_nothing_is_published_of_no_rows(tmp_path):
    Records(tmp_path, "trial", "python trial.py").publish(tmp_path, "part", {}, [], {})
    assert not list(tmp_path.iterdir())
