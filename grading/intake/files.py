"""A submitted folder → its notebook files. Nothing is written, no link is followed, nothing is imported."""

from __future__ import annotations

import os
import re
import stat
import sys
import sysconfig
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path

from grading.intake.limits import Limits, Refused, shown
from grading.intake.read import too_large

# What programs leave beside the work; nobody submitted it on purpose.
LITTER = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", "timestamp.txt", "Icon\r"}
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$|\.json$", re.I)  # some browsers add an ending of their own
COPY = re.compile(
    r"[ _.-]*(\(\d+\)|\[\d+\]|v?\d+|copy|copie|kopie|copia|kopia|final|new|solved|answers?|submission|late)$", re.I
)
COPY_OF = re.compile(r"^((copy|copie|kopie|copia) (of|von|de|di) )+", re.I)
OURS = {"utils", "grading"}


def look(folder: Path, limits: Limits) -> list[Path]:
    """Every file of a submission, relative to its folder; hidden files and litter are passed over.

    Raises
    ------
    Refused
        If the folder, the learner's folder around it or anything in it is a link or no ordinary file.
    """
    for part in (folder.parent, folder):
        if part.is_symlink():
            raise Refused(f"The folder {shown(part.name)} is a link that leads elsewhere; {ITSELF}")
    if not folder.is_dir():
        raise Refused("There is no submission: its folder does not exist. Hand in the file ending in .ipynb.")
    found: list[Path] = []
    walk(folder, Path(), found, limits)
    return sorted(found)


ITSELF = "hand in the file itself, not a link to it."
ALONE = "Hand in the notebook alone."


def walk(folder: Path, under: Path, found: list[Path], limits: Limits) -> None:
    if len(under.parts) > limits.depth:
        raise Refused(f"The folders lie more than {limits.depth} deep in one another. {ALONE}")
    try:
        entries = sorted(os.scandir(folder / under), key=lambda entry: entry.name)
    except OSError as error:
        raise Refused(f"The folder {shown(under)} cannot be read ({error.strerror}). {ALONE}") from error
    for entry in entries:
        path = under / entry.name
        if entry.name in LITTER or entry.name.startswith("."):
            continue
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise Refused(f"{shown(path)} is a link to another place, and links are not followed: {ITSELF}")
        if stat.S_ISDIR(mode):
            walk(folder, path, found, limits)
        elif stat.S_ISREG(mode):
            found.append(path)
        else:
            raise Refused(f"{shown(path)} is no ordinary file (a pipe, a device or a socket). {ALONE}")
        if len(found) > limits.entries:
            raise Refused(f"The submission has more than {limits.entries} files. {ALONE}")


def contents(path: Path, limits: Limits) -> bytes:
    """The bytes of an ordinary file, and of nothing else that may have come to stand in its place.

    Raises
    ------
    Refused
        If it cannot be read, or is over the limit; then it is not even begun.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        file = os.open(path, flags)
    except OSError as error:
        raise Refused(f"{shown(path.name)} cannot be read ({error.strerror}). Hand in the notebook again.") from error
    with open(file, "rb") as opened:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise Refused(f"{shown(path.name)} is no ordinary file. Hand in the notebook itself.")
        if about.st_size > limits.notebook:
            raise Refused(too_large(about.st_size, limits))
        return opened.read(limits.notebook + 1)


def by_name(files: list[Path], chapter: str) -> list[list[Path]]:
    """The notebooks, the likeliest first: with the chapter's own name, with that of a copy, with any other."""
    tiers: list[list[Path]] = [[], [], []]
    for path in files:
        if NOTEBOOK.search(path.name):
            tiers[likely(path, chapter)].append(path)
    return [tier for tier in tiers if tier]


def likely(path: Path, chapter: str) -> int:
    if path.name == f"{chapter}.ipynb":
        return 0
    stem = COPY_OF.sub("", NOTEBOOK.sub("", NOTEBOOK.sub("", path.name)).strip()).lower()
    while stem != chapter.lower():
        shorter = COPY.sub("", stem)
        if shorter == stem:
            return 2
        stem = shorter
    return 1


def shadows(files: list[Path], beside: Path) -> str | None:
    """Which of the files beside a notebook would be imported in place of an installed module or of the course's own."""
    for path in files:
        if not path.is_relative_to(beside):
            continue
        inside = path.relative_to(beside)
        ending = next((end for end in sorted(all_suffixes(), key=len, reverse=True) if inside.name.endswith(end)), None)
        name = inside.name[: -len(ending)] if ending else ""
        if len(inside.parts) == 2 and name == "__init__":
            name = inside.parts[0]
        elif len(inside.parts) != 1:
            continue
        if name and (name in OURS or installed(name)):
            return name
    return None


def installed(name: str) -> bool:
    """Whether a module of this name comes with Python or is installed; nothing is imported to find out."""
    if name in sys.stdlib_module_names or name in ("sitecustomize", "usercustomize"):
        return True
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *(p for p in sys.path if "-packages" in p)}
    found = PathFinder.find_spec(name, sorted(places))
    return found is not None and found.loader is not None and found.origin is not None
