"""Chapter 03's self-checked exercises, worth no points: activations, softmax, cross-entropy, a step of SGD."""

import numpy as np
import torch

from utils.checks.question import Case, Objection, Question, as_array, untouched

# ── activations ──────────────────────────────────────────────────────────────────────────────────────────────────────

FIVE = ("sigmoid", "tanh", "relu", "leaky_relu", "elu")


def activation_cases(rng, wide):
    """Each activation alone: small whole numbers first, then any; far out only where it is right near zero."""
    near = [np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), rng.standard_normal((3, 4)) * 2]
    near += [rng.standard_normal((2, 3, 2)) * 5 for _ in range(3 if wide else 0)]
    far = np.array([-1000.0, -800.0, 0.0, 800.0, 1000.0])
    cases = [Case(name, {"x": x, "_look": name}) for name in FIVE for x in near]
    return [*cases, *(Case("far from zero", {"x": far, "_look": name}, (name,)) for name in FIVE)]


def run_activations(target, given):
    x, name = torch.tensor(given["x"]), given["_look"]
    with untouched(x=x):
        result = target(x)
    if not isinstance(result, dict):
        raise Objection("interface", "a dict is wanted, from the names to the results: return {'sigmoid': …, …}.")
    if name not in result:
        raise Objection("interface", f"the dict lacks {name!r}; it has: {', '.join(map(str, result)) or 'nothing'}.")
    return {f"{name}(x)": as_array(result[name], f"the {name}")}


# ── softmax and cross_entropy ────────────────────────────────────────────────────────────────────────────────────────


def large_logits(rng, rows):
    """Logits in the hundreds and thousands, as an untamed network gives them: above, below and on both sides of 0."""
    spread = rng.standard_normal((rows, 4))
    return np.array([1000.0, -1000.0, 0.0])[np.arange(rows) % 3, None] + spread


def softmax_cases(rng, wide):
    small = [np.array([[0.0, np.log(3.0)]]), np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0]])]
    small += [rng.standard_normal(shape) * 2 for shape in [(4, 3), (3, 4), (1, 6), *([(7, 9)] * 3 if wide else [])]]
    large = [
        np.array([[1000.0, 1001.0, 999.0]]),
        np.array([[-1000.0, -1001.0, -1002.0]]),
        np.array([[1500.0, 0.0, 0.0]]),
    ]
    different = [np.array([[1000.0, 1001.0], [0.0, 1.0], [-1000.0, -1002.0]]), large_logits(rng, 6 if wide else 3)]
    cases = [Case("values", {"z": z}) for z in small]
    cases += [Case("large logits", {"z": z}, ("values",)) for z in large]
    return cases + [Case("rows far apart", {"z": z}, ("values", "large logits")) for z in different]


def run_softmax(target, given):
    z = torch.tensor(given["z"])
    with untouched(logits=z):
        return {"p": as_array(target(z), "the result")}


def entropy_cases(rng, wide):
    def ask(aspect, z, y, needs=()):
        given = {"logits": np.asarray(z, dtype=float), "y": np.asarray(y), "_look": aspect}
        return Case(aspect, given, needs)

    cases = [
        ask("one picture", [[0.0, np.log(3.0)]], [1]),
        ask("one picture", [[2.0, 1.0, 0.0]], [2]),
        ask("one picture", rng.standard_normal((1, 5)), [3]),
    ]
    for rows, classes in [(3, 3), (5, 4), (2, 6), *([(9, 7)] * 3 if wide else [])]:
        cases.append(ask("a batch", 2 * rng.standard_normal((rows, classes)), rng.integers(0, classes, rows)))
    cases += [
        ask("large logits", [[1000.0, 0.0, 1.0]], [0], ("one picture",)),
        ask("large logits", [[0.0, 1000.0]], [0], ("one picture",)),
        ask("large logits", [[-1000.0, -1001.0]], [1], ("one picture",)),
        ask("large logits", large_logits(rng, 3), [0, 1, 2], ("one picture", "a batch")),
    ]
    z, y = rng.standard_normal((3, 4)), np.array([2, 0, 2])
    cases.append(ask("gradient", z, y, ("one picture", "a batch")))
    return [*cases, ask("gradient", [[0.0, 60.0, 1.0]], [0], ("one picture", "large logits"))]


def run_entropy(target, given):
    logits, y = torch.tensor(given["logits"]), torch.tensor(given["y"])
    with untouched(logits=logits, labels=y):
        loss = loss_of(target(logits, y))
    return {"grad_x": gradient_of(target, given)} if given.get("_look") == "gradient" else {"loss": loss}


