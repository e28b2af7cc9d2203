"""What is wrong with a chapter in solutions/, as sentences for its author. A release is refused while there is any.

Markers above all: nbgrader takes a misspelt one for an ordinary comment, and the solution under it would go out.
"""

from __future__ import annotations

import ast
import re
from collections import Counter

from IPython.core.inputtransformer2 import TransformerManager

from utils.assignment.rules import BY_HAND, POINTS
from utils.checks import questions

LONGEST = 20  # lines of a code cell
MARKERS = {
    "### BEGIN SOLUTION": "### END SOLUTION",
    "### BEGIN HIDDEN TESTS": "### END HIDDEN TESTS",
}
LIKE_A_MARKER = re.compile(r"\b(begin|start|end|stop)\W*(of\W*)?(the\W*)?(solution|answer|hidden|mark\W*scheme)", re.I)
PLACEHOLDERS = {"@COLAB@", "@BINDER@", "@ADDRESS@", "@TAG@"}


def faults(nb, chapter: str) -> list[str]:
    """Every fault of a source notebook; empty if it may be released.

    Parameters
    ----------
    nb : notebook, nbformat 4
    chapter : str
        Its folder, for example "01_convolution".
    """
    found = [*of_ids(nb), *of_addresses(nb, chapter)]
    for number, cell in enumerate(nb.cells, start=1):
        where = f"{chapter}, cell {number} ({cell.get('id', 'without id')})"
        found += [f"{where}: {sentence}" for sentence in of_cell(cell)]
    return found


def of_cell(cell) -> list[str]:
    """The faults of one cell."""
    grading = cell.metadata.get("nbgrader", {})
    found = [*of_markers(cell, grading), *of_metadata(cell, grading)]
    if cell.cell_type != "code":
        return found
    if cell.outputs or cell.execution_count is not None:
        found.append("outputs are stored; clear them: a notebook is released without results.")
    lines = [line for line in cell.source.splitlines() if line.strip() and line.strip() not in ALL_MARKERS]
    if len(lines) > LONGEST:
        found.append(f"{len(lines)} lines of code; {LONGEST} are allowed. Split the cell, or move code to utils.")
    return found + of_checks(cell, grading)


ALL_MARKERS = {*MARKERS, *MARKERS.values()}
KNOWN = ", ".join(sorted(ALL_MARKERS))


def of_markers(cell, grading: dict) -> list[str]:
    """Markers that are misspelt, out of order, or in a cell that nbgrader does not treat as they need it."""
    found, open_marker = [], None
    for number, line in enumerate(cell.source.splitlines(), start=1):
        text = line.strip()
        if text in MARKERS:
            if open_marker:
                found.append(f"line {number}: {text!r} inside the region of {open_marker!r}, which is not closed.")
            open_marker = text
        elif text in ALL_MARKERS:
            if not open_marker or MARKERS[open_marker] != text:
                found.append(f"line {number}: {text!r} closes a region that is not open.")
            open_marker = None
        elif LIKE_A_MARKER.search(text) and (text.startswith("#") or text.upper() == text):
            found.append(f"line {number}: {text!r} looks like a marker; these are markers: {KNOWN}.")
    if open_marker:
        found.append(f"the region of {open_marker!r} is never closed.")
    if "### BEGIN SOLUTION" in cell.source and not grading.get("solution"):
        found.append("a solution stands in a cell that nbgrader does not know as one (metadata nbgrader.solution).")
    if "### BEGIN HIDDEN TESTS" in cell.source and (not grading.get("grade") or grading.get("solution")):
        found.append("hidden tests stand in a cell that is no graded check (metadata nbgrader.grade).")
    return found


