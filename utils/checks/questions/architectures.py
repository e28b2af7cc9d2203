"""Chapter 07: multiply-adds, the blocks of GoogLeNet and of ResNet, a new last layer for transfer learning."""

import copy

import numpy as np
import torch
from torch import nn

from utils.checks.question import Case, Objection, Question, as_array, as_int, untouched
from utils.checks.questions.layer import build, output

# ── multiply_adds ────────────────────────────────────────────────────────────────────────────────────────────────────


def product_cases(rng, wide):
    names = ("in_channels", "out_channels", "kernel_size", "height", "width", "stride", "padding", "groups")
    asked = [
        ("one channel", 1, 1, 3, 5, 7, 1, 0, 1),
        ("one channel", 1, 1, 2, 6, 4, 1, 0, 1),
        ("channels", 3, 8, 3, 6, 9, 1, 0, 1),
        ("channels", 6, 2, 1, 5, 4, 1, 0, 1),
        ("padding", 1, 1, 3, 5, 8, 1, 1, 1),
        ("padding", 2, 3, 5, 6, 7, 1, 2, 1),
        ("stride", 1, 1, 3, 9, 7, 2, 0, 1),
        ("stride", 1, 1, 2, 7, 10, 3, 0, 1),
        ("stride", 3, 64, 7, 224, 200, 2, 3, 1),
        ("groups", 6, 6, 3, 8, 5, 1, 0, 6),
        ("groups", 8, 12, 3, 6, 7, 1, 0, 4),
    ]
    for _ in range(10 if wide else 0):
        groups, k, s = (int(v) for v in rng.integers((1, 1, 1), (4, 6, 4)))
        c, out = groups * int(rng.integers(1, 9)), groups * int(rng.integers(1, 9))
        h, w = (int(v) for v in rng.integers(6, 30, 2))
        asked.append(("stride", c, out, k, h, w, s, int(rng.integers(0, 3)), groups))
    needs = {"stride": ("channels", "padding", "groups"), "padding": ("channels",)}
    cases = []
    for aspect, *values in asked:
        given = dict(zip(names, values, strict=True))
        plain = given["in_channels"] == given["out_channels"] == 1 and not (aspect == "stride" and given["padding"])
        cases.append(Case(aspect, given, () if plain else needs.get(aspect, ())))
    return cases


def run_products(target, given):
    return {"the number of multiply-adds": as_int(target(**given), "the result")}


# ── Filling a block with known weights ───────────────────────────────────────────────────────────────────────────────


def fill(block, shift=0.0):
    """Give every parameter numbers that depend on its shape alone: how a block names and orders its parts is free."""
    with torch.no_grad():
        for part in block.modules():
            for name, value in part.named_parameters(recurse=False):
                pattern = torch.sin(1.7 * torch.arange(value.numel(), dtype=value.dtype) + value.ndim)
                if value.ndim == 4:  # a convolution's weight
                    value.copy_(pattern.view_as(value) * 2 / value[0].numel() ** 0.5)
                elif isinstance(part, nn.BatchNorm2d):
                    value.copy_(1 + 0.3 * pattern if name == "weight" else 0.5 * pattern + shift)
                else:  # the bias of a convolution
                    value.copy_(0.2 * pattern)
            if isinstance(part, nn.BatchNorm2d):
                n = torch.arange(part.num_features, dtype=part.weight.dtype)
                part.running_mean.copy_(0.1 * torch.cos(n))
                part.running_var.copy_(1 + 0.4 * torch.sin(n))


def parameters(block):
    return np.array(sum(p.numel() for p in block.parameters()))


# ── inception ────────────────────────────────────────────────────────────────────────────────────────────────────────

FILTERS = ("n1", "n3_reduce", "n3", "n5_reduce", "n5", "pool")


