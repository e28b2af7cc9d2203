"""What torch's poolings say, and the ways in which a hand-written one goes wrong."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks.answer import Answer, Mistake


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def torch_says(x, kernel_size, stride, padding, mode, p):
    """torch's own pooling, of the kind that `mode` names."""
    if mode == "max":
        return F.max_pool2d(x, kernel_size, stride, padding)
    if mode == "mean":
        return F.avg_pool2d(x, kernel_size, stride, padding)
    if mode == "lp":
        ph, pw = pair(padding)
        return F.lp_pool2d(F.pad(x, (pw, pw, ph, ph)), float(p), kernel_size, stride)
    raise ValueError(f"mode is {mode!r}; it is to be 'max', 'mean' or 'lp'")


def bent(forward=torch_says, *, change=lambda given: {}, default=lambda kernel_size: kernel_size):
    """A pooling with other settings (`change`), another `forward`, or another `default` stride."""

    class Bent(nn.Module):
        def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
            super().__init__()
            stride = default(pair(kernel_size)) if stride is None else stride
            given = {"kernel_size": pair(kernel_size), "stride": pair(stride), "padding": pair(padding)}
            given |= {"mode": mode, "p": p}
            self.given = given | change(given)

        def forward(self, x):
            return forward(x, **self.given)

    return Bent


def result(change):
    """torch's pooling with its output changed: `change(y, x, **settings)`."""
    return bent(lambda x, **given: change(torch_says(x, **given), x, **given))


def only(mode, forward):
    """`forward` for one mode, torch for the others."""
    return bent(lambda x, **given: forward(x, **given) if given["mode"] == mode else torch_says(x, **given))


def padded_max(value):
    """The maximum over a border of `value` where there should be nothing to see."""

    def forward(x, kernel_size, stride, padding, **_):
        ph, pw = padding
        return F.max_pool2d(F.pad(x, (pw, pw, ph, ph), value=value), kernel_size, stride)

    return only("max", forward)


def mean_of_pixels(x, kernel_size, stride, padding, **_):
    return F.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=False)


def one_sided(x, kernel_size, stride, padding, mode, p):
    ph, pw = padding
    border = F.pad(x, (pw, 0, ph, 0), value=-torch.inf if mode == "max" else 0.0)
    return torch_says(border, kernel_size, stride, 0, mode, p)


def swapped_padding(x, kernel_size, stride, padding, mode, p):
    pw, ph = padding
    border = F.pad(x, (pw, pw, ph, ph), value=-torch.inf if mode == "max" else 0.0)
    return torch_says(border, kernel_size, stride, 0, mode, p)


def infinite_border(x, kernel_size, stride, padding, mode, p):
    """Minus infinity around the picture, whatever the mode."""
    ph, pw = padding
    return torch_says(F.pad(x, (pw, pw, ph, ph), value=-torch.inf), kernel_size, stride, 0, mode, p)


def norm(change):
    """The p-norm pooling with one step changed."""
    return only("lp", change)


def mean_power(x, kernel_size, stride, padding, p, **_):
    return torch_says(x, kernel_size, stride, padding, "lp", p) / (kernel_size[0] * kernel_size[1]) ** (1 / p)


def power_sum(x, kernel_size, stride, padding, p, **_):
    return torch_says(x, kernel_size, stride, padding, "lp", p) ** p


def root_two(x, kernel_size, stride, padding, p, **_):
    return torch_says(x, kernel_size, stride, padding, "lp", p) ** (p / 2)


def rounded_up(x, kernel_size, stride, padding, mode, p):
    (ph, pw), (sh, sw) = padding, stride
    border = F.pad(x, (pw, pw + sw - 1, ph, ph + sh - 1), value=-torch.inf if mode == "max" else 0.0)
    return torch_says(border, kernel_size, stride, 0, mode, p)


def over_channels(y, x, **_):
    return y.amax(1, keepdim=True).expand_as(y)


def single_batch(x, **given):
    if len(x) > 1:
        raise RuntimeError("shape mismatch")
    return torch_says(x, **given)