def of_metadata(cell, grading: dict) -> list[str]:
    """What nbgrader needs to know about a cell, and the tag that lets "Run All" pass an open exercise."""
    if not grading:
        return []
    found = []
    if grading.get("grade_id") != cell.get("id"):
        found.append(f"its nbgrader grade_id is {grading.get('grade_id')!r}; it must be the cell's id.")
    exercise = cell.cell_type == "code" and grading.get("solution") and not grading.get("grade")
    if exercise and "### BEGIN SOLUTION" not in cell.source:
        found.append("an exercise without '### BEGIN SOLUTION': nbgrader would empty the whole cell.")
    if exercise and "raises-exception" not in cell.metadata.get("tags", ()):
        found.append('an exercise without the tag "raises-exception": once it is open, "Run All" would stop here.')
    return found


def of_checks(cell, grading: dict) -> list[str]:
    """Checks that do not exist, or whose points are not those of the question."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
    except SyntaxError as error:
        return [f"line {error.lineno}: this is not Python: {error.msg}."]
    names = [name for node in ast.walk(tree) if (name := checked(node)) is not None]
    asked = tree.body and isinstance(tree.body[-1], ast.Expr) and item_asked(tree.body[-1].value)
    if asked and grading.get("grade") and not grading.get("solution"):
        return of_item(asked, grading.get("points"))
    found = [f"there is no check called {name!r}." for name in names if name not in questions.MODULES]
    if found or not grading.get("grade") or grading.get("solution"):
        return found
    last = checked(tree.body[-1].value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if last is None or len(names) != 1:
        return ['a graded check must end in its one and only check(…), for example check("conv2d", Conv2D).']
    points, right = grading.get("points"), questions.find(last).points
    if points != right:
        found.append(f"it is worth {points} points, but the question {last!r} gives {right:g}.")
    region = re.search(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", cell.source, re.S)
    if not region or "from grading.hidden import check" not in region[1]:
        found.append("a graded check needs 'from grading.hidden import check' as its hidden tests.")
    return found


def checked(node: ast.AST) -> str | None:
    """The name in `check("name", …)`, if the node is such a call."""
    is_check = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
    return str(ast.literal_eval(node.args[0])) if is_check and isinstance(node.args[0], ast.Constant) else None


def item_asked(node: ast.AST) -> str | None:
    """The name in `assignment.item("name")`, if the node is such a call."""
    is_item = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "item"
    return (
        str(ast.literal_eval(node.args[0]))
        if is_item and node.args and isinstance(node.args[0], ast.Constant)
        else None
    )


def of_item(name: str, points: float) -> list[str]:
    """An item of the assignment that there is not, or whose points are not those of its rules."""
    if name not in POINTS or name in BY_HAND:
        return [f"the assignment has no item called {name!r}."]
    return [] if points == POINTS[name] else [f"it is worth {points} points, but rules.toml gives {POINTS[name]:g}."]


def of_ids(nb) -> list[str]:
    """Ids that are missing or occur twice: grading finds a learner's answer by them."""
    ids = [cell.get("id") for cell in nb.cells]
    grades = [cell.metadata["nbgrader"].get("grade_id") for cell in nb.cells if "nbgrader" in cell.metadata]
    found = [f"cell {number}: it has no id." for number, name in enumerate(ids, start=1) if not name]
    for kind, names in (("id", ids), ("grade_id", grades)):
        twice = [name for name, times in Counter(names).items() if name and times > 1]
        found += [f"the {kind} {name!r} occurs more than once." for name in twice]
    return found


def of_addresses(nb, chapter: str) -> list[str]:
    """Placeholders that a release cannot fill in, and badges that lead to another notebook."""
    text = "\n".join(cell.source for cell in nb.cells)
    used = set(re.findall(r"@[A-Z]{2,}@", text))
    found = [f"{chapter}: nothing is known to fill in for {name}." for name in sorted(used - PLACEHOLDERS)]
    leads = re.findall(r"@(?:COLAB|BINDER)@/([^)\s]*)", text)
    own = f"{chapter}/{chapter}.ipynb"
    return found + [f"{chapter}: a badge leads to {path}, not to {own}." for path in leads if path != own]
