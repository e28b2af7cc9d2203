"""The file to hand in: what is in it, and that it is not written unless it would work elsewhere."""

import hashlib
import json
import sys
import zipfile

import pytest
from drafts import BASELINE, DEFINED, HELPERS, PROPOSED, code, saved
from safetensors.torch import load

from utils import assignment
from utils.assignment import CannotBundle, CannotRead, handing_in, proving, reading, record, runs

FILE = "assignment_cifar10.zip"


def test_what_is_in_it(opened):
    saved(
        opened.folder, *DEFINED, code("train-baseline", "1 / 0", "training"), code("mine", "import nowhere_to_be_found")
    )
    table = assignment.bundle()
    with zipfile.ZipFile(FILE) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert [row[0] for row in table.rows] == list(parts)
    assert list(parts) == [
        "assignment_cifar10.ipynb",
        "bundle.json",
        "weights/baseline.safetensors",
        "weights/proposed.safetensors",
    ]
    cells = json.loads(parts["assignment_cifar10.ipynb"])["cells"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    told = json.loads(parts["bundle.json"])
    assert told["format"] == 1 and len(told["test_opened"]) == 1
    assert told["data"] == {
        "name": "cifar10", "standin": False, "split_seed": 0, "train": 300, "val": 100, "test": 200, "fast": False,
    }  # fmt: skip
    for role, network in (("baseline", "Baseline"), ("proposed", "Wren")):
        said, weights = told["models"][role], parts[f"weights/{role}.safetensors"]
        chosen = next(run for run in runs.runs_of(role) if run.seed == said["chosen"])
        assert said["class"] == network and len(said["runs"]) == 2
        assert chosen.val_accuracy == max(run["val_accuracy"] for run in said["runs"])
        assert told["files"][f"weights/{role}.safetensors"] == hashlib.sha256(weights).hexdigest() == chosen.weights
        assert {str(tensor.dtype) for tensor in load(weights).values()} <= {"torch.float32", "torch.int64"}
    read = record.parse(parts["bundle.json"])
    assert not any(trained.problems for trained in read.models.values())
    assert read.models["proposed"].run.test_accuracy == chosen.test_accuracy


def test_without_trained_networks_it_says_so(written, capsys):
    assert assignment.bundle() is None
    assert "not done yet" in capsys.readouterr().out


def test_a_name_from_elsewhere_is_named_with_the_cell_to_move_it_to(trained):
    saved(trained.folder, code("mine", HELPERS), *DEFINED[1:])
    with pytest.raises(CannotBundle) as refused:
        assignment.bundle()
    said = str(refused.value)
    assert "`pooled` is needed in the baseline network, but cell 2 (mine) defines it" in said
    assert "Move that definition into the cell “helpers”" in said
    assert sorted(p.name for p in trained.folder.iterdir()) == ["assignment_cifar10.ipynb", "assignment_runs"]


def test_another_class_than_the_trained_one_is_refused(trained):
    (trained.folder / FILE).write_bytes(b"an earlier one")
    saved(
        trained.folder,
        DEFINED[0],
        code("baseline", BASELINE.replace("self.layers(x)", "-self.layers(x)"), "definition"),
        DEFINED[2],
    )
    with pytest.raises(CannotBundle, match=r"Baseline gives the same answer .* to only \d+%.*the class has changed"):
        assignment.bundle()
    assert (trained.folder / FILE).read_bytes() == b"an earlier one"


def found_by(cells, monkeypatch, trained):
    """What the fresh process would find, in this one."""
    from safetensors.torch import save_file

    folder = trained.folder / "proof"
    folder.mkdir()
    save_file({"x": trained.data.x_val[:20].contiguous()}, folder / "pictures.safetensors")
    for role in runs.ROLES:
        weights = (runs.best(runs.runs_of(role)).folder / "weights.safetensors").read_bytes()
        (folder / f"{role}.safetensors").write_bytes(weights)
    monkeypatch.setitem(sys.modules, "__main__", type(sys)("__main__"))
    alone = [{"number": cell["number"], "source": cell["source"]} for cell in reading.definitions(cells)]
    return proving.prove({"cells": alone, "classes": {"baseline": "Baseline", "proposed": "proposed"}}, folder)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ((code("baseline", "size = pool_size\n" + BASELINE, "definition"), DEFINED[2]),
         "`pool_size` is needed in cell 2 (baseline) and is defined nowhere in the saved notebook. Save it"),
        ((*DEFINED, code("more", "SIZE", "definition"), code("x", "SIZE = 1")),
         "`SIZE` is needed in cell 5 (more), but cell 6 (x) defines it, which is not run"),
        ((code("b", "x = SIZE", "definition"), code("c", "SIZE = 3", "definition")),
         "but only cell 3 (c) defines it, further down. Move it up"),
        ((DEFINED[0], DEFINED[1], code("mine", PROPOSED)), "`proposed` is defined in cell 4 (mine), which is not run"),
        ((DEFINED[0], DEFINED[1]), "no cell of the saved notebook says `proposed = YourClass`"),
        ((DEFINED[0], DEFINED[1], code("proposed", PROPOSED.replace("128, 10", "128, 11"), "definition")),
         "the trained weights do not belong to the saved notebook's proposed class"),
        ((code("helpers", "import my_blocks", "definition"), *DEFINED[1:]), "my_blocks.py lies beside your notebook"),
        ((code("helpers", "1 / 0", "definition"), *DEFINED[1:]), "in cell 2 (helpers): ZeroDivisionError: division by"),
        ((code("helpers", "def f(:", "definition"), *DEFINED[1:]), "in cell 2 (helpers): SyntaxError"),
    ],
)  # fmt: skip
def test_what_stops_the_proof_is_said(trained, monkeypatch, cells, says):
    (trained.folder / "my_blocks.py").write_text("")
    saved(trained.folder, *cells)
    read = reading.cells_of(reading.find())
    assert says in handing_in.explained(found_by(read, monkeypatch, trained), read)


