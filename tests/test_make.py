"""make: installs once, again when the lists change, and says what is missing. Python itself is played by a script."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTER = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARGS", "DIR")  # of the make that runs these tests
PYTHON = """#!/bin/sh
# Writes down its calls; makes a .venv with a copy of itself; fails where the test wants it to.
echo "$*" >> "$CALLS"
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"$FAILING"*) exit 1 ;;
esac
"""


@pytest.fixture
def course(tmp_path):
    """A folder with the files that make reads, and a function that calls make in it."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    calls = tmp_path / "calls"

    def make(*arguments, failing="nothing at all"):
        calls.write_text("")
        own = {key: value for key, value in os.environ.items() if key not in OUTER}
        environ = {**own, "CALLS": str(calls), "FAILING": failing}
        call = ["make", f"PYTHON={python}", *arguments]
        done = subprocess.run(call, cwd=tmp_path, env=environ, capture_output=True, text=True)
        return done, calls.read_text()

    return make


def test_the_first_call_installs_and_the_second_does_not(course):
    done, calls = course("data")
    assert done.returncode == 0
    assert "pip install --disable-pip-version-check -r requirements.txt" in calls
    assert calls.splitlines()[-1] == "-m utils.data"
    _, calls = course("data")
    assert calls == "-m utils.data\n"


@pytest.mark.parametrize("changed", ["requirements.txt", "pyproject.toml"])
def test_a_changed_list_installs_again(course, tmp_path, changed):
    course("lab")
    later = (tmp_path / ".venv/installed").stat().st_mtime + 2
    os.utime(tmp_path / changed, (later, later))
    _, calls = course("lab")
    assert "pip install" in calls


def test_a_failed_install_is_tried_again(course):
    done, _ = course("data", failing="pip install")
    assert done.returncode
    _, calls = course("data")
    assert "pip install" in calls


def test_an_old_python_is_named(course):
    done, calls = course("lab", failing="sys.version_info")
    assert done.returncode
    assert "The course needs Python 3.11 or later" in done.stdout
    assert "make lab PYTHON=" in done.stdout
    assert "venv" not in calls


def test_a_python_without_venv_is_told_how_to_get_it(course):
    done, calls = course("lab", failing="import ensurepip, venv")
    assert done.returncode
    assert "sudo apt install python3-venv" in done.stdout
    assert "pip" not in calls.replace("ensurepip", "")


def test_publish_asks_where(course):
    done, calls = course("publish")
    assert done.returncode
    assert "make publish DIR=../cnn-course" in done.stderr
    assert not calls


def test_publish_releases_first(course):
    _, calls = course("publish", "DIR=my folder")
    assert calls.splitlines()[-2:] == ["-m grading release", "-m grading publish my folder"]


def test_make_alone_lists_what_there_is(course):
    done, calls = course()
    targets = [line.split()[1] for line in done.stdout.splitlines()]
    assert {"lab", "test", "demo", "data", "release", "publish"} <= set(targets)
    assert not calls


def test_tests_run_offline_in_fast_mode_over_every_notebook(course, tmp_path):
    done, calls = course("test", "ARGS=-k conv", failing="ruff")
    assert done.returncode  # a fault that ruff finds stops it
    _, calls = course("test", "ARGS=-k conv")
    assert "--nbval-lax" in calls.splitlines()[-1]
    assert calls.rstrip().endswith("-k conv")
    done, _ = course("--dry-run", "--print-data-base", "test")
    for line in ("CNN_COURSE_FAST = 1", "CNN_COURSE_OFFLINE = 1", "OMP_NUM_THREADS = 1"):
        assert line in done.stdout
