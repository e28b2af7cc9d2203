"""Which graded checks a released notebook holds, and which items of the assignment.

Read from the release, which no learner has touched.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A graded check: the cell it stands in, its name, and the expression that it is given."""

    grade_id: str
    name: str
    target: str


def graded_checks(released) -> list[Check]:
    """Every graded `check("name", target)` of a released notebook, in its order."""
    found = []
    for cell in released.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and grading.get("grade") and not grading.get("solution"):
            call = ast.parse(cell.source).body[-1].value
            if isinstance(call.func, ast.Attribute):
                continue  # an item of the assignment
            name, target = call.args[:2]
            found.append(Check(grading["grade_id"], name.value, ast.unparse(target)))
    return found


def items_asked(released) -> dict[str, str]:
    """By grade_id, every item of the assignment that a released notebook asks for: `assignment.item("models")`."""
    found = {}
    for cell in released.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and grading.get("grade") and not grading.get("solution"):
            call = ast.parse(cell.source).body[-1].value
            if isinstance(call.func, ast.Attribute) and call.func.attr == "item":
                found[grading["grade_id"]] = call.args[0].value
    return found
