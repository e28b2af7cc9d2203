"""The room as a whole: what importing it costs, where the data lie, how a notebook is told, `python -m utils.data`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from utils import data
from utils.data import __main__ as command
from utils.data import cifar10_files, files, mnist_files, sets
from utils.data.download import DownloadError

HEAVY = ("torchvision", "sklearn", "skimage", "ipywidgets", "matplotlib", "PIL", "scipy", "IPython")


def test_importing_it_brings_in_nothing_heavy():
    code = f"import sys, utils.data; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_everything_promised_is_there():
    for name in data.__all__:
        assert getattr(data, name).__doc__ or name == "SHAPES", name


def test_the_folder_is_the_one_named(monkeypatch):
    monkeypatch.setenv("CNN_COURSE_DATA", "~/course data")
    assert data.folder() == Path.home() / "course data"
    monkeypatch.setenv("CNN_COURSE_DATA", "")
    assert data.folder().name == "cnn-course" and data.folder().is_absolute()


def test_a_notebook_shows_a_box_and_nothing_on_stderr(capsys):
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            files.tell('5 < 6 & "so on"')
    finally:
        InteractiveShell.clear_instance()
    (shown,) = captured.outputs
    assert shown.data["text/plain"] == '5 < 6 & "so on"'
    assert "5 &lt; 6 &amp;" in shown.data["text/html"] and "background:#" in shown.data["text/html"]
    assert captured.stderr == "" and "color:#" in shown.data["text/html"]  # both colours: readable in dark mode too


def test_elsewhere_it_is_printed(capsys):
    files.tell("one sentence")
    assert capsys.readouterr().out == "one sentence\n"


def test_half_a_file_never_has_the_files_name(tmp_path):
    def stop(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_whole(tmp_path / "f.npz", stop)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_that_cannot_be_renamed_is_still_told(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError("read-only")

    path = tmp_path / "cifar10.npz"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "rename", refuse)
    files.set_aside(data.DamagedFile(path, "it is too short"))
    assert "cifar10.npz is damaged: it is too short." in capsys.readouterr().out
    assert path.exists()


@pytest.fixture
def two_sets(monkeypatch):
    """MNIST is in the folder; CIFAR-10 is not, until a download succeeds. Returns what the network gives."""
    x, y = torch.zeros(10, 1, 2, 2, dtype=torch.uint8), torch.arange(10)
    here = data.ImageData("MNIST", tuple("0123456789"), x, y, x, y, False, "a test")
    network = {"error": None, "asked": 0, "here": None}

    def download(folder):
        network["asked"] += 1
        if network["error"]:
            raise network["error"]
        network["here"] = data.ImageData("CIFAR-10", tuple("0123456789"), x, y, x, y, False, "a test")

    monkeypatch.setattr(mnist_files, "read", lambda folder: here)
    monkeypatch.setattr(cifar10_files, "read", lambda folder: network["here"])
    monkeypatch.setattr(cifar10_files, "download", download)
    return network


def test_the_command_fetches_what_is_missing(two_sets, data_folder, capsys):
    assert command.main([]) == 0
    said = capsys.readouterr().out
    assert f"Data folder: {data_folder}" in said
    assert "MNIST: 10 training and 10 test pictures" in said and "CIFAR-10: 10 training" in said
    assert two_sets["asked"] == 1
    assert command.main([]) == 0 and two_sets["asked"] == 1


def test_the_command_fails_with_a_clear_sentence(two_sets, capsys):
    two_sets["error"] = DownloadError("no server can be reached", "\n  https://…: fell silent")
    assert command.main([]) == 1
    said = capsys.readouterr().out
    assert "CIFAR-10: no server can be reached\n  https://…: fell silent" in said
    assert "Missing: CIFAR-10." in said and "goes on where it stopped" in said
    two_sets["error"] = None
    assert command.main([]) == 0  # the earlier failure is forgotten


def test_check_only_looks(two_sets, capsys):
    assert command.main(["--check"]) == 1
    assert two_sets["asked"] == 0
    assert "CIFAR-10: not there" in capsys.readouterr().out


def test_the_module_runs(data_folder):
    done = subprocess.run(
        [sys.executable, "-m", "utils.data", "--check"],
        capture_output=True,
        text=True,
        cwd=Path(data.__file__).parents[2],
    )
    assert done.returncode == 1 and "Missing: MNIST and CIFAR-10." in done.stdout and done.stderr == ""


def test_what_arrives_unreadable_is_an_error_not_a_loop(two_sets, monkeypatch):
    monkeypatch.setattr(cifar10_files, "download", lambda folder: None)
    with pytest.raises(DownloadError, match="could not be read"):
        sets.fetch(cifar10_files)


def test_arrays_survive_the_npz(tmp_path):
    files.save_npz(tmp_path / "a.npz", {"a": np.arange(5)})
    assert np.load(tmp_path / "a.npz")["a"].tolist() == [0, 1, 2, 3, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
