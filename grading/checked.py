"""Which checks a released notebook holds: read from the release, which no learner has touched."""

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
            name, target = call.args[:2]
            found.append(Check(grading["grade_id"], name.value, ast.unparse(target)))
    return found
