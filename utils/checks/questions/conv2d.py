"""Conv2D as a module: one layer, asked in eight ways."""

import torch
from torch import nn

from utils.checks.question import Case, Question
from utils.checks.questions.layer import ask_layer, build, tensor
from utils.checks.ready_made import Objection

DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1}


def case(rng, aspect, size, kernel_size, *, batch=1, channels=(1, 1), bias=None, small=False, needs=(), **settings):
    """A case with random numbers, or with small whole ones that can be followed by hand."""
    draw = (lambda shape: rng.integers(-4, 10, shape).astype("float64")) if small else rng.standard_normal
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    c_in, c_out = channels
    given = {"in_channels": c_in, "out_channels": c_out, "kernel_size": kernel_size}
    given |= {name: settings.pop(name) for name in DEFAULTS if name in settings}
    given |= {"bias": bias, "x": draw((batch, c_in, *size)), "weight": draw((c_out, c_in, kh, kw))}
    if bias is not False:
        # Zero where the bias is not the question, so that one mistake costs one aspect.
        given["bias_values" if bias else "_bias_values"] = draw(c_out) + 1 if bias else draw(c_out) * 0
    if "next_batch" in settings:
        b, h, w = settings.pop("next_batch")
        given["x2"] = draw((b, c_in, h, w))
    return Case(aspect, given | settings, needs, watched=small)


def cases(rng, wide):
    """One or several settings per aspect, heights and widths always different."""

    def ask(aspect, *args, **settings):
        return case(rng, aspect, *args, **settings)

    found = [
        ask("values", (3, 4), 2, small=True),
        ask("values", (5, 7), 3, exact=True),
        ask("values", (6, 5), (2, 3)),
        ask("values", (4, 6), (3, 1)),
        ask("values", (4, 3), (4, 3)),
        ask("values", (6, 4), 3, dtype="float32"),
        ask("stride", (3, 6), 2, stride=2, small=True),
        ask("stride", (7, 9), 3, stride=2),
        ask("stride", (7, 10), 3, stride=3),
        ask("stride", (8, 7), (3, 2), stride=(1, 2)),
        ask("stride", (7, 8), (2, 3), stride=(3, 1)),
        ask("stride", (9, 6), 1, stride=(2, 4), positional=True),
        ask("padding", (2, 3), 2, padding=1, small=True),
        ask("padding", (5, 6), 3, padding=1),
        ask("padding", (6, 4), (3, 2), padding=(2, 1)),
        ask("padding", (4, 7), 3, padding=(0, 2)),
        ask("padding", (5, 4), (2, 3), padding=(1, 0)),
        ask("padding", (3, 5), 5, padding=2),
        ask("padding", (4, 6), (3, 5), padding=3),
        ask("padding", (4, 5), 1, padding=(1, 2)),
        ask("padding", (5, 8), 3, padding=2, stride=2, needs=("stride",)),
        ask("padding", (6, 7), (2, 3), padding=(2, 1), stride=(2, 3), positional=True, needs=("stride",)),
        ask("dilation", (4, 6), 2, dilation=2, small=True),
        ask("dilation", (7, 9), 3, dilation=2),
        ask("dilation", (8, 7), (2, 3), dilation=(3, 1)),
        ask("dilation", (6, 9), (3, 2), dilation=(1, 4)),
        ask("dilation", (9, 10), (3, 2), dilation=(2, 3), stride=(1, 2), padding=(2, 1), needs=("stride", "padding")),
        ask(
            "dilation",
            (8, 11),
            3,
            dilation=(2, 1),
            stride=(2, 3),
            padding=(1, 2),
            positional=True,
            needs=("stride", "padding"),
        ),
        ask("bias", (3, 4), 2, channels=(1, 2), bias=True, small=True),
        ask("bias", (5, 4), 3, channels=(1, 3), bias=True),
        ask("bias", (5, 4), 2, channels=(1, 3), bias=True),  # as many channels as columns
        ask("bias", (4, 5), 2, channels=(1, 3), bias=True),  # as many channels as rows
        ask("bias", (5, 4), 3, channels=(2, 3), bias=True, needs=("channels",)),
        ask(
            "bias",
            (4, 6),
            (2, 3),
            channels=(3, 2),
            bias=True,
            stride=2,
            padding=1,
            needs=("stride", "padding", "channels"),
        ),
        ask("bias", (4, 5), 2, channels=(1, 2), bias=False),
        ask("channels", (3, 2), 2, channels=(2, 1), small=True),
        ask("channels", (4, 5), 3, channels=(3, 2)),
        ask("channels", (5, 4), (2, 3), channels=(2, 4)),
        ask("channels", (4, 6), 2, channels=(3, 3)),
        ask("channels", (5, 3), 1, channels=(4, 2)),
        ask("batch", (2, 3), 2, batch=2, small=True),
        ask("batch", (5, 4), 3, batch=3, channels=(2, 3), needs=("channels",)),
        ask("batch", (4, 7), (2, 3), batch=2, next_batch=(4, 6, 5)),
        ask("batch", (5, 6), (2, 3), batch=2, layout="columns first"),
        ask(
            "batch",
            (6, 5),
            2,
            batch=4,
            channels=(1, 2),
            stride=2,
            padding=1,
            next_batch=(1, 3, 4),
            needs=("stride", "padding"),
        ),
        ask("gradients", (3, 4), 2, bias=True, gradients=True, small=True),
        ask("gradients", (4, 5), 2, channels=(2, 3), bias=True, gradients=True, needs=("channels",)),
        ask(
            "gradients",
            (6, 7),
            (3, 2),
            batch=2,
            bias=True,
            gradients=True,
            stride=(2, 1),
            padding=(1, 2),
            needs=("batch", "stride", "padding"),
        ),
        ask(
            "gradients",
            (7, 6),
            2,
            batch=2,
            channels=(2, 2),
            bias=True,
            gradients=True,
            dilation=(3, 2),
            needs=("batch", "channels", "dilation"),
        ),
    ]
    return found + [surprise(rng) for _ in range(12)] if wide else found