def loss_of(value) -> np.ndarray:
    """One number; more are an objection."""
    array = np.asarray(float(value)) if isinstance(value, float | int) else as_array(value, "the loss")
    if array.size != 1:
        raise Objection("interface", f"the loss has shape {array.shape}; one number is wanted, the mean of the batch.")
    return array.reshape(()).astype("float64")


def gradient_of(target, given) -> np.ndarray:
    """What backward() leaves at the logits."""
    logits = torch.tensor(given["logits"], requires_grad=True)
    loss = target(logits, torch.tensor(given["y"]))
    if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
        raise Objection("detached", "the logits")
    loss.backward()
    return as_array(torch.zeros_like(logits) if logits.grad is None else logits.grad, "the gradient")


# ── sgd_step ─────────────────────────────────────────────────────────────────────────────────────────────────────────

STEP = {
    "one parameter": (),
    "several parameters": ("one parameter",),
    "gradients emptied": (),
    "a gradient of None": (),
}


def step_cases(rng, wide):
    cases = []
    for lr in (0.1, 0.25, *((0.02, 0.7) if wide else ())):
        cases.append(Case("one parameter", step_given(rng, [(3,)], lr)))
        cases.append(Case("one parameter", step_given(rng, [(2, 3)], lr)))
        cases.append(Case("several parameters", step_given(rng, [(2, 3), (2,), (1, 2)], lr), ("one parameter",)))
    cases.append(Case("gradients emptied", step_given(rng, [(2, 2), (2,)], 0.1) | {"_look": "gradients"}))
    unused = step_given(rng, [(2,), (3,), (2,)], 0.1) | {"_unused": 1}
    return [*cases, Case("a gradient of None", unused, ("one parameter", "several parameters"))]


def step_given(rng, shapes, lr):
    """Parameters p0, p1 … and their gradients g0, g1 …; small numbers with two digits."""
    given = {"lr": lr}
    for i, shape in enumerate(shapes):
        given |= {f"p{i}": np.round(rng.uniform(1, 3, shape), 2), f"g{i}": np.round(rng.uniform(-2, 2, shape), 2)}
    return given


def run_step(target, given):
    count = sum(key.startswith("p") for key in given)
    parameters = [torch.tensor(given[f"p{i}"], requires_grad=True) for i in range(count)]
    for i, parameter in enumerate(parameters):
        if i != given.get("_unused"):
            parameter.grad = torch.tensor(given[f"g{i}"])
    target(list(parameters), given["lr"])
    if given.get("_look") == "gradients":
        left = sum(float(p.grad.abs().sum()) for p in parameters if p.grad is not None)
        return {"sum of |gradients| after the step": np.asarray(left)}
    return {f"p{i}": as_array(parameter, "the parameter") for i, parameter in enumerate(parameters)}


QUESTIONS = {
    "activations": Question(
        name="activations",
        aspects=dict.fromkeys((*FIVE, "far from zero"), 0),
        tests=dict.fromkeys(FIVE, "at whole numbers and others, in several shapes")
        | {"far from zero": "all of them at ±800 and ±1000, where e^x is no number any more"},
        cases=activation_cases,
        run=run_activations,
        signature="activations(x), which returns a dict with sigmoid, tanh, relu, leaky_relu and elu of x",
    ),
    "softmax": Question(
        name="softmax",
        aspects={"values": 0, "large logits": 0, "rows far apart": 0},
        tests={
            "values": "batches of one to four rows, two to six classes",
            "large logits": "logits around 1000 and around −1000",
            "rows far apart": "batches in which one row is around 1000 and another around −1000",
        },
        cases=softmax_cases,
        run=run_softmax,
        signature="softmax(z), from logits (B, K) to probabilities (B, K), each row adding up to 1",
    ),
    "cross_entropy": Question(
        name="cross_entropy",
        aspects={"one picture": 0, "a batch": 0, "large logits": 0, "gradient": 0},
        tests={
            "one picture": "one row of two to five logits",
            "a batch": "the mean over two to five rows",
            "large logits": "logits of ±1000, also where the right class has no chance",
            "gradient": "what backward() leaves at the logits",
        },
        cases=entropy_cases,
        run=run_entropy,
        signature="cross_entropy(logits, y), logits (B, K) and labels (B,), which returns the batch's mean loss",
    ),
    "sgd_step": Question(
        name="sgd_step",
        aspects=dict.fromkeys(STEP, 0),
        tests={
            "one parameter": "a vector and a matrix, two learning rates",
            "several parameters": "three parameters in one call",
            "gradients emptied": "that no gradient is left for the next step",
            "a gradient of None": "a parameter that the loss does not depend on",
        },
        cases=step_cases,
        run=run_step,
        signature="sgd_step(parameters, lr), which moves each parameter in place and empties its gradient",
    ),
}
