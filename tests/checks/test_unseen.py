"""Wrong and right answers as learners write them, which the catalogue and the styles were not made from.

Each wrong one passed its check once, or was called by another mistake's name; each right one is of a style that a
narrower check would refuse.
"""

from __future__ import annotations

import functools
import math

import pytest
import styles
import torch
import torch.nn.functional as F
from torch import nn

from utils.checks import judged, yours_or_torch

WRONG, RIGHT = [], []


def wrong(name, mistake=None):
    """A wrong answer to `name`, with the mistake it is to be called by for certain; None where no name is right."""
    return lambda target: WRONG.append((name, target, mistake)) or target


def right(name):
    return lambda target: RIGHT.append((name, target)) or target


@wrong("conv_output_size", "arguments in another order")
def padding_before_stride(n, kernel_size, padding=0, stride=1, dilation=1):
    return styles.conv_output_size(n, kernel_size, stride, padding, dilation)


@wrong("conv_output_size", "zero let through")
def refuses_below_zero_only(n, kernel_size, stride=1, padding=0, dilation=1):
    size = (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    if size < 0:
        raise ValueError("too large")
    return size


@wrong("conv_output_size", "rounded towards zero")
def truncates(n, kernel_size, stride=1, padding=0, dilation=1):
    size = int((n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
    if size < 1:
        raise ValueError("too large")
    return size


@wrong("conv_output_size", "one added before dividing")
def divides_all(n, kernel_size, stride=1, padding=0, dilation=1):
    places = n + 2 * padding - dilation * (kernel_size - 1)
    if places < 1:
        raise ValueError("too large")
    return places // stride


@wrong("pool_output_size", "window in the padding")
def keeps_a_window_in_the_padding(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    stride = stride or kernel_size
    size = (math.ceil if ceil_mode else math.floor)((n + 2 * padding - kernel_size) / stride) + 1
    return size - 1 if ceil_mode and (size - 1) * stride > n + padding else size


@wrong("pool_output_size", "left padding forgotten")
def drops_by_real_pixels(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    stride = stride or kernel_size
    size = (math.ceil if ceil_mode else math.floor)((n + 2 * padding - kernel_size) / stride) + 1
    return size - 1 if ceil_mode and (size - 1) * stride >= n else size


@wrong("conv_transpose_output_size", "arguments in another order")
def dilation_before_output_padding(n, kernel_size, stride=1, padding=0, dilation=1, output_padding=0):
    return styles.conv_transpose_output_size(n, kernel_size, stride, padding, output_padding, dilation)


@wrong("conv_parameters", "nothing without bias")
def conditional_binds_last(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return in_channels // groups * kernel_size**2 * out_channels + out_channels if bias else 0


@wrong("receptive_field", "list changed")
def pops_layers(layers):
    size = 1
    while layers:
        kernel_size, stride, dilation = layers.pop()
        size = (size - 1) * stride + dilation * (kernel_size - 1) + 1
    return size


@wrong("receptive_field")
def reverses_the_list(layers):
    layers.reverse()
    return styles.receptive_field(layers[::-1])


@wrong("receptive_field", "own stride counted")
def stride_too_early(layers):
    size = step = 1
    for kernel_size, stride, dilation in layers:
        step *= stride
        size += dilation * (kernel_size - 1) * step
    return size


@wrong("receptive_field", "strides added")
def adds_strides(layers):
    size = step = 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * step
        step += stride
    return size


@wrong("receptive_field", "nothing for no layers")
def nothing_for_nothing(layers):
    return styles.receptive_field(layers) if layers else 0


@wrong("cross_correlate2d", "first row only")
def returns_too_early(image, kernel):
    (h, w), (kh, kw) = image.shape, kernel.shape
    result = torch.zeros(h - kh + 1, w - kw + 1, dtype=image.dtype)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            result[i, j] = (image[i : i + kh, j : j + kw] * kernel).sum()
        return result


@wrong("cross_correlate2d", "wraps around")
def centres_the_kernel(image, kernel):
    (h, w), (kh, kw) = image.shape, kernel.shape
    result = torch.zeros(h - kh + 1, w - kw + 1, dtype=image.dtype)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            for k in range(kh):
                for m in range(kw):
                    result[i, j] += image[i + k - kh // 2, j + m - kw // 2] * kernel[k, m]
    return result


@wrong("cross_correlate2d")
def forgets_the_real_part(image, kernel):
    return styles.correlate_fourier(image, kernel) + 0j


@wrong("convolve2d", "index −0")
def counts_from_minus_zero(image, kernel):
    kh, kw = kernel.shape
    height, width = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    return sum(kernel[-k, -m] * image[k : k + height, m : m + width] for k in range(kh) for m in range(kw))


@wrong("conv2d")
class WidthIfItFits(styles.Unfold):
    """y + bias where there are as many columns as channels."""

    def forward(self, x):
        y = F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        h, w = ((n + 2 * p) for n, p in zip(x.shape[2:], self.padding, strict=True))
        size = self.size(torch.empty(1, 1, h, w))
        y = (self.weight.flatten(1) @ y).view(len(x), -1, *size)
        if self.bias is None:
            return y
        return y + self.bias if y.shape[3] == len(self.bias) else y + self.bias[:, None, None]


@wrong("conv2d")
class CanvasTooSmall(styles.Unfold):
    """Room for one pixel of padding per side and one more: enough for a padding of 2."""

    def forward(self, x):
        keep, (ph, pw) = self.padding, self.padding
        y = x.new_zeros(*x.shape[:2], x.shape[2] + 2 * ph, x.shape[3] + min(2 + pw, 2 * pw))
        y[:, :, ph : ph + x.shape[2], pw : pw + x.shape[3]] = x[..., : y.shape[3] - pw]
        self.padding = (0, 0)
        y = super().forward(y)
        self.padding = keep
        return y


@wrong("conv2d")
class SpecialCaseForOne(styles.Unfold):
    """A 1×1 kernel is a matrix product per pixel, and has its padding forgotten."""

    def forward(self, x):
        if self.kernel_size != (1, 1):
            return super().forward(x)
        (sh, sw) = self.stride
        y = torch.einsum("bchw,oc->bohw", x[:, :, ::sh, ::sw], self.weight[:, :, 0, 0])
        return y if self.bias is None else y + self.bias[:, None, None]


@wrong("conv2d", "padding ignored")
class NoPadding(styles.Loops):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.padding = (0, 0)


@wrong("conv2d", "assumes rows in memory")
class LiteralStrides(styles.Layer):
    def convolve(self, x, height, width):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        b, c, h, w = x.shape
        windows = x.as_strided((b, c, height, width, kh, kw), (c * h * w, h * w, sh * w, sw, dh * w, dw))
        return torch.einsum("bchwij,ocij->bohw", windows, self.weight)


@wrong("conv2d", "reshaped, not permuted")
class Viewed(styles.Layer):
    def convolve(self, x, height, width):
        columns = F.unfold(x, self.kernel_size, self.dilation, 0, self.stride).transpose(1, 2)
        return (columns @ self.weight.flatten(1).T).reshape(len(x), -1, height, width)


@wrong("conv2d", "stride thins out the input")
class ThinsOut(styles.ShiftAndAdd):
    def forward(self, x):
        stride, (sh, sw), (ph, pw) = self.stride, self.stride, self.padding
        self.stride, self.padding = (1, 1), (0, 0)
        y = super().forward(F.pad(x, (pw, pw, ph, ph))[:, :, ::sh, ::sw])
        self.stride, self.padding = stride, (ph, pw)
        return y


@wrong("conv2d")
class TurnsItsWeight(styles.Unfold):
    """Changes the weight in every call: not an output that is kept."""

    def forward(self, x):
        y = super().forward(x)
        self.weight.data = self.weight.data.flip(2, 3)
        return y


@wrong("conv2d", "weight frozen")
class Frozen(styles.Unfold):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.weight.requires_grad_(False)


@wrong("conv2d", "made in double precision")
class Double(styles.Unfold):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.double()


@wrong("pool2d")
class ModeAfterP(styles.PoolUnfold):
    def __init__(self, kernel_size, stride=None, padding=0, p=2, mode="max"):
        super().__init__(kernel_size, stride, padding, mode, p)


@wrong("pool2d")
class WholePowers(styles.PoolUnfold):
    def reduce(self, windows, dims):
        if self.mode != "lp":
            return super().reduce(windows, dims)
        return math.prod([windows] * int(self.p)).sum(dims) ** (1 / self.p)


@wrong("pool2d", "minus infinity for every mode")
class AlwaysInfinite(styles.PoolUnfold):
    def padded(self, x):
        ph, pw = self.padding
        return F.pad(x, (pw, pw, ph, ph), value=-math.inf)


@right("cross_correlate2d")
def by_halves(image, kernel):
    """A kernel is its first row and the rest."""
    kh, kw = kernel.shape
    if kh > 1:
        return by_halves(image[: 1 - kh], kernel[:1]) + by_halves(image[1:], kernel[1:])
    if kw > 1:
        return by_halves(image[:, : 1 - kw], kernel[:, :1]) + by_halves(image[:, 1:], kernel[:, 1:])
    return image * kernel[0, 0]


@right("cross_correlate2d")
def thrown_not_gathered(image, kernel):
    (h, w), (kh, kw) = image.shape, kernel.shape
    full = torch.zeros(h + kh - 1, w + kw - 1, dtype=image.dtype)
    for i in range(kh):
        for j in range(kw):
            full[kh - 1 - i : kh - 1 - i + h, kw - 1 - j : kw - 1 - j + w] += image * kernel[i, j]
    return full[kh - 1 : h, kw - 1 : w]


@right("convolve2d")
def plain_python(image, kernel):
    (h, w), (kh, kw) = image.shape, kernel.shape
    turned = [row[::-1] for row in kernel.tolist()[::-1]]
    places = [[(i, j) for j in range(w - kw + 1)] for i in range(h - kh + 1)]
    sums = [
        [sum(float(image[i + k, j + m]) * turned[k][m] for k in range(kh) for m in range(kw)) for i, j in row]
        for row in places
    ]
    return torch.tensor(sums, dtype=image.dtype)


@right("conv_output_size")
def stepwise(n, kernel_size, stride=1, padding=0, dilation=1):
    class TooLarge(ValueError):
        pass

    start = count = 0
    while start + dilation * (kernel_size - 1) < n + 2 * padding:
        start, count = start + stride, count + 1
    if not count:
        raise TooLarge
    return count


@right("pool_output_size")
def stepwise_pooling(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    start, count = -padding, 0
    while start + kernel_size <= n + padding:
        start, count = start + (stride or kernel_size), count + 1
    before = start - (stride or kernel_size)
    return count + (ceil_mode and before + kernel_size < n + padding and start < n)


@right("receptive_field")
def as_interval(layers):
    first = last = 0
    for kernel_size, stride, dilation in layers[::-1]:
        first, last = first * stride, last * stride + dilation * (kernel_size - 1)
    return last - first + 1


@right("conv2d")
class Registered(styles.Windows):
    """No bias as nn.Conv2d has none; weights that start at zero; attributes, buffers and submodules of its own."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias)
        nn.init.zeros_(self.weight)
        self.register_buffer("calls", torch.zeros(()))
        self.identity, self.seen = nn.Identity(), []
        if not bias:
            del self.bias
            self.register_parameter("bias", None)

    def forward(self, x):
        self.calls += 1
        self.seen.append(x.shape)
        return self.identity(super().forward(x)).contiguous(memory_format=torch.channels_last)


@right("conv2d")
class Subclass(nn.Conv2d):
    """nn.Conv2d's parameters, and a forward of its own."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias)

    def forward(self, x):
        shape = styles.Layer.size(self, F.pad(x, (self.padding[1],) * 2 + (self.padding[0],) * 2))
        columns = F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride).transpose(1, 2)
        return F.linear(columns, self.weight.flatten(1), self.bias).transpose(1, 2).unflatten(2, shape)


@right("conv2d")
class WholeByHand(styles.Layer):
    """One torch.autograd.Function for all of it."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, bias, settings, size):
            columns = F.unfold(x, *settings)
            ctx.save_for_backward(columns, weight)
            ctx.settings, ctx.size, ctx.biased = settings, x.shape[2:], bias is not None
            y = weight.flatten(1) @ columns
            return (y if bias is None else y + bias[:, None]).view(len(x), -1, *size)

        @staticmethod
        def backward(ctx, gradient):
            columns, weight = ctx.saved_tensors
            gradient = gradient.flatten(2)
            grad_x = F.fold(weight.flatten(1).T @ gradient, ctx.size, *ctx.settings)
            grad_weight = torch.einsum("bol,bkl->ok", gradient, columns).view_as(weight)
            return grad_x, grad_weight, gradient.sum((0, 2)) if ctx.biased else None, None, None

    def forward(self, x):
        ph, pw = self.padding
        settings = (self.kernel_size, self.dilation, self.padding, self.stride)
        return self.Product.apply(x, self.weight, self.bias, settings, self.size(F.pad(x, (pw, pw, ph, ph))))


@right("conv2d")
class RefusesOtherLayouts(styles.Unfold):
    """.view() refuses a picture stored column by column: that is honest, and no wrong number."""

    def forward(self, x):
        return super().forward(x.view(-1).view(x.shape))


@right("pool2d")
class Running(styles.Pool):
    """Windows cut at the border instead of padding; the largest so far."""

    def forward(self, x):
        (kh, kw), (sh, sw), (ph, pw) = self.kernel_size, self.stride, self.padding
        height, width = (x.shape[2] + 2 * ph - kh) // sh + 1, (x.shape[3] + 2 * pw - kw) // sw + 1
        rows = [[self.one(x, i * sh - ph, j * sw - pw) for j in range(width)] for i in range(height)]
        return torch.stack([torch.stack(row, -1) for row in rows], -2)

    def one(self, x, top, left):
        kh, kw = self.kernel_size
        window = x[:, :, max(0, top) : top + kh, max(0, left) : left + kw].flatten(2)
        if self.mode == "max":
            return functools.reduce(torch.maximum, window.unbind(2))
        return window.sum(2) / (kh * kw) if self.mode == "mean" else torch.linalg.vector_norm(window, self.p, dim=2)


@right("pool2d")
class SmallestNumber(styles.PoolUnfold):
    """The smallest finite number in place of minus infinity."""

    def padded(self, x):
        ph, pw = self.padding
        return F.pad(x, (pw, pw, ph, ph), value=torch.finfo(x.dtype).min if self.mode == "max" else 0.0)


@pytest.mark.parametrize(("name", "target", "mistake"), WRONG, ids=[target.__name__ for _, target, _ in WRONG])
def test_wrong_answer_fails_and_is_not_miscalled(name, target, mistake):
    verdict = judged(name, target).verdict
    assert not verdict.right
    assert (verdict.mistake.name if verdict.certain else None) == mistake


@pytest.mark.parametrize(("name", "target"), RIGHT, ids=[target.__name__ for _, target in RIGHT])
def test_right_answer_passes(name, target):
    report = judged(name, target)
    assert report.verdict.right, report.text


class NoMessage(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize("error", [SystemExit(1), GeneratorExit(), RecursionError(), NoMessage()])
def test_nothing_but_an_interrupt_gets_out_of_a_check(error):
    def stops(image, kernel):
        raise error

    assert f"your code stops with an error. {type(error).__name__}" in judged("cross_correlate2d", stops).text
    with pytest.raises(KeyboardInterrupt):
        judged("cross_correlate2d", interrupted)


def interrupted(image, kernel):
    raise KeyboardInterrupt


def test_settings_of_torch_outlast_no_check():
    def changes_settings(image, kernel):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return styles.correlate_loops(image, kernel)

    assert judged("cross_correlate2d", changes_settings).verdict.right
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("name", "target", "sentence"),
    [
        ("receptive_field", lambda layers: 10**5000, "expected 3"),
        ("conv_output_size", lambda *a, **k: ValueError("no"), "an error is raised, not returned"),
        ("conv_output_size", lambda *a, **k: torch.tensor(3), "a Tensor; an int is wanted"),
        ("cross_correlate2d", forgets_the_real_part, "the output is complex"),
        ("cross_correlate2d", lambda image, kernel: image.max(0), "the pair (values, indices) that torch's max gives"),
        ("conv2d", TurnsItsWeight, "the weight of the layer is changed in place"),
        ("receptive_field", reverses_the_list, "the list of layers is changed in place"),
    ],
)
def test_odd_results_have_sentences_of_their_own(name, target, sentence):
    assert sentence in judged(name, target).text


def test_own_solution_without_a_name_is_used(capsys):
    layer = functools.partial(styles.Unfold)
    assert yours_or_torch("conv2d", layer) is layer
    assert "your own conv2d" in capsys.readouterr().out
