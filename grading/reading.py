"""Reading a learner's code for ready-made convolutions, without running it.

The jail watches what runs; this reads what is written, so that code which switches the watch off, or which only calls
the ready-made one where it is not looked at, is still seen. What either finds is a suspicion, for a human to decide.

Known residual risk: names can be hidden from a reader (`getattr` with a computed name, `exec`), so reaching for such
means is itself a suspicion, but there are more ways than can be listed, and torch's operators can be called from
compiled code. Somebody who goes to such lengths is better caught by a question about the code than by a longer list.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from IPython.core.inputtransformer2 import TransformerManager

READY_MADE = {
    *(f"conv{n}d" for n in (1, 2, 3)),
    *(f"Conv{n}d" for n in (1, 2, 3)),
    *(f"LazyConv{n}d" for n in (1, 2, 3)),
    *(f"conv_transpose{n}d" for n in (1, 2, 3)),
    *(f"ConvTranspose{n}d" for n in (1, 2, 3)),
    *("convolution", "_convolution", "mkldnn_convolution", "cudnn_convolution", "thnn_conv2d", "conv_tbc"),
    *("convolve", "convolve1d", "convolve2d", "correlate", "correlate1d", "correlate2d", "fftconvolve", "oaconvolve"),
    *(
        "filter2D",
        "max_pool2d",
        "avg_pool2d",
        "lp_pool2d",
        "MaxPool2d",
        "AvgPool2d",
        "LPPool2d",
        "max_pool2d_with_indices",
    ),
    *("adaptive_max_pool2d", "adaptive_avg_pool2d", "AdaptiveMaxPool2d", "AdaptiveAvgPool2d"),
}
BACK_DOORS = {"exec", "eval", "compile", "__import__", "importlib", "ctypes", "gc", "inspect", "globals", "ops", "_C"}


def suspicion(sources: list[str], target: str) -> str:
    """What in a learner's code speaks for a ready-made convolution behind `target`; empty if nothing does.

    Parameters
    ----------
    sources : list of str
        The code cells that the learner wrote.
    target : str
        The name that is checked. Only what it rests on is read: comparing with torch beside it is good practice.
    """
    known = bindings(sources)
    found: list[str] = []
    waiting, seen = [target], set()
    while waiting:
        name = waiting.pop()
        for statement in known.get(name, ()):
            if id(statement) not in seen:
                seen.add(id(statement))
                found += suspicious(statement, own=known.keys())
                waiting += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return f"the code behind {target} names {', '.join(sorted(set(found)))}" if found else ""


def bindings(sources: list[str]) -> dict[str, list[ast.stmt]]:
    """By name, the top-level statements that give it a value. Cells that cannot be parsed do not run either."""
    known: dict[str, list[ast.stmt]] = {}
    for source in sources:
        try:
            statements = ast.parse(TransformerManager().transform_cell(source)).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for statement in statements:
            for name in bound(statement):
                known.setdefault(name, []).append(statement)
    return known


def bound(statement: ast.stmt) -> set[str]:
    """The names a statement binds, `x.y = …` counting for x: a method may be put into a class afterwards."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            while isinstance(node, ast.Attribute | ast.Subscript):
                node = node.value
            names |= {node.id} if isinstance(node, ast.Name) else set()
    return names


def suspicious(statement: ast.stmt, own: Collection[str]) -> list[str]:
    """The names in a statement that are on either list, and computed ones; one's `own` function may have any name."""
    found = []
    for node in ast.walk(statement):
        names = [getattr(node, "attr", None), None if getattr(node, "id", None) in own else getattr(node, "id", None)]
        if isinstance(node, ast.alias):
            names += node.name.split(".")
        found += [name for name in names if isinstance(name, str) and name in READY_MADE | BACK_DOORS]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in READY_MADE:
            found.append(repr(node.value))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            computed = len(node.args) > 1 and not isinstance(node.args[1], ast.Constant)
            found += ["getattr with a computed name"] if computed else []
    return found
