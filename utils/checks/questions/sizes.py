"""How large and how costly a layer is: five formulas, each asked over a grid of numbers."""

from itertools import product

from utils.checks.question import Case, Question, as_int
from utils.checks.ready_made import Objection


def run(target, given):
    """The learner's function on one set of numbers, called by keyword beyond the obvious first two."""
    return call(target, given, 2)


def run_parameters(target, given):
    return call(target, given, 3)


def call(target, given, unnamed):
    """The first `unnamed` arguments by position, the others by keyword; on request all by position."""
    given = dict(given)
    if given.pop("positional", False):
        unnamed = len(given)
    first = [given.pop(name) for name in list(given)[:unnamed]]
    return {"size": as_int(target(*first, **given), "the result")}


def run_receptive_field(target, given):
    layers = [tuple(layer) for layer in given["layers"]]
    before = list(layers)
    size = target(layers)
    if layers != before:
        raise Objection("input changed", "the list of layers")
    return {"size": as_int(size, "the result")}


def sized(aspect, given):
    """A case that needs each simpler aspect whose argument it uses as well."""
    simpler = {"stride": given.get("stride") not in (None, 1), "padding": bool(given.get("padding"))}
    simpler["dilation"] = given.get("dilation", 1) > 1
    order = ("stride", "padding", "dilation")
    before = order[: order.index(aspect)] if aspect in order else order
    return Case(aspect, given, tuple(name for name in before if simpler[name]))


def conv_cases(rng, wide):
    cases = [
        sized("stride 1", {"n": n, "kernel_size": k}) for n, k in [(5, 3), (7, 3), (32, 5), (4, 2), (6, 1), (3, 3)]
    ]
    settings = [(7, 3, 2), (4, 2, 2), (5, 2, 2), (7, 3, 3), (8, 3, 2), (10, 4, 3), (9, 1, 4), (4, 3, 5), (227, 11, 4)]
    cases += [sized("stride", {"n": n, "kernel_size": k, "stride": s}) for n, k, s in settings]
    settings = [(32, 5, 1, 2), (7, 3, 1, 1), (4, 2, 2, 1), (28, 3, 2, 1), (5, 2, 3, 1), (2, 5, 1, 2), (3, 2, 1, 3)]
    cases += [sized("padding", {"n": n, "kernel_size": k, "stride": s, "padding": p}) for n, k, s, p in settings]
    settings = [
        (7, 3, 1, 0, 2),
        (9, 3, 2, 0, 2),
        (10, 2, 1, 0, 3),
        (12, 3, 2, 1, 2),
        (16, 5, 3, 4, 2),
        (11, 4, 2, 2, 3),
    ]
    cases += [
        sized("dilation", {"n": n, "kernel_size": k, "stride": s, "padding": p, "dilation": d})
        for n, k, s, p, d in settings
    ]
    ordered = {"n": 12, "kernel_size": 4, "stride": 2, "padding": 1, "dilation": 3, "positional": True}
    cases.append(sized("dilation", ordered))
    for _ in range(60 if wide else 12):
        k, d, p, s = (int(rng.integers(1, high)) for high in (8, 4, 4, 6))
        n = max(1, d * (k - 1) + 1 - 2 * p) + int(rng.integers(0, 30))
        cases.append(sized("dilation", {"n": n, "kernel_size": k, "stride": s, "padding": p, "dilation": d}))
    too_large = [(2, 3, 1, 0, 1), (1, 6, 1, 0, 1), (3, 6, 2, 1, 1), (4, 3, 1, 0, 2), (5, 4, 2, 0, 2), (2, 9, 2, 1, 1)]
    cases += [
        sized("does not fit", {"n": n, "kernel_size": k, "stride": s, "padding": p, "dilation": d})
        for n, k, s, p, d in too_large
    ]
    return cases


