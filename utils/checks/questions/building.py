"""Chapter 04's self-checked exercises, worth no points: sizes, batch norm, dropout, LeNet's third layer, a network."""

import numpy as np
import torch
from torch import nn

from utils.checks.question import Case, Objection, Question, as_array, as_int, untouched
from utils.checks.questions.layer import build, output

# ── flat_features, sparse_parameters ─────────────────────────────────────────────────────────────────────────────────


def flat_cases(rng, wide):
    stacks = [
        ("convolutions", (1, 6, 8), [("conv", 2, 3, 0)]),
        ("convolutions", (3, 5, 4), [("conv", 4, 3, 1)]),
        ("convolutions", (1, 9, 12), [("conv", 5, 3, 0), ("conv", 2, 5, 1)]),
        ("pooling", (2, 6, 8), [("pool", 2)]),
        ("pooling", (1, 7, 9), [("pool", 2), ("pool", 2)]),
        ("pooling", (4, 11, 16), [("pool", 3)]),
        ("whole networks", (1, 28, 28), [("conv", 6, 5, 2), ("pool", 2), ("conv", 16, 5, 0), ("pool", 2)]),
        ("whole networks", (3, 32, 32), [("conv", 6, 5, 0), ("pool", 2), ("conv", 16, 5, 0), ("pool", 2)]),
        ("whole networks", (1, 28, 28), [("conv", 16, 3, 1), ("pool", 2), ("conv", 32, 3, 1), ("pool", 2)]),
    ]
    for _ in range(20 if wide else 4):
        height, width = (int(n) for n in rng.integers(20, 60, 2))
        layers = []
        for _ in range(int(rng.integers(1, 4))):
            filters, half, pool = (int(n) for n in rng.integers((2, 0, 2), (9, 3, 4)))
            layers += [("conv", filters, 2 * half + 1, int(rng.integers(0, half + 1))), ("pool", pool)]
        if min(height, width) > 30:  # so that something is left
            stacks.append(("whole networks", (int(rng.integers(1, 4)), height, width), layers[:4]))
    needs = {"whole networks": ("convolutions", "pooling")}
    return [Case(a, {"in_shape": s, "layers": layers}, needs.get(a, ())) for a, s, layers in stacks]


def run_flat(target, given):
    layers = list(given["layers"])
    size = target(given["in_shape"], layers)
    if layers != given["layers"]:
        raise Objection("input changed", "the list of layers")
    return {"size": as_int(size, "the result")}


def sparse_cases(rng, wide):
    tables = [([(0,)], 5), ([(0, 1, 2)], 3), ([(0, 2), (1,)], 5), ([(0, 1), (1, 2), (0, 1, 2)], 3), ([(0, 1)] * 4, 1)]
    for _ in range(20 if wide else 4):
        maps = [
            tuple(int(n) for n in rng.permutation(6)[: int(rng.integers(1, 7))]) for _ in range(int(rng.integers(2, 8)))
        ]
        tables.append((maps, int(rng.integers(2, 6))))
    return [Case("counts", {"inputs_of": table, "kernel_size": k}) for table, k in tables]


def run_sparse(target, given):
    return {"size": as_int(target(list(given["inputs_of"]), given["kernel_size"]), "the result")}


# ── batch_norm ───────────────────────────────────────────────────────────────────────────────────────────────────────


def norm_case(rng, aspect, shape, *, eps=1e-5, affine=False, spread=2.0, small=False, needs=()):
    """A batch whose channels differ in mean and spread; small whole numbers where it can be followed by hand."""
    channels = shape[1]
    x = rng.integers(0, 9, shape).astype("float64") if small else rng.standard_normal(shape) * spread
    if not small:
        x = x * np.linspace(0.5, 1.5, channels).reshape(-1, 1, 1) + np.arange(1, channels + 1).reshape(-1, 1, 1)
    weight, bias = (rng.uniform(0.5, 2, channels), rng.standard_normal(channels)) if affine else (None, None)
    weight = np.ones(channels) if weight is None else weight
    bias = np.zeros(channels) if bias is None else bias
    return Case(aspect, {"x": x, "weight": weight, "bias": bias, "eps": eps}, needs)


