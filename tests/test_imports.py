"""`import utils` is cheap: rooms and heavy libraries are opened when they are first used."""

import subprocess
import sys

import pytest

HEAVY = {
    *("torchvision", "sklearn", "skimage", "scipy", "matplotlib.pyplot", "ipywidgets", "IPython"),
    *("nbgrader", "grading"),
}
SET_UP = "from utils import data, explore, show; from utils.checks import check, yours_or_torch"


@pytest.mark.parametrize("line", ["import utils", "import utils; utils.start", "import utils; utils.device", SET_UP])
def test_nothing_heavy_is_imported(line):
    code = f"import torch, sys; before = set(sys.modules); {line}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "utils" in loaded
    assert not loaded & HEAVY


def test_an_unknown_room_is_named():
    import utils

    with pytest.raises(AttributeError, match="has no 'kitchen'; it has: applications, assignment, checks, data"):
        utils.kitchen  # noqa: B018


def test_rooms_are_listed_for_completion():
    import utils

    assert {"checks", "data", "device", "explore", "show", "start"} <= set(dir(utils))
