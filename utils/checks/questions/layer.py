"""Asking a layer: the part that the questions about Conv2D and Pool2d have in common."""

import numpy as np
import torch
from torch import nn

from utils.checks.question import as_array, kind_of, untouched
from utils.checks.ready_made import Objection


def tensor(array, dtype="float64"):
    return torch.tensor(array, dtype=getattr(torch, dtype))


def ask_layer(layer, given):
    """What a layer makes of `given["x"]`: the output, its dtype, and on request gradients and a second batch.

    Parameters
    ----------
    layer : nn.Module
    given : dict
        "x" : (B, C, H, W) array. "x2" : optional second batch of another size. "gradients" : whether to ask for them.
        "exact" : whether the dtype counts, and every digit. "dtype" : name of the dtype to compute in.
        "layout" : "columns first" for an x that lies so in memory.
    """
    dtype = given.get("dtype", "float64")
    x = tensor(given["x"], dtype)
    if given.get("gradients"):
        return ask_gradients(layer, x.requires_grad_())
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    with untouched(input=x):
        y = output_of(layer, x, given.get("layout"))
    for name, p in layer.named_parameters():
        if name in before and not torch.equal(p, before[name]):
            raise Objection("input changed", f"the {name} of the layer")
    arrays = {"y": as_array(y, "the output")}
    if "exact" in given or "dtype" in given:
        arrays["dtype"] = np.array(str(y.dtype))
    if "x2" in given:
        again = output(layer, x)
        if again.shape != y.shape or not np.allclose(
            as_array(again, "y"), arrays["y"], rtol=1e-5, atol=1e-6, equal_nan=True
        ):
            raise Objection(
                "not repeatable",
                "asked twice with the same input, the layer answers differently: it keeps something from one call to "
                "the next, or draws random numbers.",
            )
        arrays["y2"] = as_array(output(layer, tensor(given["x2"], dtype)), "the output")
    return arrays


def output_of(layer, x, layout):
    """`layer(x)`, also for an x whose columns, not rows, lie together in memory, as after .permute() or .transpose().

    Wrong numbers are wrong then; to refuse such an x, as .view() does, is honest, and the layer is asked the usual way.
    """
    if layout != "columns first":
        return output(layer, x)
    try:
        return output(layer, x.transpose(2, 3).contiguous().transpose(2, 3))
    except RuntimeError as error:
        if "view" not in str(error):
            raise
        return output(layer, x)


def output(layer, x):
    """`layer(x)`, which has to be a tensor."""
    y = layer(x)
    if y is None:
        raise Objection("nothing", "forward gives None")
    if not isinstance(y, torch.Tensor):
        raise Objection("not a tensor", f"forward gives {kind_of(y)}")
    return y


def ask_gradients(layer, x):
    """The gradients of a weighted sum of the output, for the input and every parameter."""
    y = output(layer, x)
    sources = {"x": x, **{name: getattr(layer, name) for name in ("weight", "bias") if is_parameter(layer, name)}}
    frozen = [READERS_NAME[name] for name, source in sources.items() if not source.requires_grad]
    if frozen:
        raise Objection("interface", f"{' and '.join(frozen)} cannot learn: requires_grad is False.")
    if not y.requires_grad:
        raise Objection("detached", " or ".join(READERS_NAME[name] for name in sources))
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    gradients = torch.autograd.grad(y, list(sources.values()), weights, allow_unused=True)
    lost = [READERS_NAME[name] for name, gradient in zip(sources, gradients, strict=True) if gradient is None]
    if lost:
        raise Objection("detached", " or ".join(lost))
    return {f"grad_{name}": g.detach().numpy() for name, g in zip(sources, gradients, strict=True)}


READERS_NAME = {"x": "the input", "weight": "the weight", "bias": "the bias"}


def is_parameter(layer, name):
    return isinstance(getattr(layer, name, None), nn.Parameter)


def build(target, name, *args, **kwargs):
    """An instance of the learner's class, which has to be an nn.Module."""
    layer = target(*args, **kwargs)
    if not isinstance(layer, nn.Module):
        raise Objection(
            "interface", f"{name} is no nn.Module: derive the class from nn.Module and call super().__init__() first."
        )
    return layer