def test_magics_and_open_exercises_are_no_obstacle(trained, monkeypatch):
    cells = (code("helpers", "%matplotlib inline\nraise NotImplementedError", "definition"), *DEFINED)
    saved(trained.folder, *cells)
    found = found_by(reading.cells_of(reading.find()), monkeypatch, trained)
    assert found["answers"]["proposed"] == runs.best(runs.runs_of("proposed")).answers[:20]


def test_definitions_are_known_without_their_tags(trained):
    cells = [cell | {"metadata": {}} for cell in (*DEFINED, code("train-baseline", "x = 1"))]
    saved(trained.folder, *cells)
    assert [cell["part"] for cell in reading.cells_of(reading.find())] == ["setup", *["definition"] * 3, "training"]


def test_a_process_that_dies_is_reported(trained, monkeypatch):
    monkeypatch.setattr(handing_in.subprocess, "run", lambda *given, **more: type("Done", (), {"stderr": "Killed\n"}))
    saved(trained.folder, *DEFINED)
    with pytest.raises(CannotBundle, match="do not run alone: ended: Killed"):
        assignment.bundle()


# which file is the notebook


def test_the_notebook_is_found_under_another_name(work):
    saved(work.folder, code("x", "1"), name="other.ipynb")
    saved(work.folder, *DEFINED, name="assignment_cifar10 (1).ipynb")
    assert reading.find().name == "assignment_cifar10 (1).ipynb"
    saved(work.folder, *DEFINED)
    assert reading.find().name == "assignment_cifar10.ipynb"


def test_what_cannot_be_read_is_said(work):
    with pytest.raises(CannotRead, match=r"your notebook is not in .*Save it \(Ctrl\+S"):
        reading.find()
    with pytest.raises(CannotRead, match=r"there is no file nowhere\.ipynb"):
        reading.find("nowhere.ipynb")
    for name in ("a.ipynb", "b.ipynb"):
        saved(work.folder, *DEFINED, name=name)
    with pytest.raises(
        CannotRead, match=r'which of a.ipynb, b.ipynb is your notebook\? Say it: assignment.bundle\("a.ipynb"\)'
    ):
        reading.find()
    for text in ("", "{", "[]", '{"cells": [3]}'):
        (work.folder / "a.ipynb").write_text(text)
        with pytest.raises(CannotRead, match=r"a\.ipynb is no notebook, or a damaged one"):
            reading.read(reading.find("a.ipynb"))
