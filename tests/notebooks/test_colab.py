"""Colab, played by a stand-in: its usual packages but not the course's, a notebook alone in a folder, no network.

The learner's repository lies on this disk, written by `make publish`, and the set-up cell installs from there.
"""

import json
import os
import re
import shutil
import site
import subprocess
import venv
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from grading.course import addresses
from grading.publish import publish

# Installed here, but not on Colab.
ABSENT = ("cnn_course", "__editable__", "nbgrader", "nbval", "jupyterlab", "pytest", "playwright", "pip")


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """The stand-in's Python. Its packages are this environment's, as links, so that nothing is installed twice."""
    root = tmp_path_factory.mktemp("colab")
    shared = root / "shared"
    shared.mkdir()
    for entry in Path(site.getsitepackages()[0]).iterdir():
        if not entry.name.startswith(ABSENT) and entry.suffix != ".pth":
            (shared / entry.name).symlink_to(entry)
    venv.create(root / "python", with_pip=True)
    own = next((root / "python").glob("lib/python*/site-packages"))
    for old in (*own.glob("setuptools*"), *own.glob("pkg_resources")):  # Python 3.11 brings an old one along
        shutil.rmtree(old)
    (own / "shared.pth").write_text(f"{shared}\n")
    return root / "python/bin/python"


def packages(python: Path) -> set[str]:
    """What is installed in the stand-in itself, beyond what it shares."""
    own = next(python.parents[1].glob("lib/python*/site-packages"))
    return {path.name for path in own.iterdir()}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The learner's repository, and its address on this disk."""
    folder = tmp_path_factory.mktemp("address") / "cnn-course"
    publish(folder, folder.as_uri())
    return folder


@pytest.fixture
def alone(tmp_path, published):
    """A folder with nothing but a released notebook in it; returns the notebook."""

    def place(chapter):
        (tmp_path / "content").mkdir()
        return shutil.copy(published / "notebooks" / chapter / f"{chapter}.ipynb", tmp_path / "content")

    return place


@pytest.fixture
def kernel(colab, tmp_path, monkeypatch):
    """Let notebooks run on the stand-in's Python, with the variables that Colab sets and pip kept off the network."""
    spec = tmp_path / "jupyter/kernels/colab"
    spec.mkdir(parents=True)
    log = tmp_path / "pip.log"
    environ = {
        **{
            "COLAB_RELEASE_TAG": "release-colab",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_LOG": str(log),
        },
        **{"PYTHONPATH": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PATH": f"{colab.parent}:{os.environ['PATH']}"},
    }
    call = [str(colab), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": call, "display_name": "Colab", "language": "python", "env": environ})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return log


def run(nb, folder: Path):
    settings = {"timeout": 120, "kernel_name": "colab", "resources": {"metadata": {"path": str(folder)}}}
    NotebookClient(nb, **settings).execute()
    return nb


def up_to_the_first_exercise(nb):
    exercise = next(i for i, cell in enumerate(nb.cells) if cell.metadata.get("nbgrader", {}).get("solution"))
    nb.cells = nb.cells[: exercise + 1]
    return nb


# All set-up cells begin alike (tests/test_start.py): here the first, one that installs more, and the assignment's.
@pytest.mark.parametrize("chapter", ["00_start_here", "10_failure_modes", "assignment_cifar10"])
def test_set_up_installs_the_course_and_nothing_else(colab, kernel, alone, chapter):
    path = Path(alone(chapter))
    nb = up_to_the_first_exercise(nbformat.read(path, as_version=4))
    asked = "import torch, numpy, utils; print(torch.__file__, numpy.__file__, utils.__file__, sep='\\n')"
    nb.cells.append(nbformat.v4.new_code_cell(asked))
    before = packages(colab)
    try:
        run(nb, path.parent)
        own = packages(colab) - before
    finally:
        subprocess.run([colab, "-m", "pip", "uninstall", "--yes", "--quiet", "cnn-course"], check=True)
    assert own == {"utils", f"cnn_course-{addresses()['TAG'][1:]}.dist-info"}
    torch, numpy, utils = nb.cells[-1].outputs[0].text.split()
    assert "shared" in torch and "shared" in numpy
    assert Path(utils).is_relative_to(colab.parents[1])
    told = kernel.read_text()
    assert re.search(rf"Cloning file:///.*/cnn-course \(to revision {addresses()['TAG']}\)", told)
    assert "Successfully installed cnn-course" in told
    assert "Collecting torch" not in told and "Collecting numpy" not in told
    assert [output.ename for output in nb.cells[-2].outputs if output.output_type == "error"] == ["NotImplementedError"]
    set_up = next(cell for cell in nb.cells if cell.id == "setup")
    assert "File ▸ Save a copy in Drive" in str(set_up.outputs)
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name]


def test_what_the_set_ups_import_is_there(colab, published):
    cells = [
        cell
        for path in sorted(published.glob("notebooks/*/*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.id == "setup"
    ]
    imports = [line for cell in cells for line in cell.source.splitlines() if line.startswith(("import ", "from "))]
    assert len(cells) >= 12 and "from utils import device" in imports
    code = "\n".join(dict.fromkeys(imports))
    done = subprocess.run([colab, "-c", code], cwd=published, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_old_installation_is_noticed(colab, kernel, alone):
    path = Path(alone("00_start_here"))
    nb = nbformat.read(path, as_version=4)
    nb.cells = [cell for cell in nb.cells if cell.id == "setup"]
    nb.cells[0].source = nb.cells[0].source.replace(f'"{addresses()["TAG"]}")', '"v99.0.0")')
    try:
        run(nb, path.parent)
    finally:
        subprocess.run([colab, "-m", "pip", "uninstall", "--yes", "--quiet", "cnn-course"], check=True)
    assert "belongs to v99.0.0 of the course" in str(nb.cells[0].outputs)


@pytest.mark.parametrize("shadow", ["utils.py", "utils/__init__.py"])
def test_another_utils_beside_the_notebook_is_named(kernel, alone, shadow):
    path = Path(alone("00_start_here"))
    (path.parent / shadow).parent.mkdir(exist_ok=True)
    (path.parent / shadow).write_text("print('my own')\n")
    nb = up_to_the_first_exercise(nbformat.read(path, as_version=4))
    with pytest.raises(Exception, match=r"another utils hides the course's: .*utils.*Rename or remove it"):
        run(nb, path.parent)
    assert not kernel.exists()  # nothing was installed over it


def test_the_stand_in_lacks_the_course(colab, tmp_path):
    code = (
        "import ipywidgets, matplotlib, numpy, skimage, torch; from importlib.util import find_spec; "
        "print([find_spec(name) for name in ('utils', 'grading', 'nbgrader')])"
    )
    done = subprocess.run([colab, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[None, None, None]"
