"""Cases and outcomes as JSON, so that they can cross a wall between processes.

What comes back from learner code is only ever read here: as JSON of bounded size, with arrays as plain numbers of a few
known types. Nothing is unpickled, evaluated or looked up by name.
"""

from __future__ import annotations

import base64
import binascii
import json
import math

import numpy as np

from utils.checks.question import Case, Outcome, Trouble

KINDS = {"float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex128", "complex64"}
LONGEST_TEXT = 2_000  # characters of an error message or a name that are kept
MOST_BYTES = 16_000_000  # of one message
MOST_ARRAYS = 16  # in one outcome


class Unreadable(ValueError):
    """What came over the wire is not what was agreed."""


def dump_cases(cases: list[Case]) -> str:
    """Cases as text; tuples, which Python tells from lists, survive."""
    return json.dumps([[case.aspect, packed(case.given), list(case.needs), case.watched] for case in cases])


def load_cases(text: str) -> list[Case]:
    return [Case(aspect, unpacked(given), tuple(needs), watched) for aspect, given, needs, watched in json.loads(text)]


def packed(value):
    """A plain value, or a collection of them, in JSON's terms."""
    if isinstance(value, np.ndarray):
        return {"array": packed_array(value)}
    if isinstance(value, dict):
        return {"dict": [[key, packed(item)] for key, item in value.items()]}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [packed(item) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a case holds a {type(value).__name__}, which has no form for the wire: {value!r:.80}")


def unpacked(value):
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return unpacked_array(content)
    if kind == "dict":
        return {key: unpacked(item) for key, item in content}
    items = [unpacked(item) for item in content]
    return tuple(items) if kind == "tuple" else items


def packed_array(array: np.ndarray) -> list:
    """[dtype, shape, bytes]; text is the array of one string that says a dtype."""
    if array.dtype.kind in "US":
        return ["text", [], str(array)[:LONGEST_TEXT]]
    kind = array.dtype.name
    if kind not in KINDS:
        return ["text", [], f"numbers of type {kind}"]
    data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return [kind, list(array.shape), base64.b64encode(data).decode()]


def unpacked_array(content) -> np.ndarray:
    """The array in `content`, if it is exactly as long as it claims.

    Raises
    ------
    Unreadable
        If it is anything else.
    """
    try:
        kind, shape, data = content
        if kind == "text":
            return np.array(str(data)[:LONGEST_TEXT])
        if kind not in KINDS or not all(type(n) is int and 0 <= n < 2**31 for n in shape) or len(shape) > 8:
            raise Unreadable(f"an array of {kind!r:.40} with shape {shape!r:.80}")
        raw = base64.b64decode(data, validate=True)
        dtype = np.dtype(kind).newbyteorder("<")
        if math.prod(shape) * dtype.itemsize != len(raw):
            raise Unreadable(f"an array of shape {shape!r:.80} in {len(raw)} bytes")
    except (TypeError, ValueError, binascii.Error) as error:
        raise Unreadable(f"not an array: {error}") from error
    return np.frombuffer(raw, dtype).reshape(shape).astype(kind)


def dump_outcomes(outcomes: list[Outcome]) -> str:
    """Outcomes as text."""
    return json.dumps([packed_outcome(outcome) for outcome in outcomes])


def packed_outcome(outcome: Outcome) -> dict:
    if outcome.trouble:
        kind, detail, error = outcome.trouble.kind, outcome.trouble.detail, outcome.trouble.type
        return {"trouble": [kind[:LONGEST_TEXT], detail[:LONGEST_TEXT], error[:LONGEST_TEXT]]}
    return {"arrays": {name: packed_array(np.asarray(array)) for name, array in outcome.arrays.items()}}


def load_outcomes(text: str | bytes, kinds: frozenset[str] | set[str]) -> list[Outcome]:
    """Outcomes from text that learner code may have written.

    Parameters
    ----------
    text : str or bytes
        At most MOST_BYTES long.
    kinds : set of str
        The kinds of trouble there are.

    Raises
    ------
    Unreadable
        If it is not a list of outcomes.
    """
    if len(text) > MOST_BYTES:
        raise Unreadable(f"{len(text)} bytes, of which {MOST_BYTES} are read")
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(entries, list):
        raise Unreadable("not a list of outcomes")
    return [unpacked_outcome(entry, kinds) for entry in entries]


def unpacked_outcome(entry, kinds) -> Outcome:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise Unreadable(f"not an outcome: {entry!r:.80}")
    if "trouble" in entry:
        parts = entry["trouble"]
        if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, str) for part in parts):
            raise Unreadable(f"not a trouble: {parts!r:.80}")
        kind, detail, error = (part[:LONGEST_TEXT] for part in parts)
        if kind not in kinds:
            raise Unreadable(f"an unknown kind of trouble: {kind!r:.80}")
        return Outcome(trouble=Trouble(kind, detail, error))
    arrays = entry.get("arrays")
    if not isinstance(arrays, dict) or len(arrays) > MOST_ARRAYS:
        raise Unreadable(f"not arrays: {arrays!r:.80}")
    return Outcome(arrays={str(name)[:LONGEST_TEXT]: unpacked_array(array) for name, array in arrays.items()})