def norm_cases(rng, wide):
    def ask(*args, **settings):
        return norm_case(rng, *args, **settings)

    constant = ask("eps", (2, 2, 2, 3), eps=0.01)
    constant.given["x"][:, 1] = 3.0  # a channel without any variance
    cases = [
        ask("one channel", (2, 1, 1, 2), small=True),
        ask("one channel", (2, 1, 2, 3), small=True),
        ask("one channel", (4, 1, 3, 2)),
        ask("channels", (2, 2, 1, 2), small=True),
        ask("channels", (3, 2, 4, 5)),
        ask("channels", (2, 4, 3, 4)),  # as many channels as columns
        ask("eps", (3, 1, 2, 2), eps=0.5, spread=0.3),
        ask("eps", (2, 3, 4, 2), eps=0.1, spread=0.1, needs=("channels",)),
        constant,
        ask("weight and bias", (2, 1, 3, 2), affine=True),
        ask("weight and bias", (3, 4, 2, 3), affine=True),
        ask("weight and bias", (2, 3, 4, 3), affine=True),
    ]
    for _ in range(8 if wide else 0):
        cases.append(ask("weight and bias", tuple(int(n) for n in rng.integers(2, 6, 4)), affine=True, eps=0.05))
    return cases


def run_norm(target, given):
    x, weight, bias = (torch.tensor(given[name]) for name in ("x", "weight", "bias"))
    with untouched(input=x, weight=weight, bias=bias):
        return {"y": as_array(target(x, weight, bias, given["eps"]), "the output")}


# ── batch_norm2d ─────────────────────────────────────────────────────────────────────────────────────────────────────

STATE = ("weight", "bias", "running_mean", "running_var")


def layer_cases(rng, wide):
    cases = []
    for shape, momentum, eps in [((2, 1, 1, 2), 0.1, 1e-5), ((3, 2, 2, 4), 0.1, 1e-5), ((2, 3, 4, 3), 0.3, 0.05)]:
        cases += layer_case(rng, shape, momentum, eps)
    for _ in range(4 if wide else 0):
        momentum = float(rng.uniform(0.05, 0.6))
        cases += layer_case(rng, tuple(int(n) for n in rng.integers(2, 6, 4)), momentum, 0.02)
    return cases


def layer_case(rng, shape, momentum, eps):
    """One layer, asked for each of its parts alone."""
    channels = shape[1]
    settings = {"channels": channels, "eps": eps, "momentum": momentum}
    state = {
        "weight": rng.uniform(0.5, 2, channels),
        "bias": rng.standard_normal(channels),
        "running_mean": rng.standard_normal(channels) + 1,
        "running_var": rng.uniform(0.5, 3, channels),
    }
    batches = {"x": rng.standard_normal(shape) * 2 + 1, "x2": rng.standard_normal((shape[0] + 1, *shape[1:])) - 1}
    aspects = ("training", "running mean", "running variance", "evaluation", "gradients")
    return [Case(aspect, settings | state | batches | {"_part": aspect}) for aspect in aspects]


def run_layer(target, given):
    """One part of what a batch norm layer does, so that each is judged alone."""
    part = given["_part"]
    layer = build(target, "BatchNorm2d", given["channels"], eps=given["eps"], momentum=given["momentum"]).double()
    set_state(layer, given)
    x, x2 = torch.tensor(given["x"]), torch.tensor(given["x2"])
    layer.train(part != "evaluation")
    if part == "gradients":
        return gradients(layer, x.requires_grad_())
    if part.startswith("running"):
        x.requires_grad_()  # as behind a layer that learns: the statistics must not hold on to its gradients
    with untouched(input=x):
        y = output(layer, x)
    if part == "training":
        return {"y": as_array(y, "the output")}
    if part == "evaluation":
        return {"y": as_array(y, "the output")} | {name: state_of(layer, name) for name in STATE[2:]}
    output(layer, x2)
    name = "running_mean" if part == "running mean" else "running_var"
    return {name: state_of(layer, name)}


def set_state(layer, given):
    """Give a layer the case's parameters and running statistics."""
    for name in STATE:
        own = getattr(layer, name, None)
        if not isinstance(own, torch.Tensor) or own.shape != given[name].shape:
            shape = "none" if not isinstance(own, torch.Tensor) else f"one of shape {tuple(own.shape)}"
            raise Objection("interface", f"the layer needs `{name}` of shape (channels,); it has {shape}.")
        with torch.no_grad():
            own.copy_(torch.tensor(given[name]))


