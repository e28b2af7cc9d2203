"""An assignment in an empty folder, at each stage: begun, written, trained, with the test part opened."""

from types import SimpleNamespace

import pytest
from drafts import BASELINE, HELPERS, PROPOSED, SETUP, SPEC, easy, write

from utils import data
from utils.assignment import items, notebook, pictures


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty folder to work in, with small data that pass for CIFAR-10; `.names` are the notebook's."""
    (x, y), (x_test, y_test) = easy(400, 0), easy(200, 1)
    made = data.ImageData("CIFAR-10", tuple("abcdefghij"), x, y, x_test, y_test, False, "made").split(100)
    names = {"__name__": "__main__"}
    monkeypatch.setenv("CNN_COURSE_FAST", "0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pictures, "_parts", lambda quick: made)
    monkeypatch.setattr(notebook, "names", lambda: names)
    pictures._checksum.cache_clear()
    items._seen.clear()
    yield SimpleNamespace(folder=tmp_path, names=names, data=made)
    pictures._checksum.cache_clear()


@pytest.fixture
def written(work):
    """The same, with a spec and both classes written."""
    write(work.names, SETUP, "from utils import assignment", HELPERS, BASELINE, PROPOSED, SPEC)
    return work


@pytest.fixture
def trained(written):
    """The same, with both classes trained."""
    from utils import assignment

    for network in (written.names["Baseline"], written.names["proposed"]):
        assignment.train(network, written.names["spec"], seeds=(0, 1))
    return written


@pytest.fixture
def opened(trained):
    """The same, with the test part opened."""
    from utils import assignment

    assignment.open_test()
    return trained