def surprise(rng):
    """A case with everything drawn, for grading."""

    def pair(low, high):
        return tuple(int(v) for v in rng.integers(low, high, 2))

    kernel, stride, padding, dilation = pair(1, 4), pair(1, 4), pair(0, 3), pair(1, 4)
    span = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = tuple(max(s - 2 * p, 1) + int(rng.integers(0, 4)) for s, p in zip(span, padding, strict=True))
    return case(
        rng,
        "dilation",
        size,
        kernel,
        batch=int(rng.integers(1, 3)),
        channels=pair(1, 3),
        stride=stride,
        padding=padding,
        dilation=dilation,
        needs=("stride", "padding", "channels", "batch"),
    )


def run(target, given):
    """Build the learner's layer, give it the case's weights, and ask it."""
    settings = {name: given.get(name, default) for name, default in DEFAULTS.items()}
    first = (given["in_channels"], given["out_channels"], given["kernel_size"])
    if given.get("positional"):
        layer = build(target, "Conv2D", *first, *settings.values())
    else:
        named = {name: given[name] for name in DEFAULTS if name in given}
        if given["bias"] is not None:
            named["bias"] = given["bias"]
        layer = build(target, "Conv2D", *first, **named)
    dtype = getattr(torch, given.get("dtype", "float64"))
    if dtype != torch.get_default_dtype():  # otherwise the layer is to be fit for use as it is made
        layer = layer.to(dtype)
    fill(layer, given)  # after the conversion, so that no digit of the weights is lost
    return ask_layer(layer, given)


def fill(layer, given):
    """Copy the case's weight and bias into the layer, which has to hold them as nn.Conv2d does."""
    copy_into(layer, "weight", given["weight"])
    if given["bias"] is not False:
        copy_into(layer, "bias", given["bias_values" if given["bias"] else "_bias_values"])
    elif getattr(layer, "bias", None) is not None:
        raise Objection("interface", "with bias=False the layer still has a bias; set self.bias = None.")


def copy_into(layer, name, values):
    held = getattr(layer, name, None)
    if held is None:
        raise Objection("interface", f"the layer has no `{name}`: make it in __init__ as self.{name}.")
    if not isinstance(held, nn.Parameter):
        raise Objection(
            "interface",
            f"`{name}` is a {type(held).__name__}, no nn.Parameter: no optimiser would find it, nor .to(), nor a "
            "checkpoint.",
        )
    if tuple(held.shape) != values.shape:
        raise Objection("interface", f"`{name}` has shape {tuple(held.shape)}; nn.Conv2d's has {values.shape}.")
    with torch.no_grad():
        held.copy_(tensor(values))


QUESTIONS = {
    "conv2d": Question(
        name="conv2d",
        aspects={
            "values": 2,
            "stride": 1,
            "padding": 1,
            "dilation": 1,
            "bias": 1,
            "channels": 1,
            "batch": 1,
            "gradients": 2,
        },
        tests={
            "values": "kernels of 1×1 to 4×3, odd and even, square and oblong; double and single precision",
            "stride": "1 to 4, different for height and width, with rows and columns left over",
            "padding": "0 to 3, different for height and width, also with stride",
            "dilation": "1 to 4, different for height and width, also with stride and padding",
            "bias": "one per output channel; bias=False",
            "channels": "1 to 4 in, 1 to 4 out",
            "batch": "1 to 4 pictures, another size through the same layer, pictures stored column by column",
            "gradients": "for input, weight and bias",
        },
        cases=cases,
        run=run,
        signature="class Conv2D(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True)",
        from_scratch=True,
    ),
}