def pool_cases(rng, wide):
    settings = [(4, 2), (28, 2), (5, 2), (7, 3), (9, 4), (6, 6), (5, 1), (3, 2)]
    cases = [sized("default stride", {"n": n, "kernel_size": k}) for n, k in settings]
    settings = [(5, 2, 1), (7, 3, 2), (9, 2, 3), (8, 3, 1), (13, 4, 3), (6, 2, 4), (5, 4, 2), (5, 3, 2)]
    cases += [sized("stride", {"n": n, "kernel_size": k, "stride": s}) for n, k, s in settings]
    settings = [
        (5, 3, 2, 1),
        (4, 2, 2, 1),
        (7, 3, 3, 1),
        (6, 5, 2, 2),
        (10, 4, 3, 2),
        (3, 2, 1, 1),
        (8, 3, None, 1),
        (4, 2, None, 1),
        (9, 5, None, 2),
    ]
    cases += [sized("padding", {"n": n, "kernel_size": k, "stride": s, "padding": p}) for n, k, s, p in settings]
    # The last two rows: the rounded-up window would start in the right-hand padding, and is dropped.
    settings = [
        (5, 2, None, 0),
        (5, 2, 2, 1),
        (6, 3, 2, 0),
        (7, 3, None, 0),
        (8, 3, None, 0),
        (10, 4, 3, 1),
        (4, 2, None, 0),
        (8, 5, 3, 2),
    ]
    settings += [(4, 2, 3, 1), (3, 2, 4, 1), (5, 1, 3, 0), (4, 1, 2, 0), (2, 2, 5, 1)]
    cases += [
        sized("ceil_mode", {"n": n, "kernel_size": k, "stride": s, "padding": p, "ceil_mode": True})
        for n, k, s, p in settings
    ]
    ordered = {"n": 11, "kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": False, "positional": True}
    cases.append(sized("padding", ordered))
    for _ in range(60 if wide else 12):
        k, s = int(rng.integers(1, 7)), int(rng.integers(1, 7))
        p, up = int(rng.integers(0, k // 2 + 1)), bool(rng.integers(2))
        n = max(1, k - 2 * p) + int(rng.integers(0, 30))
        aspect = "ceil_mode" if up else "padding"
        cases.append(sized(aspect, {"n": n, "kernel_size": k, "stride": s, "padding": p, "ceil_mode": up}))
    return cases


def transpose_cases(rng, wide):
    cases = [sized("stride 1", {"n": n, "kernel_size": k}) for n, k in [(2, 2), (3, 3), (5, 4), (1, 3), (4, 1)]]
    settings = [(2, 2, 2), (7, 3, 2), (14, 2, 2), (3, 2, 3), (4, 5, 3), (1, 3, 4)]
    cases += [sized("stride", {"n": n, "kernel_size": k, "stride": s}) for n, k, s in settings]
    settings = [(7, 3, 2, 1), (4, 4, 2, 1), (5, 5, 1, 2), (4, 3, 1, 1), (3, 4, 3, 2)]
    cases += [sized("padding", {"n": n, "kernel_size": k, "stride": s, "padding": p}) for n, k, s, p in settings]
    settings = [
        (4, 3, 1, 0, 1, 2),
        (7, 3, 2, 1, 1, 1),
        (3, 2, 3, 0, 2, 1),
        (5, 3, 1, 0, 0, 2),
        (4, 3, 2, 1, 1, 3),
        (6, 4, 3, 2, 2, 2),
    ]
    for _ in range(40 if wide else 10):
        k, s, d, p = (int(rng.integers(1, high)) for high in (6, 5, 4, 4))
        out = int(rng.integers(0, max(s, d)))
        n = 2 * p + 1 + int(rng.integers(0, 12))
        settings.append((n, k, s, p, out, d))
    cases += [
        sized(
            "output_padding and dilation",
            {"n": n, "kernel_size": k, "stride": s, "padding": p, "output_padding": out, "dilation": d},
        )
        for n, k, s, p, out, d in settings
    ]
    ordered = {"n": 4, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1, "dilation": 3}
    return [*cases, sized("output_padding and dilation", ordered | {"positional": True})]


def parameter_cases(rng, wide):
    names = ("in_channels", "out_channels", "kernel_size")
    settings = [(3, 10, 5), (1, 1, 3), (3, 6, 5), (64, 32, 1), (1, 16, 5), (5, 3, 2), (128, 256, 3)]
    cases = [Case("weights and biases", dict(zip(names, s, strict=True))) for s in settings]
    cases += [Case("without bias", dict(zip(names, s, strict=True), bias=False)) for s in settings[:5]]
    settings = [(8, 8, 3, 8), (6, 4, 5, 2), (4, 12, 3, 4), (9, 6, 2, 3), (32, 64, 1, 4)]
    cases += [
        Case("groups", dict(zip(names, s[:3], strict=True), bias=b, groups=s[3]), () if b else ("without bias",))
        for s, b in product(settings, (True, False))
    ]
    ordered = {**dict(zip(names, (6, 4, 3), strict=True)), "bias": True, "groups": 2, "positional": True}
    cases.append(Case("groups", ordered))
    for _ in range(30 if wide else 6):
        groups, a, b, k = (int(rng.integers(1, high)) for high in (6, 9, 9, 8))
        given = {"in_channels": groups * a, "out_channels": groups * b, "kernel_size": k}
        bias = bool(rng.integers(2))
        needs = () if bias else ("without bias",)
        cases.append(Case("groups", {**given, "bias": bias, "groups": groups}, needs))
    return cases


def receptive_field_cases(rng, wide):
    plain = [[(3, 1, 1)], [(3, 1, 1)] * 2, [(3, 1, 1)] * 3, [(7, 1, 1)], [(5, 1, 1), (2, 1, 1)], [(1, 1, 1)], []]
    strided = [[(3, 2, 1), (3, 1, 1)], [(2, 2, 1)] * 3, [(3, 1, 1), (2, 2, 1), (3, 1, 1)], [(3, 1, 1), (3, 2, 1)]]
    strided += [[(7, 2, 1), (3, 2, 1), (3, 1, 1), (3, 3, 1), (2, 1, 1)], [(3, 2, 1)], [(1, 2, 1), (3, 1, 1)]]
    dilated = [
        [(3, 1, 2)],
        [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
        [(3, 2, 2), (2, 1, 3)],
        [(2, 3, 1), (3, 2, 2), (2, 1, 2)],
    ]
    for _ in range(20 if wide else 6):
        depth = int(rng.integers(2, 5))
        dilated.append(
            [tuple(int(v) for v in (rng.integers(1, 5), rng.integers(1, 4), rng.integers(1, 4))) for _ in range(depth)]
        )
    return [
        Case(
            aspect, {"layers": layers}, ("stride",) if aspect == "dilation" and max(s for _, s, _ in layers) > 1 else ()
        )
        for aspect, stacks in (("stride 1", plain), ("stride", strided), ("dilation", dilated))
        for layers in stacks
    ]


QUESTIONS = {
    "conv_output_size": Question(
        name="conv_output_size",
        aspects={"stride 1": 1, "stride": 1, "padding": 1, "dilation": 1, "does not fit": 1},
        tests={
            "stride 1": "kernels of 1 to 5 on 3 to 32 pixels, one that fits exactly once",
            "stride": "strides 2 to 5, with pixels left over at the end",
            "padding": "padding together with stride, and padding wider than the kernel",
            "dilation": "dilation together with all the others",
            "does not fit": "a ValueError when the kernel does not fit even once",
        },
        cases=conv_cases,
        run=run,
        signature="conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1) -> int",
    ),
    "pool_output_size": Question(
        name="pool_output_size",
        aspects={"default stride": 1, "stride": 1, "padding": 1, "ceil_mode": 1},
        tests={
            "default stride": "stride=None, which means windows side by side",
            "stride": "windows that overlap, and windows with gaps",
            "padding": "padding of up to half the window",
            "ceil_mode": "rounding up, and the window that would start beyond the picture",
        },
        cases=pool_cases,
        run=run,
        signature="pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False) -> int",
    ),
    "conv_transpose_output_size": Question(
        name="conv_transpose_output_size",
        aspects={"stride 1": 0.5, "stride": 1, "padding": 0.5, "output_padding and dilation": 1},
        tests={
            "stride 1": "kernels of 1 to 4 on 1 to 5 values",
            "stride": "strides 2 to 4",
            "padding": "padding, which makes the output smaller here",
            "output_padding and dilation": "both, together with all the others",
        },
        cases=transpose_cases,
        run=run,
        signature="conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1)",
    ),
    "conv_parameters": Question(
        name="conv_parameters",
        aspects={"weights and biases": 1, "without bias": 1, "groups": 1},
        tests={
            "weights and biases": "square kernels of 1 to 5, several numbers of channels",
            "without bias": "bias=False",
            "groups": "groups, depthwise included, with and without bias",
        },
        cases=parameter_cases,
        run=run_parameters,
        signature="conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1) -> int",
    ),
    "receptive_field": Question(
        name="receptive_field",
        aspects={"stride 1": 1, "stride": 1.5, "dilation": 1.5},
        tests={
            "stride 1": "stacks of none to three layers without stride or dilation",
            "stride": "strides anywhere in the stack, the last layer included",
            "dilation": "dilated kernels, with strides",
        },
        cases=receptive_field_cases,
        run=run_receptive_field,
        signature="receptive_field(layers) -> int, layers a list of (kernel_size, stride, dilation), input first",
    ),
}
