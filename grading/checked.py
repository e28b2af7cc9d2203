"""Which graded checks a released notebook holds, and which items of the assignment.

Read from the release, which no learner has touched.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A graded check: the cell it stands in, its name, and the expression that it is given."""

    grade_id: str
    name: str
    target: str


def graded_checks(released) -> list[Check]:
    """Every graded `check("name", target)` of a released notebook, in its order."""
    return [
        Check(grade_id, call.args[0].value, ast.unparse(call.args[1]))
        for grade_id, call in graded_calls(released)
        if isinstance(call.func, ast.Name)
    ]


def items_asked(released) -> dict[str, str]:
    """By grade_id, every item of the assignment that a released notebook asks for: `assignment.item("models")`."""
    return {
        grade_id: call.args[0].value
        for grade_id, call in graded_calls(released)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "item"
    }


def graded_calls(released) -> Iterator[tuple[str, ast.Call]]:
    """The grade_id of every autograded cell, and the call that it ends with."""
    for cell in released.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and grading.get("grade") and not grading.get("solution"):
            yield grading["grade_id"], ast.parse(cell.source).body[-1].value