def state_of(layer, name):
    value = getattr(layer, name)
    if value.requires_grad or value.grad_fn is not None:
        raise Objection(
            "interface",
            f"{name} remembers how it was computed (it has a grad_fn), so each step would hold on to all those before "
            f"it: update it within `with torch.no_grad():`, or from .detach()ed numbers.",
        )
    if value.shape != (layer.weight.numel(),):
        raise Objection("interface", f"{name} has become {tuple(value.shape)}; one number for each channel is wanted.")
    return as_array(value, name)


def gradients(layer, x):
    """What reaches the input, the weight and the bias in training, from a weighted sum of the output."""
    y = output(layer, x)
    if not y.requires_grad:
        raise Objection("detached", "the input")
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape) ** 2
    found = torch.autograd.grad(y, (x, layer.weight, layer.bias), weights, allow_unused=True)
    lost = [name for name, g in zip(("the input", "the weight", "the bias"), found, strict=True) if g is None]
    if lost:
        raise Objection("detached", " or ".join(lost))
    return {f"grad_{name}": g.numpy() for name, g in zip(("x", "weight", "bias"), found, strict=True)}


# ── dropout ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def dropout_cases(rng, wide):
    cases = [Case("evaluation", {"x": rng.uniform(1, 2, (2, 3)), "p": p, "training": False}) for p in (0.5, 0.2)]
    shares = (0.5, 0.2, 0.7, *((0.3, 0.6, 0.8) if wide else ()))
    for aspect in ("share", "scale", "independence"):
        big = {"x": rng.uniform(1, 2, (8, 5, 20, 25)), "training": True, "_part": aspect}
        cases += [Case(aspect, big | {"p": p}) for p in shares]
    return cases


def run_dropout(target, given):
    """In evaluation the output; in training, as the numbers are random, what can be said of any draw."""
    x, p = torch.tensor(given["x"]), given["p"]
    torch.manual_seed(0)
    with untouched(input=x):
        y = as_array(target(x, p, given["training"]), "the output")
    if not given["training"]:
        return {"y": y}
    if y.shape != x.shape:
        return {"y": y}
    factor = y / given["x"]
    mask = factor != 0
    if given["_part"] == "share":
        return {"the share that is kept": np.round(mask.mean(), 1)}
    if given["_part"] == "scale":
        return {"what the kept numbers are multiplied by": np.unique(np.round(factor[mask], 4))[:3]}
    again = as_array(target(x, p, True), "the output") != 0
    return {
        "whether each picture has a mask of its own": np.array(bool((mask != mask[:1]).any())),
        "whether each number of a map is drawn alone": np.array(bool((mask != mask[:, :, :1, :1]).any())),
        "whether each call draws again": np.array(bool((mask != again).any())),
    }


# ── digit_cnn ────────────────────────────────────────────────────────────────────────────────────────────────────────


def network_cases(rng, wide):
    pictures = rng.uniform(0, 1, (5, 1, 28, 28))
    aspects = ("layers", "output", "logits", "activation", "all used")
    cases = [Case(aspect, {"x": pictures, "_part": aspect}) for aspect in aspects]
    return [*cases, Case("output", {"x": pictures[:1], "_part": "output"})]


def run_network(target, given):
    """What can be said of any network with three convolutions and two dense layers, before it has learned anything."""
    torch.manual_seed(0)
    network = build(target, "DigitCNN").eval()
    x, part = torch.tensor(given["x"], dtype=torch.float32), given["_part"]
    kinds = {"convolutions": nn.Conv2d, "dense layers": nn.Linear}
    if part == "layers":
        return {
            f"the number of {name}": np.array(sum(isinstance(m, kind) for m in network.modules()))
            for name, kind in kinds.items()
        }
    if part == "activation":
        return {"whether something non-linear stands between the dense layers": activation_between(network, x)}
    if part == "all used":
        return {"the number of parameters that no gradient reaches": unreached(network, x)}
    with torch.no_grad():
        y = output(network, x)
    if part == "output":
        return {"the output's shape": np.array(y.shape)}
    sums = y.reshape(len(y), -1).sum(1)
    return {
        "whether each row adds up to 1": np.array(bool(torch.allclose(sums, torch.ones_like(sums), atol=1e-3))),
        "whether logits can be negative": np.array(bool((y < 0).any())),
    }


