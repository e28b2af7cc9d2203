"""Chapter 03's gates, worth no points: each knows how to go forward, and what to hand back."""

from functools import partial

import numpy as np
import torch

from utils.checks.question import Case, Objection, Question, as_array, untouched

TWO, ONE = ("multiply", "add", "max"), ("relu", "sigmoid")
NEEDS = {"forward": (), "backward": (), "upstream": ("backward",), "used again": ("forward", "backward", "upstream")}


def gate_cases(rng, wide, count):
    """Single numbers first, then arrays; x is never 0 and never equal to y, where a slope is a matter of taste."""

    def inputs(shape):
        values = {"x": 0.3 + rng.uniform(0, 3, shape)}
        values["x"] = np.round(values["x"] * rng.choice([-1, 1], shape), 2)
        if count == 2:
            values["y"] = np.round(values["x"] + rng.choice([-1, 1], shape) * rng.uniform(0.4, 2.4, shape), 2)
        return {name: np.asarray(value) for name, value in values.items()}  # single numbers, too

    cases = []
    for shape in [(), (), (), (5,), (2, 3), *([(3, 4)] * 3 if wide else [])]:
        cases.append(Case("forward", inputs(shape)))
        cases.append(Case("backward", inputs(shape) | {"dz": np.ones(shape)}))
        dz = np.asarray(np.round(rng.choice([-1, 1], shape) * rng.uniform(0.5, 3, shape), 2))
        cases.append(Case("upstream", inputs(shape) | {"dz": dz}, NEEDS["upstream"]))
    again = inputs((3,)) | {"dz": np.array([2.0, -1.5, 3.0]), "_before": inputs((3,))}
    return [*cases, Case("used again", again, NEEDS["used again"])]


def run_gate(target, given, names):
    inputs = [torch.tensor(given[name]) for name in names]
    gate = target()
    for method in ("forward", "backward"):
        if not callable(getattr(gate, method, None)):
            raise Objection("interface", f"a gate needs a method {method}(…); this one has none.")
    if "_before" in given:
        gate.forward(*(torch.tensor(given["_before"][name]) for name in names))
    with untouched(**dict(zip(names, inputs, strict=True))):
        z = gate.forward(*inputs)
    if "dz" not in given:
        return {"z": as_array(z, "what forward gives")}
    dz = torch.tensor(given["dz"])
    with untouched(dz=dz):
        found = gate.backward(dz)
    return {f"d{name}": as_array(g, f"d{name}") for name, g in zip(names, as_list(found, names), strict=True)}


def as_list(found, names) -> list:
    """The gradients one by one; another number of them than there are inputs is an objection."""
    if found is None:
        raise Objection("nothing", "what backward gives is None")
    if len(names) == 1 and not isinstance(found, list | tuple):
        return [found]
    wanted = f"one gradient for each input, [{', '.join('d' + name for name in names)}]"
    if not isinstance(found, list | tuple) or len(found) != len(names):
        count = f"{len(found)}" if isinstance(found, list | tuple) else "1"
        raise Objection("interface", f"backward returns {count} gradient(s); {wanted} is wanted.")
    return list(found)


def question(kind: str) -> Question:
    """The question about one gate."""
    names = ("x", "y") if kind in TWO else ("x",)
    class_name = {"relu": "ReLUGate"}.get(kind, f"{kind.capitalize()}Gate")
    return Question(
        name=f"{kind}_gate",
        aspects=dict.fromkeys(NEEDS, 0),
        tests={
            "forward": "single numbers and arrays of both signs",
            "backward": "the gradients where a 1 arrives",
            "upstream": "the gradients where another number arrives",
            "used again": "a gate that is used a second time",
        },
        cases=partial(gate_cases, count=len(names)),
        run=partial(run_gate, names=names),
        signature=f"class {class_name}: forward({', '.join(names)}), and backward(dz), which returns "
        + ("[dx, dy]" if kind in TWO else "dx"),
    )


QUESTIONS = {f"{kind}_gate": question(kind) for kind in (*TWO, *ONE)}
