"""Chapter 02's self-checked exercises, worth no points: the slide's bias, a dense layer, im2col, the backward pass."""

import torch
import torch.nn.functional as F
from torch.autograd.gradcheck import GradcheckError

from utils.checks.question import Case, Objection, Question, as_array, as_int, untouched


def bias_cases(rng, wide):
    sizes = [(1, 3, 3, 2), (3, 5, 5, 3), (2, 4, 6, 3), (3, 4, 4, 1), *([(4, 7, 5, 2)] * 5 if wide else [])]
    cases = []
    biases = (2.0, 1.0, -3.0, 0.0, 0.5, 4.0, -1.0, 2.5, 7.0)
    for (C, H, W, k), bias in zip(sizes, biases, strict=False):
        x = torch.tensor(rng.integers(0, 3, (C, H, W)), dtype=torch.float64)
        kernel = torch.tensor(rng.integers(-1, 2, (C, k, k)), dtype=torch.float64)
        printed = F.conv2d(x[None], kernel[None])[0, 0] + bias
        cases.append(Case("values", {"x": x.numpy(), "kernel": kernel.numpy(), "printed": printed.numpy()}))
    return cases


def run_bias(target, given):
    result = target(*(torch.tensor(given[name]) for name in ("x", "kernel", "printed")))
    if isinstance(result, float | int) and not isinstance(result, bool):
        result = torch.tensor(float(result), dtype=torch.float64)
    array = as_array(result, "the result")
    if array.size != 1:
        raise Objection("interface", f"the result holds {array.size} numbers; one bias serves the whole output map.")
    return {"bias": array.reshape(()).astype("float64")}


def dense_cases(rng, wide):
    grey = [((1, 5, 5), (1, 3, 3)), ((1, 5, 5), (1, 5, 5)), ((1, 2, 3), (1, 4, 1))]
    cases = [Case("one channel", {"in_shape": a, "out_shape": b}) for a, b in grey]
    shapes = [((3, 32, 32), (10, 32, 32)), ((64, 7, 7), (10, 1, 1)), ((2, 3, 4), (5, 1, 2))]
    for _ in range(20 if wide else 3):
        shapes.append(tuple(tuple(int(n) for n in rng.integers(1, 9, 3)) for _ in range(2)))
    return cases + [Case("several channels", {"in_shape": a, "out_shape": b}) for a, b in shapes]


def run_dense(target, given):
    return {"size": as_int(target(given["in_shape"], given["out_shape"]), "the result")}


def im2col_cases(rng, wide):
    given = {"x": rng.integers(0, 10, (1, 1, 3, 3)).astype("float64"), "kernel_size": 2}
    cases = [Case("one image, one channel", given)]
    for H, W, k in [(4, 6, 3), (5, 3, 1), (3, 4, 3)]:
        cases.append(Case("one image, one channel", {"x": rng.standard_normal((1, 1, H, W)), "kernel_size": k}))
    sizes = [(1, 3, 4, 5, 2), (2, 2, 5, 4, 3), (3, 1, 3, 6, 2), *([(4, 3, 9, 7, 4)] if wide else [])]
    for B, C, H, W, k in sizes:
        cases.append(Case("channels and batch", {"x": rng.standard_normal((B, C, H, W)), "kernel_size": k}))
    return cases


def run_im2col(target, given):
    x = torch.tensor(given["x"])
    with untouched(x=x):
        result = target(x, given["kernel_size"])
    return {"y": as_array(result, "the result")}


def backward_cases(rng, wide):
    cases = []
    sizes = [
        (1, 1, 3, 4, 1, 2, 2),
        (1, 1, 5, 3, 1, 3, 1),
        (1, 2, 4, 5, 3, 2, 3),
        (3, 2, 5, 4, 2, 3, 2),
        (2, 3, 3, 3, 1, 3, 3),
    ]
    for B, C, H, W, O, kh, kw in sizes + ([(4, 3, 8, 7, 5, 2, 4)] if wide else []):
        grad_y, x, weight = (
            rng.standard_normal(shape) for shape in ((B, O, H - kh + 1, W - kw + 1), (B, C, H, W), (O, C, kh, kw))
        )
        for aspect in ("grad_x", "grad_weight", "grad_bias"):
            cases.append(Case(aspect, {"grad_y": grad_y, "x": x, "weight": weight, "_part": aspect}))
    return [*cases, Case("gradcheck", {**cases[6].given, "_part": "gradcheck"})]


def run_backward(target, given):
    """One of the three gradients, so that each is judged alone; or torch's own gradcheck on all three."""
    part = given.pop("_part")
    grad_y, x, weight = (torch.tensor(given[name]) for name in ("grad_y", "x", "weight"))
    if part == "gradcheck":
        return {"gradcheck": as_array(torch.tensor(passes_gradcheck(target, x, weight)), "gradcheck")}
    with untouched(grad_y=grad_y, x=x, weight=weight):
        result = target(grad_y, x, weight)
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise Objection("interface", "three gradients are wanted, in this order: grad_x, grad_weight, grad_bias.")
    return {part: as_array(result[("grad_x", "grad_weight", "grad_bias").index(part)], part)}


def passes_gradcheck(target, x, weight) -> bool:
    """Whether the gradients agree with tiny steps in every number (`torch.autograd.gradcheck`)."""

    class Convolution(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, bias):
            ctx.save_for_backward(x, weight)
            return F.conv2d(x, weight, bias)

        @staticmethod
        def backward(ctx, grad_y):
            return tuple(target(grad_y, *ctx.saved_tensors))

    inputs = [tensor.clone().requires_grad_() for tensor in (x, weight, torch.zeros(len(weight), dtype=x.dtype))]
    try:
        return bool(torch.autograd.gradcheck(Convolution.apply, inputs))
    except GradcheckError:
        return False


QUESTIONS = {
    "slide_bias": Question(
        name="slide_bias",
        aspects={"values": 0},
        tests={"values": "one to three channels, positive and negative biases, and none"},
        cases=bias_cases,
        run=run_bias,
        signature="slide_bias(x, kernel, printed), the one number that turns the bare convolution into the printed map",
    ),
    "fully_connected_parameters": Question(
        name="fully_connected_parameters",
        aspects={"one channel": 0, "several channels": 0},
        tests={"one channel": "grey images, as in the lecture", "several channels": "volumes with channels"},
        cases=dense_cases,
        run=run_dense,
        signature="fully_connected_parameters(in_shape, out_shape) -> int, with shapes (C, H, W)",
    ),
    "im2col": Question(
        name="im2col",
        aspects={"one image, one channel": 0, "channels and batch": 0},
        tests={
            "one image, one channel": "windows of 1 to 3 on oblong images",
            "channels and batch": "one to three channels, one to three images",
        },
        cases=im2col_cases,
        run=run_im2col,
        signature="im2col(x, kernel_size), from (B, C, H, W) to (B, C·k·k, windows)",
    ),
    "conv2d_backward": Question(
        name="conv2d_backward",
        aspects={"grad_bias": 0, "grad_weight": 0, "grad_x": 0, "gradcheck": 0},
        tests={
            "grad_bias": "batches of one to three, one to three filters",
            "grad_weight": "wide and tall kernels, several channels and filters",
            "grad_x": "wide and tall kernels, several channels and filters",
            "gradcheck": "all three against tiny steps in every number (torch.autograd.gradcheck)",
        },
        cases=backward_cases,
        run=run_backward,
        signature="conv2d_backward(grad_y, x, weight) -> grad_x, grad_weight, grad_bias",
    ),
}
