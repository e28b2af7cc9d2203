"""Whether a network's class is still the one that was trained: its code, and that of everything of yours that it uses.

Comments, spaces and docstrings do not count. What comes from a library does not count either.
"""

from __future__ import annotations

import hashlib
import sys
import types
from collections.abc import Iterator
from functools import partial

PLAIN = int | float | complex | str | bytes | None | list | tuple | dict | set | frozenset


def fingerprint(network: type) -> str:
    """16 letters that change when the code of `network`, or of a block, function or number that it uses, changes."""
    return hashlib.sha256("\n".join(sorted(set(parts(network, set())))).encode()).hexdigest()[:16]


def parts(thing, seen: set[int]) -> Iterator[str]:
    """What makes up a class, a function or a value, and whatever of the notebook it refers to."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, type):
        if not yours(thing):
            yield f"{thing.__module__}.{thing.__qualname__}"
            return
        yield f"class {thing.__qualname__}"
        for base in thing.__bases__:
            yield from parts(base, seen)
        for name, value in vars(thing).items():
            if name not in UNIMPORTANT:
                yield from (f"{thing.__qualname__}.{name}: {part}" for part in member(value, seen))
    elif isinstance(thing, types.FunctionType):
        yield from function(thing, seen) if yours(thing) else [f"{thing.__module__}.{thing.__qualname__}"]
    elif isinstance(thing, partial):
        yield f"partial {thing.args!r} {thing.keywords!r}"
        yield from parts(thing.func, seen)
    else:
        yield constant(thing)


UNIMPORTANT = ("__module__", "__doc__", "__dict__", "__weakref__", "__firstlineno__", "__static_attributes__")


def member(value, seen: set[int]) -> Iterator[str]:
    """An attribute of a class: static and class methods and properties hold functions."""
    if isinstance(value, property):
        for each in (value.fget, value.fset):
            if each is not None:
                yield from parts(each, seen)
    else:
        yield from parts(getattr(value, "__func__", value), seen)


def function(thing: types.FunctionType, seen: set[int]) -> Iterator[str]:
    """A function's instructions, its defaults, and the global names that it uses."""
    names: set[str] = set()
    yield f"def {thing.__qualname__}: {instructions(thing.__code__, thing.__doc__, names)}"
    yield f"defaults of {thing.__qualname__}: {thing.__defaults__!r} {thing.__kwdefaults__!r}"
    for name in sorted(names & thing.__globals__.keys()):
        value = thing.__globals__[name]
        if isinstance(value, type | types.FunctionType | partial | PLAIN):
            yield from (f"{name} = {part}" for part in parts(value, seen))


def instructions(code: types.CodeType, doc: str | None, names: set[str]) -> str:
    """A function's instructions and constants, with those of the functions inside it; its names go into `names`."""
    names |= set(code.co_names)
    constants = [
        instructions(c, None, names) if isinstance(c, types.CodeType) else constant(c)
        for c in code.co_consts
        if doc is None or c != doc
    ]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {constants}"


def constant(value) -> str:
    """A value in words; a set's in one order, for Python gives them in another in each process."""
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(repr, value)))}}}"
    return repr(value) if isinstance(value, PLAIN) else type(value).__qualname__  # others' repr may hold an address


def yours(thing) -> bool:
    """Whether a class or function was written in the notebook, or in a file beside it, and not in a library."""
    module = sys.modules.get(thing.__module__)
    if module is None or thing.__module__ == "__main__":
        return True
    file = getattr(module, "__file__", None) or ""
    library = thing.__module__.partition(".")[0] in {"torch", "torchvision", "numpy", "utils", "builtins", "math"}
    return not (library or "site-packages" in file or file.startswith(sys.base_prefix))
