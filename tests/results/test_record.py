"""What benchmarks write down: added to, found again, and whole at any moment."""

import json
import os

import pytest

from utils.results.record import Record


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