def inception_cases(rng, wide):
    def ask(aspect, look, in_channels, filters, size=(6, 7), batch=2, needs=()):
        x = rng.standard_normal((batch, in_channels, *size))
        given = {"in_channels": in_channels, "filters": dict(zip(FILTERS, filters, strict=True)), "x": x}
        return Case(aspect, given | {"_look": look}, needs)

    filters = [(4, 3, 5, 2, 6, 7), (2, 5, 3, 4, 1, 6)]
    cases = [ask("channels", "shape", c, f, size) for c, f, size in zip((5, 9), filters, ((6, 7), (5, 5)), strict=True)]
    cases += [ask("parameters", "parameters", c, f) for c, f in zip((5, 9), filters, strict=True)]
    cases += [ask("parameters", "parameters", 192, (64, 96, 128, 16, 32, 32), (3, 3), 1)]
    cases += [
        ask("branches", "values", c, f, needs=("channels", "parameters")) for c, f in zip((5, 9), filters, strict=True)
    ]
    for _ in range(4 if wide else 0):
        drawn = tuple(int(v) for v in rng.integers(1, 8, 6))
        cases.append(ask("branches", "values", int(rng.integers(1, 9)), drawn, needs=("channels", "parameters")))
    return cases


def run_inception(target, given):
    torch.manual_seed(0)
    block = build(target, "Inception", given["in_channels"], *given["filters"].values()).double()
    x = torch.tensor(given["x"])
    if given["_look"] == "parameters":
        return {"the number of parameters": parameters(block)}
    fill(block)
    with untouched(input=x), torch.no_grad():
        y = output(block.eval(), x)
    return {"the shape of the output": np.array(y.shape)} if given["_look"] == "shape" else {"y": as_array(y, "y")}


# ── residual_block ───────────────────────────────────────────────────────────────────────────────────────────────────


def residual_cases(rng, wide):
    def ask(aspect, look, channels, stride=1, size=(6, 7), needs=()):
        given = {"in_channels": channels[0], "out_channels": channels[1], "stride": stride, "_look": look}
        return Case(aspect, given | {"x": rng.standard_normal((3, channels[0], *size))}, needs)

    same, new = ((4, 4), (7, 7)), (((3, 5), 1), ((4, 6), 2), ((5, 5), 2))
    cases = [ask("shape", "shape", channels) for channels in same]
    cases += [ask("shape", "shape", channels, stride) for channels, stride in new]
    cases += [ask("parameters", "parameters", channels) for channels in same]
    cases += [ask("parameters", "parameters", channels, stride) for channels, stride in new]
    cases += [ask("carried around", "nothing learned", channels, needs=("shape",)) for channels in same]
    cases += [ask("same shape", "values", channels, needs=("shape",)) for channels in same]
    cases += [ask("training", "training", (4, 4), needs=("shape", "same shape"))]
    for channels, stride in new:
        cases.append(ask("new shape", "values", channels, stride, needs=("shape", "same shape", "parameters")))
    for _ in range(4 if wide else 0):
        channels, stride = tuple(int(v) for v in rng.integers(1, 7, 2)), int(rng.integers(1, 3))
        cases.append(ask("new shape", "values", channels, stride, (5, 8), needs=("shape", "same shape", "parameters")))
    return cases


def run_residual(target, given):
    torch.manual_seed(0)
    block = build(target, "ResidualBlock", given["in_channels"], given["out_channels"], given["stride"]).double()
    x, look = torch.tensor(given["x"]), given["_look"]
    if look == "parameters":
        return {"the number of parameters": parameters(block)}
    fill(block)
    if look == "nothing learned":  # every convolution answers 0, so that only the shortcut is left
        with torch.no_grad():
            for name, value in block.named_parameters():
                if value.ndim == 4 or name.endswith("bias"):
                    value.zero_()
            for name, value in block.named_buffers():
                if name.endswith("running_mean"):
                    value.zero_()
    with torch.no_grad(), untouched(input=x):
        y = output(block.train(look == "training"), x)
    if look == "shape":
        return {"the shape of the output": np.array(y.shape)}
    name = "the output of a block whose convolutions answer 0" if look == "nothing learned" else "y"
    return {name: as_array(y, "the output")}


