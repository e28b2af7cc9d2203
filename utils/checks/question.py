"""A question: what a learner's code is asked, and what came of it.

This half of a check runs beside learner code, so it knows no answer. It makes cases, runs the learner's target on one
of them, and writes down what happened as plain arrays and words. What the answers should have been, and which
misconception explains a wrong one, is decided elsewhere (`utils.checks.verdict`), from these records alone.
"""

from __future__ import annotations

import contextlib
import copy
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from utils.checks.ready_made import Objection, watched


@dataclass(frozen=True)
class Case:
    """One input: the aspect it examines, and arrays and plain values by name.

    A case that combines aspects `needs` the others: where one of those is wrong by itself, it is to blame, and this
    case says nothing about its own. `watched`: whether to look out for ready-made convolutions, which slows loops down.
    """

    aspect: str
    given: dict
    needs: tuple[str, ...] = ()
    watched: bool = True


@dataclass(frozen=True)
class Trouble:
    """Why a case gave no arrays: a key of verdict.TROUBLES, what completes its sentence, and an error's type."""

    kind: str
    detail: str
    type: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a target made of one case: arrays by name, or a trouble."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Question:
    """An exercise as its check asks it.

    Attributes
    ----------
    name : str
        As in `check(name, target)`.
    aspects : dict of str to float
        Points for each aspect, in the order in which they are best repaired.
    tests : dict of str to str
        For each aspect, what a green check says was tested.
    cases : callable
        `cases(rng, wide)` -> list of Case. `wide` asks for the larger ranges used in grading.
    run : callable
        `run(target, given)` -> arrays by name. May raise anything, `Objection` among it.
    signature : str
        What the learner is to define, as it is called.
    from_scratch : bool
        Whether ready-made convolutions and poolings are objected to.
    for_tensors : callable
        Makes of a right solution one that takes tensors and gives tensors, as the cells after the exercise expect it.
    """

    name: str
    aspects: dict[str, float]
    tests: dict[str, str]
    cases: Callable
    run: Callable
    signature: str
    from_scratch: bool = False
    for_tensors: Callable = lambda target: target

    @property
    def points(self) -> float:
        return sum(self.aspects.values())


def attempt(question: Question, target, case: Case, *, trusted: bool = False) -> Outcome:
    """Run `target` on one case and write down what happened; nothing that learner code raises gets out.

    The target sees copies: what it does to its inputs cannot reach the case. A `trusted` target (the reference, a known
    mistake) may use torch's own layers.
    """
    given = copy.deepcopy(case.given)
    watch = watched() if question.from_scratch and case.watched and not trusted else contextlib.nullcontext()
    try:
        with settings_kept(), watch:
            return Outcome(arrays=question.run(target, given))
    except Objection as objection:
        return Outcome(trouble=Trouble(objection.kind, objection.detail))
    except NotImplementedError as error:
        # torch raises NotImplementedError too (a module without forward, an operation that a dtype lacks).
        if raised_by_torch(error):
            return Outcome(trouble=Trouble("error", place(error), "NotImplementedError"))
        return Outcome(trouble=Trouble("not done", unfinished(error, target)))
    except (Exception, SystemExit, GeneratorExit) as error:  # not KeyboardInterrupt: it stops an endless loop
        return Outcome(trouble=Trouble("error", place(error), error_type(error)))


def unfinished(error: NotImplementedError, target) -> str:
    """What is not done yet, if it is not the target itself but another exercise that it calls."""
    name = traceback.extract_tb(error.__traceback__)[-1].name
    own = (
        {getattr(target, "__name__", name), "__init__", "forward", "<lambda>", *vars(target)}
        if is_class(target)
        else {getattr(target, "__name__", name), "<lambda>"}
    )
    return "" if name in own else name


def is_class(target) -> bool:
    return isinstance(target, type)


@contextlib.contextmanager
def settings_kept():
    """Run learner code inside: what it does to torch's randomness, gradients and default dtype ends with it."""
    dtype = torch.get_default_dtype()
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(dtype)


def error_type(error: BaseException) -> str:
    """The builtin name an error goes by: a learner's own subclass of ValueError counts as ValueError."""
    return "ValueError" if isinstance(error, ValueError) else type(error).__name__


def raised_by_torch(error: BaseException) -> bool:
    """Whether the innermost frame of a traceback lies in torch itself."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and "/torch/" in frames[-1].filename.replace("\\", "/")


def place(error: BaseException) -> str:
    """An error with the learner's line that led to it: the innermost frame of a notebook cell."""
    message = f"{type(error).__name__}: {message_of(error)}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel" in frame.filename or "<" in frame.filename or "ipython-input" in frame.filename:
            line = frame.line or linecache.getline(frame.filename, frame.lineno or 0).strip()
            return f"{message} (in {frame.name}, line {frame.lineno}: {line})"
    return message


def message_of(error: BaseException) -> str:
    """An error's own message, or none if even asking for it fails."""
    try:
        return str(error)
    except Exception:
        return ""


@contextlib.contextmanager
def untouched(**inputs):
    """Run learner code inside: an input changed in place is an Objection that names it."""
    before = {name: copy.deepcopy(value) for name, value in inputs.items()}
    yield
    for name, value in inputs.items():
        if value.shape != before[name].shape or not bool((value == before[name]).all()):
            raise Objection("input changed", f"the {name}")


def as_array(value, what: str) -> np.ndarray:
    """A tensor or NumPy array as a NumPy array of numbers; anything else is an objection.

    Both count: the course computes with tensors, but a solution that works on arrays is no mistake.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj().resolve_neg()
        return value.numpy() if value.dtype != torch.bfloat16 else value.float().numpy()
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value
    if value is None:
        raise Objection("nothing", f"{what} is None")
    raise Objection("not a tensor", f"{what} is {kind_of(value)}")


def kind_of(value) -> str:
    """What a value is, in words."""
    if type(value).__module__ == "torch.return_types":
        return f"the pair (values, indices) that torch's {type(value).__name__} gives for one dimension"
    return f"a {type(value).__name__}"


def as_int(value, what: str) -> np.ndarray:
    """An int (Python's or NumPy's) as an array; a float, a bool or a tensor is an objection."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return np.asarray(max(-LARGEST_INT, min(int(value), LARGEST_INT)))
    if value is None:
        raise Objection("nothing", f"{what} is None")
    if isinstance(value, BaseException):
        raise Objection("not an int", f"{what} is a {type(value).__name__}; an error is raised, not returned")
    if isinstance(value, float):
        raise Objection("not an int", f"{what} is {value!r}, a float. Dividing with `/` gives a float, `//` an int")
    raise Objection("not an int", f"{what} is {value!r:.60}, a {type(value).__name__}; an int is wanted")


LARGEST_INT = 2**63 - 1  # no answer comes near it; larger numbers would not fit an array