def cropped(y, x, **_):
    return y[:, :, : max(y.shape[2] - 1, 0), : max(y.shape[3] - 1, 0)]


def last_left_empty(y, x, **_):
    y = y.clone()
    y[:, :, -1], y[:, :, :, -1] = 0, 0
    return y


def changes_input(x, **given):
    y = torch_says(x, **given)
    with torch.no_grad():
        x.mul_(0)
    return y


def dense_reading(x, **given):
    height, width = torch_says(x, **given).shape[2:]
    return torch_says(x, **{**given, "stride": 1})[:, :, :height, :width]


def spread_gradient(x, kernel_size, stride, padding, **_):
    """The right maximum, with the gradient of the mean."""
    y = torch_says(x, kernel_size, stride, padding, "max", 2)
    mean = F.avg_pool2d(x, kernel_size, stride, padding)
    return mean + (y - mean).detach()


POOL2D = (
    Mistake(
        "mean instead of maximum",
        'mode="max" gives the mean.',
        "what is the largest of four numbers?",
        "look at how mode is told apart.",
        bent(change=lambda g: {"mode": "mean" if g["mode"] == "max" else g["mode"]}),
    ),
    Mistake(
        "maximum for the mean",
        'mode="mean" gives the maximum.',
        "which branch does mode=“mean” take?",
        "look at how mode is told apart.",
        bent(change=lambda g: {"mode": "max" if g["mode"] == "mean" else g["mode"]}),
    ),
    Mistake(
        "mode ignored",
        "mode is ignored: every mode gives the maximum.",
        "where does forward look at self.mode?",
        "three modes, three ways to make one number of a window.",
        bent(change=lambda g: {"mode": "max"}),
    ),
    Mistake(
        "minimum",
        'mode="max" gives the minimum.',
        "what is the largest of four numbers?",
        "watch the sign, and what a search for the largest starts from.",
        only("max", lambda x, **g: -torch_says(-x, **g)),
    ),
    Mistake(
        "maximum starts at zero",
        "where all numbers are negative your maximum is 0: the search starts at zero, or zeros were added.",
        "what is the largest of −3 and −5?",
        "start from minus infinity, or from the first number of the window.",
        only("max", lambda x, **g: torch_says(x, **g).relu()),
    ),
    Mistake(
        "largest magnitude",
        "the number of largest magnitude is taken; the maximum heeds the sign.",
        "what is the largest of −3 and 1?",
        "compare the numbers themselves.",
        only("max", lambda x, **g: torch_says(x.abs(), **g)),
    ),
    Mistake(
        "sum instead of mean",
        "the mean is not divided by the number of pixels in the window.",
        "four ones have the mean 1.",
        "divide by kernel height times kernel width.",
        only("mean", lambda x, **g: torch_says(x, **g) * g["kernel_size"][0] * g["kernel_size"][1]),
    ),
    Mistake(
        "mean over a square",
        "the mean is divided by the square of the kernel's height.",
        "how many pixels has a 2×3 window?",
        "height times width.",
        only("mean", lambda x, **g: torch_says(x, **g) * g["kernel_size"][1] / g["kernel_size"][0]),
    ),
    Mistake(
        "mean over the width's square",
        "the mean is divided by the square of the kernel's width.",
        "how many pixels has a 2×3 window?",
        "height times width.",
        only("mean", lambda x, **g: torch_says(x, **g) * g["kernel_size"][0] / g["kernel_size"][1]),
    ),
    Mistake(
        "p-norm without root",
        "the p-norm lacks its root: you give Σ Vᵖ.",
        "what is the 2-norm of 3 and 4?",
        "take the p-th root of the sum.",
        norm(power_sum),
    ),
    Mistake(
        "p-norm always square root",
        "you always take the square root; it is the p-th.",
        "which root undoes a cube?",
        "raise to 1/p.",
        norm(root_two),
    ),
    Mistake(
        "p-norm averaged",
        "the powers are averaged; the p-norm sums them.",
        "mean or sum?",
        "the 2-norm of 3 and 4 is 5.",
        norm(mean_power),
    ),
    Mistake(
        "p ignored",
        "p is ignored: you always use 2.",
        "where does forward look at self.p?",
        "the exponent and the root both depend on p.",
        bent(change=lambda g: {"p": 2}),
    ),
    Mistake(
        "p-norm is the maximum",
        'mode="lp" gives the maximum.',
        "which branch does mode=“lp” take?",
        "the maximum is what the p-norm tends to for large p, and not before.",
        bent(change=lambda g: {"mode": "max" if g["mode"] == "lp" else g["mode"]}),
    ),
    Mistake(
        "p-norm is the mean",
        'mode="lp" gives the mean.',
        "which branch does mode=“lp” take?",
        "powers, sum, root.",
        bent(change=lambda g: {"mode": "mean" if g["mode"] == "lp" else g["mode"]}),
    ),
    Mistake(
        "default stride one",
        "stride=None is taken as 1; windows stand side by side unless told otherwise.",
        "28×28 pooled by 2 gives 14×14.",
        "None stands for the kernel size.",
        bent(default=lambda k: 1),
    ),
    Mistake(
        "default stride two",
        "stride=None is taken as 2; that is right only for windows of 2.",
        "what is the default for windows of 3?",
        "None stands for the kernel size.",
        bent(default=lambda k: 2),
    ),
    Mistake(
        "default stride from the height",
        "stride=None takes the kernel's height for both directions.",
        "what is the default for windows of 3×2?",
        "None stands for the kernel size, height and width each.",
        bent(default=lambda k: k[0]),
    ),
    Mistake(
        "stride ignored",
        "the stride given is ignored: windows always stand side by side.",
        "windows of 3 with stride 2 overlap.",
        "only None means the kernel size.",
        bent(change=lambda g: {"stride": g["kernel_size"]}),
    ),
    Mistake(
        "stride pair swapped",
        "H and W are swapped in stride.",
        "a pair is (height, width).",
        "the first number steps down, the second to the right.",
        bent(change=lambda g: {"stride": g["stride"][::-1]}),
    ),
    Mistake(
        "first stride for both",
        "the first number of stride is used for both directions.",
        "try stride=(1, 2).",
        "unpack both numbers.",
        bent(change=lambda g: {"stride": g["stride"][0]}),
    ),
    Mistake(
        "second stride for both",
        "the second number of stride is used for both directions.",
        "try stride=(1, 2).",
        "unpack both numbers.",
        bent(change=lambda g: {"stride": g["stride"][1]}),
    ),
    Mistake(
        "kernel pair swapped",
        "H and W are swapped in kernel_size.",
        "a pair is (height, width).",
        "a window of (2, 3) has two rows.",
        bent(change=lambda g: {"kernel_size": g["kernel_size"][::-1]}),
    ),
    Mistake(
        "stride in size only",
        "stride shapes the output, but the windows are still read next to each other.",
        "where does the window of output [0, 1] start?",
        "output [i, j] belongs to the window that starts at i·stride, j·stride.",
        bent(dense_reading),
    ),
    Mistake(
        "padding ignored",
        "padding is ignored.",
        "how large is a 2×4 image after padding=1?",
        "pool over the padded image.",
        bent(change=lambda g: {"padding": 0}),
    ),
    Mistake(
        "zeros are visible",
        "the maximum sees the padding: where all is negative, a padded zero wins.",
        "what is the largest of −3 and “nothing”?",
        "pad with minus infinity for the maximum.",
        padded_max(0.0),
    ),
    Mistake(
        "minus infinity for every mode",
        "mean and p-norm see minus infinity at the border; only the maximum pads with that.",
        "what is the mean of 1, 2, 3 and −∞?",
        "mean and p-norm pad with zeros.",
        bent(infinite_border),
    ),
    Mistake(
        "padding left out of the mean",
        "the mean counts only real pixels; as in nn.AvgPool2d, padded zeros count as well.",
        "the mean at a corner of ones with padding 1 is below 1.",
        "divide by the size of the window everywhere.",
        only("mean", mean_of_pixels),
    ),
    Mistake(
        "padding at top and left only",
        "padding is added on one side: at the top and on the left only.",
        "how large is a 2×4 image after padding=1?",
        "all four borders get it.",
        bent(one_sided),
    ),
    Mistake(
        "padding pair swapped",
        "H and W are swapped in padding.",
        "F.pad takes the last dimension first: (left, right, top, bottom).",
        "the first number of the pair belongs to top and bottom.",
        bent(swapped_padding),
    ),
    Mistake(
        "rounded up",
        "the output size is rounded up: without ceil_mode, a window that hangs over the border gives nothing.",
        "5 columns, windows of 2: how many lie inside?",
        "round down.",
        bent(rounded_up),
    ),
    Mistake(
        "last row and column missing",
        "the last row and column of the output are missing.",
        "range(n) stops before n.",
        "the number of positions is one more than the number of steps.",
        result(cropped),
    ),
    Mistake(
        "last row and column left empty",
        "the last row and column of the output stay zero.",
        "range(n) stops before n.",
        "loop over the whole size of the output.",
        result(last_left_empty),
    ),
    Mistake(
        "over all channels",
        "the maximum is taken over the channels as well; each channel is pooled by itself.",
        "how many channels go in, and how many should come out?",
        "reduce over the window's two dimensions only.",
        result(over_channels),
    ),
    Mistake(
        "first channel for all",
        "every channel gets the first one's result.",
        "an index 0 on the channels is suspicious.",
        "each channel is pooled by itself.",
        result(lambda y, x, **_: y[:, :1].expand_as(y)),
    ),
    Mistake(
        "first picture for all",
        "every picture of a batch gets the first one's result.",
        "an index 0 on the batch is suspicious.",
        "output[b] belongs to x[b].",
        result(lambda y, x, **_: y[:1].expand_as(y)),
    ),
    Mistake(
        "batch size 1 only",
        "works for batch size 1 only.",
        "which shape does your code write down as 1, or squeeze away?",
        "keep the first dimension all the way through.",
        bent(single_batch),
    ),
    Mistake(
        "batch dimension dropped",
        "the output loses the batch dimension when there is a single picture.",
        "squeeze() removes every dimension of size 1, wanted or not.",
        "the output always has four dimensions.",
        result(lambda y, x, **_: y[0] if len(y) == 1 else y),
    ),
    Mistake(
        "all ones squeezed",
        "squeeze() removes every dimension of size 1 from the output; it always has four.",
        "what is left of (1, 1, 2, 3) after squeeze()?",
        "name the dimension, or do without squeeze.",
        result(lambda y, x, **_: y.squeeze()),
    ),
    Mistake(
        "output transposed",
        "H and W are swapped in the output.",
        "which index of the output counts rows?",
        "the output is (B, C, H, W), as the input is.",
        result(lambda y, x, **_: y.transpose(2, 3)),
    ),
    Mistake(
        "output in single precision",
        "the output is float32 whatever the input's dtype.",
        "torch.zeros(...) makes float32.",
        "allocate the output with dtype=x.dtype, or x.new_zeros(...).",
        result(lambda y, x, **_: y.float()),
    ),
    Mistake(
        "input changed",
        "the input is changed in place: the layer before still needs it.",
        "which line writes into x?",
        "work on a padded copy or on .clone().",
        bent(changes_input),
    ),
    Mistake(
        "output detached",
        "no gradient leaves the layer: it computes outside autograd.",
        "look for .data, .detach(), .numpy(), .item(), torch.no_grad().",
        "a pooling has no weights, but the layers before it learn through it.",
        bent(lambda x, **given: torch_says(x.detach(), **given)),
    ),
    Mistake(
        "maximum with the mean's gradient",
        "the gradient of the maximum is spread over the window; it belongs to the largest pixel alone.",
        "if a pixel that is not the largest rises a little, does the maximum change?",
        "let autograd differentiate the maximum itself.",
        only("max", spread_gradient),
    ),
)


ANSWERS = {"pool2d": Answer(reference=bent(), mistakes=POOL2D, tolerance=1e-4)}