# ── new_head ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Learned(nn.Module):
    """A small network of torchvision's manner, with a last layer called fc."""

    def __init__(self, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        return self.fc(self.conv2(self.bn1(self.conv1(x)).relu()).mean(dim=(2, 3)))


def head_cases(rng, wide):
    sizes = [(6, 10, 3), (5, 4, 7)]
    sizes += [tuple(int(v) for v in rng.integers(2, 12, 3)) for _ in range(3 if wide else 0)]
    return [
        Case(aspect, {"channels": c, "old": old, "classes": new, "x": rng.uniform(0, 1, (2, 3, 5, 6)), "_look": aspect})
        for aspect in ("output", "frozen", "learns", "kept", "new")
        for c, old, new in sizes
    ]


def run_head(target, given):
    torch.manual_seed(0)
    net = Learned(given["channels"], given["old"]).eval()
    before = copy.deepcopy(net.state_dict())
    found = target(net, given["classes"])
    if found is None:
        raise Objection("nothing", "new_head gives None")
    if not isinstance(found, nn.Module):
        raise Objection("interface", f"new_head gives a {type(found).__name__}; the network is wanted.")
    look, x = given["_look"], torch.tensor(given["x"], dtype=torch.float32)
    heads = [part for part in found.modules() if isinstance(part, nn.Linear)]
    head = heads[-1] if heads else None
    own = {id(p) for p in head.parameters()} if head else set()
    others = [p for p in found.parameters() if id(p) not in own]
    if look == "output":
        with torch.no_grad():
            return {"the shape of the logits": np.array(output(found.eval(), x).shape)}
    if look == "frozen":
        return {"the number of parameters before the last layer that learn": learn(others)}
    if look == "learns":
        found = list(head.parameters()) if head else []
        return {
            "the number of parameters of the last layer": np.array(sum(p.numel() for p in found)),
            "the number of those that learn": learn(found),
        }
    if look == "kept":
        now = found.state_dict()
        body = [name for name in before if not name.startswith("fc.")]
        return {
            "whether everything before the last layer is as it was": np.array(
                all(name in now and torch.equal(now[name], before[name]) for name in body)
            )
        }
    rows = min(given["old"], given["classes"])
    same = head is not None and head.weight.shape[1] == given["channels"]
    same = same and torch.equal(head.weight[:rows], before["fc.weight"][:rows])
    return {"whether the last layer still has weights of the old classes": np.array(bool(same))}


def learn(found):
    return np.array(sum(p.numel() for p in found if p.requires_grad))


QUESTIONS = {
    "multiply_adds": Question(
        name="multiply_adds",
        aspects=dict.fromkeys(("one channel", "channels", "padding", "stride", "groups"), 0),
        tests={
            "one channel": "one channel in and out, pictures that are not square",
            "channels": "several channels in and out, kernels of 1 and of 3",
            "padding": "paddings that keep the size",
            "stride": "strides of 2 and 3, also where they do not fit; the first layer of ResNet",
            "groups": "depthwise convolutions, and groups of several channels",
        },
        cases=product_cases,
        run=run_products,
        signature="multiply_adds(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1) "
        "-> int",
    ),
    "inception": Question(
        name="inception",
        aspects=dict.fromkeys(("channels", "parameters", "branches"), 0),
        tests={
            "channels": "the channels of all four branches side by side, height and width as they were",
            "parameters": "six convolutions with bias, GoogLeNet's first block among them",
            "branches": "what comes out, number by number: order, paddings, ReLUs, pooling",
        },
        cases=inception_cases,
        run=run_inception,
        signature="class Inception(nn.Module), built as Inception(in_channels, n1, n3_reduce, n3, n5_reduce, n5, pool)",
    ),
    "residual_block": Question(
        name="residual_block",
        aspects=dict.fromkeys(("shape", "parameters", "carried around", "same shape", "training", "new shape"), 0),
        tests={
            "shape": "channels and strides, also where height is odd",
            "parameters": "two convolutions without bias, each with a batch norm; a 1×1 convolution only where needed",
            "carried around": "with convolutions that answer 0, the input comes through",
            "same shape": "what comes out, number by number",
            "training": "the same with the batch's own statistics",
            "new shape": "more channels, half the height and width",
        },
        cases=residual_cases,
        run=run_residual,
        signature="class ResidualBlock(nn.Module), built as ResidualBlock(in_channels, out_channels, stride=1)",
    ),
    "new_head": Question(
        name="new_head",
        aspects=dict.fromkeys(("output", "frozen", "learns", "kept", "new"), 0),
        tests={
            "output": "logits for the new number of classes, fewer or more than before",
            "frozen": "nothing before the last layer learns: weights, biases, batch norm",
            "learns": "the new layer learns, weight and bias",
            "kept": "what was learned before is still there",
            "new": "the last layer is a new one",
        },
        cases=head_cases,
        run=run_head,
        signature="new_head(net, classes), which returns the network; its last layer is called net.fc",
    ),
}
