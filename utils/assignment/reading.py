"""The saved notebook: which file it is, its cells, and which of them define the networks."""

from __future__ import annotations

import ast
import json
from pathlib import Path

NAME = "assignment_cifar10.ipynb"
DEFINITIONS = ("spec", "helpers", "baseline", "proposed")  # ids, for platforms that drop tags
SAVE = "Save it (Ctrl+S, on a Mac ⌘S) and call this again."


class CannotRead(ValueError):
    """The notebook cannot be found or read; the message says what to do."""


def find(path: str | Path | None = None) -> Path:
    """The notebook's file: the one that is named, the one with the assignment's name, or the one with its cells."""
    if path is not None:
        path = Path(path)
        if not path.is_file():
            raise CannotRead(f"there is no file {path} in {Path.cwd()}. Give the name of your notebook as it is saved.")
        return path
    if Path(NAME).is_file():
        return Path(NAME)
    others = [other for other in sorted(Path().glob("*.ipynb")) if is_assignment(other)]
    if len(others) == 1:
        return others[0]
    if others:
        names = ", ".join(other.name for other in others)
        raise CannotRead(f'which of {names} is your notebook? Say it: assignment.bundle("{others[0].name}").')
    raise CannotRead(
        f"your notebook is not in {Path.cwd()}. {SAVE} On Colab: File ▸ Download ▸ .ipynb, put the file into the "
        f'folder that the files pane shows, and name it: assignment.bundle("{NAME}").'
    )


def is_assignment(path: Path) -> bool:
    try:
        return any("definition" in tags(cell) or name_of(cell) == "proposed" for cell in read(path)["cells"])
    except CannotRead:
        return False


def read(path: Path) -> dict:
    """A notebook as JSON."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(cell["metadata"], dict) and "source" in cell for cell in found["cells"]):
            raise KeyError("cells")
        return found
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRead(f"{path} is no notebook, or a damaged one ({type(error).__name__}). {SAVE}") from None


def without_outputs(found: dict) -> dict:
    """A copy without results: what they show is in bundle.json, and they can be large."""
    cells = [
        cell | {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell
        for cell in found["cells"]
    ]
    return found | {"cells": cells}


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags") or []


def name_of(cell: dict) -> str:
    """The name by which this course knows the cell, wherever a platform has left it."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id") or cell.get("id", "")


def cells_of(path: Path) -> list[dict]:
    """All cells: `number` from 1, `id`, `type`, `source`, and `part`: "setup", "definition", "training" or ""."""
    found = []
    for number, cell in enumerate(read(path)["cells"], start=1):
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        code = cell["cell_type"] == "code"
        part = part_of(name_of(cell), tags(cell), source) if code else ""
        found.append({"number": number, "id": name_of(cell), "type": cell["cell_type"], "source": source, "part": part})
    return found


def part_of(name: str, marks: list[str], source: str) -> str:
    if name == "setup" or source.startswith("# Set-up: run this cell first"):
        return "setup"
    if "training" in marks or name.startswith("train-"):
        return "training"
    return "definition" if "definition" in marks or name in DEFINITIONS else ""


def definitions(cells: list[dict]) -> list[dict]:
    """The cells that a grader runs: set-up and definitions, in their order."""
    return [cell for cell in cells if cell["part"] in ("setup", "definition")]


def binds(cell: dict, name: str) -> bool:
    """Whether a code cell gives a value to a global name."""
    if cell["type"] != "code":
        return False
    try:
        from IPython.core.inputtransformer2 import TransformerManager

        tree = ast.parse(TransformerManager().transform_cell(cell["source"]))
    except SyntaxError:
        return False
    return any(name in bound(node) for node in tree.body)


def bound(node: ast.stmt) -> set[str]:
    """The names that a statement gives a value to."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def place(cell: dict) -> str:
    """How a learner finds a cell."""
    return f"cell {cell['number']}" + (f" ({cell['id']})" if cell["id"] else "")
