"""A hand-in → its notebook, bundle.json and weights: bytes of limited size, of which nothing is run or unpickled.

A bundle is the ZIP that `assignment.bundle()` writes, or its files in a folder: some platforms, and some browsers, open
a ZIP on the way.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from grading.intake import files
from grading.intake.limits import Limits, Refused, megabytes, shown
from grading.intake.taking import Taken, take
from grading.intake.unpacking import blocks, by_name, litter, objection, opened
from utils.assignment import record, rules

LIST, WEIGHTS = "bundle.json", {role: f"weights/{role}.safetensors" for role in rules.ROLES}
NOTEBOOK = "assignment_cifar10.ipynb"
MOST_BUNDLES = 4  # each is held in memory until it is known whether they are the same
PICKLED = re.compile(r"\.(pt|pth|pkl|pickle|ckpt|bin|npy|h5)$", re.I)


@dataclass(frozen=True)
class Opened:
    """What was handed in.

    Attributes
    ----------
    notebook : bytes, or None if there is none in the bundle
    list : bytes of bundle.json, empty if there is none
    weights : role → bytes; a missing one is missing
    notes : what was odd: sentences for the learner and the instructor
    """

    notebook: bytes | None = None
    list: bytes = b""
    weights: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def bundle(self) -> record.Bundle:
        """What bundle.json says."""
        if not self.list:
            return record.nothing(
                "No bundle was handed in. Run assignment.bundle(), and hand in the ZIP that it makes."
            )
        return record.parse(self.list)

    @property
    def digest(self) -> str:
        """The same for two bundles of the same content; empty without a bundle."""
        if not self.list and not self.weights:
            return ""
        parts = [self.list, *(self.weights.get(role, b"") for role in rules.ROLES)]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def open_bundle(folder: Path, limits: Limits | None = None) -> Opened:
    """Open what lies in a submission's folder.

    Raises
    ------
    Refused
        If two bundles lie there, or a file is no ordinary one.
    """
    limits = limits or Limits()
    there = files.look(folder, limits)
    lists, zips = ([p for p in there if p.name == LIST], [p for p in there if p.suffix.lower() == ".zip"])
    if len(lists) + len(zips) > MOST_BUNDLES:
        raise Refused(f"{len(lists) + len(zips)} bundles and ZIPs were handed in. Hand in the one that counts.")
    found = [(path, from_folder(folder / path.parent, limits)) for path in lists]
    troubles = []
    for path in zips:
        try:
            found += [(path, each)] if (each := from_zip(folder / path, limits)).list or each.notebook else []
        except Refused as refused:
            troubles.append(str(refused))
    if not found:
        return Opened(notes=tuple(troubles))
    if len({each.digest for _, each in found}) > 1:  # a platform's ZIP may leave a bundle both packed and unpacked
        names = ", ".join(shown(path) for path, _ in found[:3])
        raise Refused(f"More than one bundle was handed in ({names}), and nothing says which counts. Hand in one.")
    path, chosen = found[-1]
    beside = [each for each in there if each.suffix == ".ipynb" and each.parent == path.parent]
    if chosen.notebook and beside:
        note = f"{shown(beside[0])} lies beside the bundle and was left aside: the notebook in the bundle counts."
        return replace(chosen, notes=(*chosen.notes, note))
    return chosen


def from_folder(base: Path, limits: Limits) -> Opened:
    """The bundle whose files lie in a folder; its notebook is left to the intake."""
    names = [path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()]
    return collected(names, lambda name, most: file_bytes(base / name, most), notebook=False)


def from_zip(path: Path, limits: Limits) -> Opened:
    """The bundle in a ZIP, wherever in it bundle.json lies. Raises Refused if it cannot be read."""
    with path.open("rb") as file, opened(file, shown(path.name), limits.entries) as content:
        entries = {name: infos[-1] for name, infos in by_name(content).items() if not litter(name)}
        lists = sorted((name for name in entries if PurePosixPath(name).name == LIST), key=len)
        base = lists[0].removesuffix(LIST) if lists else ""

        def taken(name: str, most: int) -> bytes:
            info = entries[base + name]
            if said := objection(base + name, info):
                raise Refused(said)
            data = io.BytesIO()
            for block in blocks(content, info, shown(name)):
                if data.tell() + len(block) > most:
                    raise Refused(too_large(name, most))
                data.write(block)
            return data.getvalue()

        names = [name.removeprefix(base) for name in entries if name.startswith(base)]
        return collected(names, taken, notebook=True, most=limits.notebook)


def collected(names: list[str], taken: Callable[[str, int], bytes], notebook: bool, most: int = 0) -> Opened:
    """What a bundle holds; a file that cannot be taken is left out, with a note."""
    notes: list[str] = []

    def get(name: str, most: int) -> bytes:
        try:
            return taken(name, most) if name in names else b""
        except Refused as refused:
            notes.append(str(refused))
            return b""

    books = [name for name in names if name.endswith(".ipynb") and "/" not in name]
    books.sort(key=lambda name: (name != NOTEBOOK, len(name), name))
    found = get(books[0], most) if notebook and books else None
    weights = {}
    for role, name in WEIGHTS.items():
        flat = PurePosixPath(name).name  # some platforms know no folders
        if data := get(name if name in names else flat, rules.LIMITS["weights"]):
            weights[role] = data
    said = get(LIST, record.MOST["characters"])
    pickled = [name for name in names if PICKLED.search(name)]
    if pickled:
        notes.append(
            f"{', '.join(map(shown, pickled[:3]))}: not opened, because such files can run code. Weights are handed in "
            "as safetensors, as assignment.bundle() does it."
        )
    return Opened(found or None, said, weights, tuple(notes))


def too_large(name: str, most: int) -> str:
    return f"{shown(name)} is larger than {megabytes(most)}, so it was left out."


def take_bundled(folder: Path, bundle: Opened, released: NotebookNode, chapter: str) -> Taken:
    """The notebook of a hand-in: the one in the bundle, or else the one that lies in the folder. Raises Refused."""
    if bundle.notebook is None:
        return take(folder, released, chapter, ignored=False)
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere, "bundle", f"{chapter}.ipynb")
        path.parent.mkdir()
        path.write_bytes(bundle.notebook)
        return take(path.parent, released, chapter)


def file_bytes(path: Path, most: int) -> bytes:
    """The bytes of an ordinary file, no link followed. Raises Refused if it is none, or too large."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise Refused(f"{shown(path.name)} cannot be read ({error.strerror}).") from error
    with open(number, "rb") as file:
        if os.fstat(number).st_size > most:
            raise Refused(too_large(path.name, most))
        return file.read(most + 1)
