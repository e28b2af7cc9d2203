"""Which cells of a notebook its grade depends on, so that grading need not train networks nor draw pictures.

A cell is run if it

- is the set-up cell (id "setup"), an exercise or a graded check, or carries the tag "keep";
- is not in the released notebook as it stands: whatever a learner added or changed is run;
- gives a value to a name that a cell which is run reads, directly or inside a function, and so on backwards.

Everything else is left out. What this cannot see is a released cell that works by side effect alone, as
`torch.set_default_dtype(...)` does: such a cell needs the tag "keep". If a cell cannot be parsed, it is run.
"""

from __future__ import annotations

import re
import symtable
from collections.abc import Collection
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager


@dataclass
class Names:
    """The global names a cell binds, those it reads as it runs, and those its functions read when they are called."""

    binds: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    reads_later: set[str] = field(default_factory=set)


def needed(cells: list, released: Collection[str] = ()) -> list[bool]:
    """For each cell, whether the grade depends on it.

    Parameters
    ----------
    cells : list of notebook cells
    released : collection of str
        The sources of the released notebook's code cells; if it is empty, no cell counts as the learner's own.
    """
    names = [names_in(cell.source) if cell.cell_type == "code" else Names() for cell in cells]
    run = [
        cell.cell_type == "code"
        and (always(cell) or found is None or bool(released and cell.source.strip() not in released))
        for cell, found in zip(cells, names, strict=True)
    ]
    names = [found or Names() for found in names]
    waiting = [i for i, wanted in enumerate(run) if wanted]
    while waiting:
        reader = waiting.pop()
        for i, found in enumerate(names):
            serves = found.binds & names[reader].reads_later or (i < reader and found.binds & names[reader].reads)
            if serves and not run[i]:
                run[i] = True
                waiting.append(i)
    return run


def always(cell) -> bool:
    """Whether a code cell is run whatever it contains."""
    grading = cell.metadata.get("nbgrader", {})
    return (
        cell.get("id") == "setup"
        or bool(grading.get("solution") or grading.get("grade"))
        or "keep" in cell.metadata.get("tags", ())
    )


def names_in(source: str) -> Names | None:
    """The global names that a cell deals with; None if it cannot be parsed."""
    try:
        plain = re.sub(r"^(\s*)%%?(time|capture)\b[^\n\S]*", r"\1", source, flags=re.M)  # %time x = f() binds x
        table = symtable.symtable(TransformerManager().transform_cell(plain), "cell", "exec")
    except (SyntaxError, ValueError):
        return None
    names = Names()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            names.binds.add(symbol.get_name())
        if symbol.is_referenced():
            names.reads.add(symbol.get_name())
    collect(table, names, called=False)
    return names


def collect(table: symtable.SymbolTable, names: Names, called: bool) -> None:
    """Add the global names that the scopes inside `table` read or, with `global`, bind."""
    for scope in table.get_children():
        # A class body and a comprehension run at once, a function (a lambda too) when it is called.
        later = called or (scope.get_type() == "function" and scope.get_name() not in COMPREHENSIONS)
        for symbol in scope.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                (names.reads_later if later else names.reads).add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                names.binds.add(symbol.get_name())
        collect(scope, names, later)


COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")
