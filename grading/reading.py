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
# Means to hide a name or a call from a reader; `.eval()` and `.compile()` as methods are something else.
BUILTINS = {"exec", "eval", "compile"}
BACK_DOORS = BUILTINS | {
    *("__import__", "importlib", "ctypes", "gc", "inspect", "globals", "vars", "locals", "ops", "_C"),
    *("builtins", "__builtins__", "__dict__", "__getattribute__", "attrgetter", "methodcaller"),
}
# What switches the watch off, or gets out of its sight (it watches one thread), wherever in the notebook it stands.
TAMPERING = BUILTINS | {
    *("checks", "ready_made", "watched", "_python_dispatch", "_disable_current_modes", "TorchDispatchMode", "_C"),
    *("setprofile", "settrace", "_getframe", "get_objects", "get_referrers", "ctypes", "pickle", "marshal"),
    *("threading", "_thread", "concurrent", "multiprocessing", "asyncio", "fork"),
    *("__import__", "importlib", "builtins", "__builtins__", "getattr with a computed name", "sys.modules"),
    *("ast_transformers", "input_transformers_post", "input_transformers_cleanup", "user_ns", "run_cell"),
}
LEARNERS_OWN = {"check", "yours_or_torch"}  # of utils.checks


def suspicion(sources: list[str], target: str) -> str:
    """What in a learner's code speaks for a ready-made convolution behind `target`; empty if nothing does.

    Parameters
    ----------
    sources : list of str
        The code cells that the learner wrote.
    target : str
        The name that is checked. Only what it rests on is read for convolutions: comparing with torch beside it is good
        practice. What could switch the watch off is looked for everywhere.
    """
    trees = parsed(sources)
    known = bindings(sources)
    stars = any(alias.name == "*" for tree in trees for node in ast.walk(tree) for alias in getattr(node, "names", ())
                if isinstance(alias, ast.alias))  # fmt: skip
    own = () if stars else known.keys()
    found: list[str] = []
    waiting, seen = [target], set()
    while waiting:
        name = waiting.pop()
        for statement in known.get(name, ()):
            if id(statement) not in seen:
                seen.add(id(statement))
                found += suspicious(statement, own)
                waiting += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    if found:
        return f"the code behind {target} names {', '.join(sorted(set(found)))}"
    means = sorted({name for tree in trees for name in tampering(tree)})
    return f"the notebook names {', '.join(means)}, which could hide what {target} rests on" if means else ""


def parsed(sources: list[str]) -> list[ast.Module]:
    """The cells as syntax trees. Those that cannot be parsed do not run either."""
    trees = []
    for source in sources:
        try:
            trees.append(ast.parse(TransformerManager().transform_cell(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return trees


def bindings(sources: list[str]) -> dict[str, list[ast.stmt]]:
    """By name, the top-level statements that give it a value, or change what it stands for."""
    statements = [statement for tree in parsed(sources) for statement in tree.body]
    imports = [each for each in statements if isinstance(each, ast.Import | ast.ImportFrom)]
    own = {name for each in statements if each not in imports for name in bound(each)}
    known: dict[str, list[ast.stmt]] = {}
    for statement in statements:
        for name in bound(statement) | changed(statement, own):
            known.setdefault(name, []).append(statement)
    return known


def bound(statement: ast.stmt) -> set[str]:
    """The names a statement binds, `x.y = …` counting for x: a method may be put into a class afterwards."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inside = (node for node in ast.walk(statement) if isinstance(node, ast.Global))
        return {statement.name, *(name for node in inside for name in node.names)}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            names |= root_of(node)
    return names


def changed(statement: ast.stmt, own: Collection[str]) -> set[str]:
    """The names whose objects a call may change: one's `own` x in `x.append(…)`, whatever x is in `setattr(x, …)`."""
    names = set()
    for call in (node for node in ast.walk(statement) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute):
            inner = {node.attr for node in ast.walk(call.func) if isinstance(node, ast.Attribute)}
            names |= {name for name in root_of(call.func) if name in own or inner & {"__dict__", "__setattr__"}}
        if isinstance(call.func, ast.Name) and call.func.id in ("setattr", "vars") and call.args:
            names |= root_of(call.args[0])
    inside = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)  # its x may be another
    return set() if inside else names


def root_of(node: ast.expr) -> set[str]:
    """x, of x.y[z].w"""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def suspicious(statement: ast.stmt, own: Collection[str]) -> list[str]:
    """The names in a statement that are on either list, and computed ones; one's `own` function may have any name."""
    found = []
    for node in ast.walk(statement):
        here = names_in(node, own)
        found += [name for name in here if name in READY_MADE or name in BACK_DOORS or name == COMPUTED]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in READY_MADE:
            found.append(repr(node.value))
    return found


def tampering(tree: ast.Module) -> list[str]:
    """What in a cell could switch the watch off."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "utils.checks":
            found += [f"utils.checks.{alias.name}" for alias in node.names if alias.name not in LEARNERS_OWN]
            continue
        found += [name for name in names_in(node, ()) if name in TAMPERING]
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [name for name in node.module.split(".") if name in TAMPERING]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "utils.checks." in node.value:
            found.append("utils.checks in a text")
    return found


COMPUTED = "getattr with a computed name"


def names_in(node: ast.AST, own: Collection[str]) -> list[str]:
    """The names that a node of the syntax tree holds itself: a variable (not one's own), an attribute, an import."""
    if isinstance(node, ast.Name):
        return [] if node.id in own else [node.id]
    if isinstance(node, ast.Attribute):
        of_sys = node.attr == "modules" and isinstance(node.value, ast.Name) and node.value.id == "sys"
        return ["sys.modules"] if of_sys else [] if node.attr in BUILTINS else [node.attr]
    if isinstance(node, ast.alias):
        return node.name.split(".")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr"):
        return [COMPUTED] if len(node.args) > 1 and not isinstance(node.args[1], ast.Constant) else []
    return []
