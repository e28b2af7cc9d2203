"""How a notebook begins: `utils.start("01_convolution")` shows the machine and says what the learner should know.

from utils.start import fast
repeats = 3 if fast() else 20      # CNN_COURSE_FAST=1 asks for short runs: tests, hurried readers
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from utils import __version__

OLDEST_PYTHON = (3, 11)
COLAB = (
    "This is Colab, which forgets everything when its machine goes. Keep your work with File ▸ Save a copy in Drive. "
    "To keep the data sets too, run `from google.colab import drive; drive.mount('/content/drive')` and "
    "`%env CNN_COURSE_DATA=/content/drive/MyDrive/cnn-course-data` before the first data set is loaded."
)
BINDER = "This is Binder, which forgets everything some minutes after you leave. Keep your work with File ▸ Download."
FAST = "Fast mode is on (CNN_COURSE_FAST): measurements are repeated less often, so timings are rougher."


def begin(notebook: str, tag: str = "") -> None:
    """Show the machine, the course's version, and whatever the learner should know before starting.

    Parameters
    ----------
    notebook : str
        The chapter's folder, for example "01_convolution".
    tag : str
        The release that the notebook belongs to, for example "v0.1.0"; it is filled in by the release.
    """
    from utils import device

    machine = device.machine()
    lines = [f"Chapter {notebook}, course version {__version__}.", *notices(tag)]
    if "ipykernel" not in sys.modules:
        print(machine, *lines, sep="\n")
        return
    from IPython.display import Markdown, display

    display(machine)
    display(Markdown("  \n".join(lines)))


def notices(tag: str = "", environ=os.environ, python: tuple = sys.version_info) -> list[str]:
    """What the learner should know, a sentence or two each; empty on an ordinary machine."""
    found = []
    if tuple(python[:2]) < OLDEST_PYTHON:
        have, want = (".".join(map(str, version[:2])) for version in (python, OLDEST_PYTHON))
        found.append(f"⚠️ This is Python {have}; the course needs {want} or later, and some cells will fail.")
    if tag.startswith("v") and tag != f"v{__version__}":
        found.append(
            f"⚠️ This notebook belongs to {tag} of the course, but {f'v{__version__}'} is installed: "
            "take both from the same release, or some cells may fail."
        )
    if fast(environ):
        found.append(f"ℹ️ {FAST}")
    if environ.get("COLAB_RELEASE_TAG"):
        found.append(f"ℹ️ {COLAB}")
    if environ.get("BINDER_SERVICE_HOST"):
        found.append(f"ℹ️ {BINDER}")
    return found


def fast(environ=os.environ) -> bool:
    """Whether short runs are wanted: CNN_COURSE_FAST is set to anything but 0."""
    return environ.get("CNN_COURSE_FAST", "0") not in ("", "0")


class Start(ModuleType):
    """This module can be called, so that `utils.start(...)` works whether or not somebody imported from it before."""

    def __call__(self, notebook: str, tag: str = "") -> None:
        begin(notebook, tag)


sys.modules[__name__].__class__ = Start
