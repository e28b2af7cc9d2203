"""How a notebook begins, and how JupyterLab is opened."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import utils
from utils import lab
from utils.start import fast, notices

ROOT = Path(__file__).parents[1]
PY312 = (3, 12, 1)


def test_an_ordinary_machine_needs_no_notice():
    assert notices(f"v{utils.__version__}", {}, PY312) == []
    assert notices("@TAG@", {}, PY312) == []  # a source that was not released
    assert notices("", {"CNN_COURSE_FAST": "0"}, PY312) == []


@pytest.mark.parametrize(
    ("tag", "environ", "python", "says"),
    [
        ("", {}, (3, 10, 9), "This is Python 3.10; the course needs 3.11 or later"),
        ("v0.0.1", {}, PY312, f"belongs to v0.0.1 of the course, but v{utils.__version__} is installed"),
        ("", {"CNN_COURSE_FAST": "1"}, PY312, "Fast mode is on"),
        ("", {"COLAB_RELEASE_TAG": "release-colab"}, PY312, "File ▸ Save a copy in Drive"),
        ("", {"BINDER_SERVICE_HOST": "10.0.0.1"}, PY312, "File ▸ Download"),
    ],
)
def test_what_a_learner_should_know(tag, environ, python, says):
    (notice,) = notices(tag, environ, python)
    assert says in notice


def test_colab_learners_are_told_how_to_keep_the_data():
    (notice,) = notices("", {"COLAB_RELEASE_TAG": "x"}, PY312)
    assert "CNN_COURSE_DATA" in notice
    assert "drive.mount" in notice


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_fast_mode_is_read_from_the_environment(value, expected):
    assert fast({"CNN_COURSE_FAST": value}) is expected
    assert fast({}) is False


def test_start_can_be_called_before_and_after_importing_from_it():
    code = (
        "import utils; utils.start('00_start_here'); from utils.start import fast; fast(); import utils.start; "
        "utils.start('01_convolution', 'v0.0.0')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Chapter 00_start_here, course version" in done.stdout
    assert "Chapter 01_convolution" in done.stdout
    assert "belongs to v0.0.0" in done.stdout
    assert done.stdout.count("torch ") == 2  # the machine's table, twice


def sources(folder):
    return sorted((ROOT / folder).glob("*/*.ipynb"))


def set_up(path: Path) -> str:
    cells = json.loads(path.read_text())["cells"]
    (cell,) = [cell for cell in cells if cell["id"] == "setup"]
    return "".join(cell["source"])


@pytest.mark.parametrize(
    "path", [*sources("solutions"), *sources("notebooks")], ids=lambda path: f"{path.parts[-3]}-{path.stem}"
)
def test_every_notebook_begins_with_the_same_set_up(path):
    first = sources(path.parts[-3])[0]
    expected = set_up(first).replace(first.stem, path.stem).splitlines()
    common = next(i for i, line in enumerate(expected) if line.startswith("from utils.checks")) + 1
    assert set_up(path).splitlines()[:common] == expected[:common]
    assert "%pip install --quiet --no-deps" in set_up(path)


@pytest.mark.parametrize("shadow", ["utils.py", "utils/__init__.py", "utils/notes.txt"])
def test_another_utils_is_named(tmp_path, shadow):
    (tmp_path / shadow).parent.mkdir(exist_ok=True)
    (tmp_path / shadow).write_text("")
    code = set_up(sources("solutions")[0])
    code = "\n".join("    pass" if line.strip().startswith("%") else line for line in code.splitlines())
    ast.parse(code)
    isolated = {**os.environ, "PYTHONPATH": str(tmp_path)}
    # -S: without site-packages, as on Colab before the course's package is there
    flags = ["-S"] if shadow == "utils/notes.txt" else []
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], cwd=tmp_path, env=isolated, capture_output=True, text=True
    )
    assert "another utils hides the course's" in done.stderr
    assert str(tmp_path / "utils") in done.stderr
    assert "Rename or remove it, restart the kernel." in done.stderr


@pytest.mark.parametrize(
    ("container", "browser", "superuser", "flags"),
    [
        (False, True, False, []),
        (False, False, False, ["--no-browser"]),
        (True, False, False, ["--ip=0.0.0.0", "--no-browser"]),
        (True, False, True, ["--ip=0.0.0.0", "--no-browser", "--allow-root"]),
    ],
)
def test_jupyterlab_is_called_as_the_place_needs_it(container, browser, superuser, flags):
    call = lab.command(container, browser, superuser)
    assert call[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={ROOT}" in call
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here/00_start_here.ipynb" in call
    assert [flag for flag in call if flag in ("--no-browser", "--ip=0.0.0.0", "--allow-root")] == flags


def test_jupyterlab_stays_off_the_network():
    # That nothing else is asked for is seen in the browser (tests/browser).
    assert "--LabApp.extension_manager=readonly" in lab.command(False, True, False)
    code = "from jupyterlab_server.config import get_static_page_config; print(get_static_page_config(level='all'))"
    environ = lab.environment(dict(os.environ))
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert "'@jupyterlab/apputils-extension:announcements': True" in done.stdout
    own = lab.environment({"JUPYTER_CONFIG_PATH": "/their/own"})["JUPYTER_CONFIG_PATH"]
    assert own.split(os.pathsep)[1:] == ["/their/own"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (".dockerenv", "", True),
        ("run/.containerenv", "", True),
        ("proc/1/cgroup", "0::/kubepods/besteffort/pod1", True),
        ("proc/1/cgroup", "0::/init.scope", False),
        ("etc/hostname", "laptop", False),
    ],
)
def test_containers_are_recognised(tmp_path, name, content, expected):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(content)
    assert lab.in_container(tmp_path) is expected


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({}, "linux", True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}, "linux", True),
        ({}, "darwin", False),
        ({}, "win32", False),
        ({"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}, "darwin", True),
    ],
)
def test_where_no_browser_can_open(environ, platform, expected):
    assert lab.without_browser(environ, platform) is expected


def test_a_copy_without_notebooks_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    assert lab.main([]) == 1
    assert "Run this from a copy of the course that has its notebooks." in capsys.readouterr().out