def activation_between(network, x):
    """Whether the last dense layer gets anything else than what the one before it gave."""
    seen = []
    dense = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_hook(lambda _, inputs, y: seen.append((inputs[0], y))) for layer in dense]
    with torch.no_grad():
        output(network, x)
    for hook in hooks:
        hook.remove()
    return np.array(not any(a[1].shape == b[0].shape and torch.equal(a[1], b[0]) for a in seen for b in seen))


def unreached(network, x):
    y = output(network, x)
    if not y.requires_grad:
        raise Objection("detached", "the parameters")
    (y**2).sum().backward()
    return np.array(sum(p.numel() for p in network.parameters() if p.grad is None))


QUESTIONS = {
    "flat_features": Question(
        name="flat_features",
        aspects={"convolutions": 0, "pooling": 0, "whole networks": 0},
        tests={
            "convolutions": "one or two convolutions, with and without padding",
            "pooling": "windows of 2 and 3, also where a row is left over",
            "whole networks": "LeNet-5 and others, oblong pictures too",
        },
        cases=flat_cases,
        run=run_flat,
        signature="flat_features(in_shape, layers) -> int, how many numbers of each picture are left to flatten",
    ),
    "sparse_parameters": Question(
        name="sparse_parameters",
        aspects={"counts": 0},
        tests={"counts": "one to seven maps, each with inputs of its own, kernels of 1 to 5"},
        cases=sparse_cases,
        run=run_sparse,
        signature="sparse_parameters(inputs_of, kernel_size) -> int, inputs_of a list with the inputs of each map",
    ),
    "batch_norm": Question(
        name="batch_norm",
        aspects={"one channel": 0, "channels": 0, "eps": 0, "weight and bias": 0},
        tests={
            "one channel": "a single channel, two to four pictures",
            "channels": "two to four channels, each with statistics of its own",
            "eps": "large values of eps, and a channel in which all numbers are the same",
            "weight and bias": "one weight and one bias for each channel",
        },
        cases=norm_cases,
        run=run_norm,
        signature="batch_norm(x, weight, bias, eps), from (B, C, H, W) to (B, C, H, W), as in training",
    ),
    "batch_norm2d": Question(
        name="batch_norm2d",
        aspects={"training": 0, "running mean": 0, "running variance": 0, "evaluation": 0, "gradients": 0},
        tests={
            "training": "in train(): the statistics of the batch",
            "running mean": "after two batches of different sizes",
            "running variance": "after two batches of different sizes",
            "evaluation": "in eval(): the running statistics, which stay as they are",
            "gradients": "for the input, the weight and the bias",
        },
        cases=layer_cases,
        run=run_layer,
        signature="class BatchNorm2d(nn.Module), built as BatchNorm2d(channels, eps=1e-5, momentum=0.1)",
    ),
    "dropout": Question(
        name="dropout",
        aspects={"evaluation": 0, "share": 0, "scale": 0, "independence": 0},
        tests={
            "evaluation": "training=False: nothing happens",
            "share": "p of 0.2, 0.5 and 0.7 drop that share",
            "scale": "what is left is scaled, so that the mean stays",
            "independence": "every number is drawn alone, and in every call again",
        },
        cases=dropout_cases,
        run=run_dropout,
        signature="dropout(x, p, training), a tensor like x",
    ),
    "digit_cnn": Question(
        name="digit_cnn",
        aspects={"layers": 0, "output": 0, "activation": 0, "logits": 0, "all used": 0},
        tests={
            "layers": "three convolutions, two dense layers",
            "output": "ten numbers for each picture of a batch, one picture or several",
            "activation": "something non-linear between the two dense layers",
            "logits": "plain scores: no softmax and no ReLU at the end",
            "all used": "a gradient reaches every parameter",
        },
        cases=network_cases,
        run=run_network,
        signature="class DigitCNN(nn.Module), from (B, 1, 28, 28) to logits (B, 10)",
    ),
}
