"""A course folder with one small chapter, for tests that need a chapter but none of the real ones."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading.course import found

CHAPTER = "97_small"
SETUP = """\
# Set-up: run this cell first, and again after every restart.
import importlib.util
if importlib.util.find_spec("utils") is None:
    %pip install --quiet --no-deps "git+@ADDRESS@@@TAG@"
import utils
from utils.checks import check"""
SOLUTION = """\
def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    \"\"\"How many places there are for the kernel.\"\"\"
    ### BEGIN SOLUTION
    covered = ones * dilation * (kernel_size - 1) + 1
    if covered > n + 2 * padding:
        raise ValueError("the kernel does not fit")
    return (n + 2 * padding - covered) // stride + 1
    ### END SOLUTION

conv_output_size(7, 3)"""
CHECK = """\
### BEGIN HIDDEN TESTS
from grading.hidden import check  # other cases, partial credit
### END HIDDEN TESTS
check("conv_output_size", conv_output_size)"""


def cell(kind, name: str, source: str, tags=(), **grading):
    """A cell with an id and, if anything is said about grading, with nbgrader's metadata."""
    new = kind(source)
    new.id = name
    if tags:
        new.metadata.tags = list(tags)
    if grading:
        base = {
            "schema_version": 3,
            "grade_id": name,
            "locked": False,
            "solution": False,
            "grade": False,
            "task": False,
        }
        new.metadata.nbgrader = {**base, **grading}
    return new


def chapter():
    """A chapter as an author writes it: nothing wrong with it."""
    code, text = new_code_cell, new_markdown_cell
    badge = f"[![Open in Colab](badge.svg)](@COLAB@/{CHAPTER}/{CHAPTER}.ipynb)"
    nb = new_notebook(
        cells=[
            cell(
                text, "title", f"{badge} [![Open in Binder](badge.svg)](@BINDER@/{CHAPTER}/{CHAPTER}.ipynb)\n\n# Small"
            ),
            cell(code, "setup", SETUP),
            cell(code, "picture", 'raise RuntimeError("grading has no need of this cell")'),
            cell(code, "one", "ones = 1"),
            cell(text, "task", "📝 Exercise: how many places are there for the kernel?"),
            cell(code, "size", SOLUTION, ["raises-exception"], solution=True),
            cell(code, "check-size", CHECK, grade=True, locked=True, points=5),
            cell(text, "why", "Because the kernel must lie inside.", solution=True, grade=True, points=4),
        ]
    )
    nb.metadata.language_info = {"name": "python", "version": "3.11.7"}
    nb.metadata.widgets = {"state": {}}
    return nb


def course(root: Path, nb=None) -> Path:
    """A course folder whose one chapter is `nb`, or the small one above."""
    found(root)
    folder = root / "solutions" / CHAPTER
    folder.mkdir(parents=True)
    nbformat.write(nb or chapter(), folder / f"{CHAPTER}.ipynb")
    return root


def released(root: Path):
    return nbformat.read(root / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
