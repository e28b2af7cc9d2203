"""The data folder, what to do with a damaged file in it, and how to tell the learner."""

from __future__ import annotations

import hashlib
import html
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


class DamagedFile(ValueError):
    """A data file that is not what its name says; the message names the file, what is wrong and what was expected."""

    def __init__(self, path: Path, problem: str):
        super().__init__(f"{path.name} is damaged: {problem}.")
        self.path, self.problem = path, problem


def folder() -> Path:
    """Where MNIST and CIFAR-10 lie: `CNN_COURSE_DATA`, or `cnn-course` in the user's cache folder."""
    chosen = os.environ.get("CNN_COURSE_DATA", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("cnn-course", appauthor=False)


def matches(path: Path, checksum: str) -> bool:
    """Whether the file has this checksum, written as "md5:…" or "sha256:…"."""
    algorithm, _, expected = checksum.partition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return found.hexdigest() == expected


def write_whole(path: Path, write: Callable) -> None:
    """Call `write(file)` on a temporary file and move it to `path` when it is whole: never half a file under that name.

    Two processes may do this at once: each has its own temporary file, and the last move wins.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.chmod(temporary, 0o644)  # mkstemp's files are for their owner alone; a class may share this folder
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def save_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to an .npz file, uncompressed (photographs hardly shrink, and it loads ten times as fast)."""
    write_whole(path, lambda file: np.savez(file, **arrays))


def set_aside(damage: DamagedFile) -> None:
    """Rename a damaged file, so that a sound one can take its place, and tell the learner. Nothing is deleted."""
    path = damage.path
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        path.rename(aside)
    except FileNotFoundError:  # another process has just done the same
        return
    except OSError:  # a folder that may only be read
        tell(f"{damage} It is in {path.parent}, where it cannot be renamed; the course does without it.")
        return
    tell(f"{damage} It is kept as {aside.name} in {path.parent}; the course goes on without it.")


# An opaque ground and a dark text, so that the sentence is readable in JupyterLab's dark mode as well.
BOX = "background:#fff4d6;color:#222;border-left:5px solid #e69f00;padding:.5em .8em;margin:.3em 0;max-width:60em"


def tell(sentence: str) -> None:
    """Say something that the learner must not miss: a box in a notebook, a printed line elsewhere."""
    ipython = sys.modules.get("IPython")  # never imported for this: without it nobody is in a notebook
    if ipython is None or ipython.get_ipython() is None:
        print(sentence, flush=True)
        return
    from IPython.display import display

    box = f'<div role="note" style="{BOX}">{html.escape(sentence)}</div>'
    display({"text/plain": sentence, "text/html": box}, raw=True)
