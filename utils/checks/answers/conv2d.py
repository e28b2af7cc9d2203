"""What nn.Conv2d says, and the ways in which a hand-written one goes wrong."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks.answer import Answer, Mistake


def bent(forward=None, *, interface=None):
    """torch's layer with its `forward` or its construction changed.

    `forward(x, weight, bias, stride, padding, dilation)` gets pairs; `interface(layer)` changes a finished layer.
    """

    class Bent(nn.Conv2d):
        def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
            super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias)
            if interface:
                interface(self)

        def forward(self, x):
            if forward is None:
                return super().forward(x)
            return forward(x, self.weight, self.bias, self.stride, self.padding, self.dilation)

    return Bent


def settings(change):
    """torch's layer with other settings: `change(stride, padding, dilation)` -> the three as they are then used."""

    def forward(x, weight, bias, stride, padding, dilation):
        return F.conv2d(x, weight, bias, *change(stride, padding, dilation))

    return bent(forward)


def kernel(change):
    """torch's layer with another kernel."""
    return bent(lambda x, w, b, s, p, d: F.conv2d(x, change(w), b, s, p, d))


def result(change):
    """torch's layer with its output changed: `change(y, x, weight)`."""
    return bent(lambda x, w, b, s, p, d: change(F.conv2d(x, w, b, s, p, d), x, w))


def biased(change):
    """torch's layer without its bias, which `change(y, bias, weight)` adds in its own way where there is one."""

    def forward(x, w, b, s, p, d):
        y = F.conv2d(x, w, None, s, p, d)
        return y if b is None else change(y, b, w)

    return bent(forward)


def before_bias(change):
    """torch's layer with its output changed before the bias is added."""

    def forward(x, w, b, s, p, d):
        y = change(F.conv2d(x, w, None, s, p, d))
        return y if b is None else y + column(b)

    return bent(forward)


def padded(mode="constant", value=0.0, sides=lambda ph, pw: (pw, pw, ph, ph)):
    """torch's layer on an image padded in another way."""

    def forward(x, w, b, s, p, d):
        return F.conv2d(pad(x, sides(*p), mode, value), w, b, s, 0, d)

    def pad(x, sides, mode, value):
        if mode == "constant":
            return F.pad(x, sides, value=value)
        return F.pad(x, sides, mode=mode) if any(sides) else x

    return bent(forward)


def column(bias):
    return bias[None, :, None, None]


def rounded_up(x, w, b, s, p, d):
    """The image lengthened until the last window, which hangs over, fits."""
    ph, pw = p
    x = F.pad(x, (pw, pw + s[1] - 1, ph, ph + s[0] - 1))
    return F.conv2d(x, w, b, s, 0, d)


def dense_reading(x, w, b, s, p, d):
    """As many outputs as the stride asks for, but read from neighbouring windows."""
    height, width = F.conv2d(x, w, b, s, p, d).shape[2:]
    return F.conv2d(x, w, b, 1, p, d)[:, :, :height, :width]


def thinned_input(x, w, b, s, p, d):
    """The stride leaves out pixels of the padded input, not positions of the window."""
    ph, pw = p
    return F.conv2d(F.pad(x, (pw, pw, ph, ph))[:, :, :: s[0], :: s[1]], w, b, 1, 0, d)


def long_taps(x, w, b, s, p, d):
    """Every tap followed by its gap, the last one too."""
    spread = w.new_zeros(*w.shape[:2], w.shape[2] * d[0], w.shape[3] * d[1])
    spread[:, :, :: d[0], :: d[1]] = w
    return F.conv2d(x, spread, b, s, p)


def literal_strides(x, w, b, s, p, d):
    """Reads x as if it lay row by row in memory, unless padding has copied it."""
    if not any(p) and not x.is_contiguous():
        x = x.as_strided(x.shape, torch.empty(x.shape).stride())
    return F.conv2d(x, w, b, s, p, d)


def late_start(x, w, b, s, p, d):
    """The first window starts one stride less one further on."""
    y = F.conv2d(x, w, b, 1, p, d)
    return y[:, :, s[0] - 1 :: s[0], s[1] - 1 :: s[1]]


def last_left_empty(y, x, w):
    y = y.clone()
    y[:, :, -1], y[:, :, :, -1] = 0, 0
    return y


def only_first_sample(y, x, w):
    return torch.cat([y[:1], torch.zeros_like(y[1:])])


def repeat_first_sample(y, x, w):
    return y[:1].expand_as(y)


def single_batch(x, w, b, s, p, d):
    if len(x) > 1:
        raise RuntimeError("shape mismatch")
    return F.conv2d(x, w, b, s, p, d)


def changes_input(x, w, b, s, p, d):
    y = F.conv2d(x, w, b, s, p, d)
    with torch.no_grad():
        x.mul_(0)
    return y


def only_channel(index):
    def forward(x, w, b, s, p, d):
        chosen = slice(index, index + 1 or None)
        return F.conv2d(x[:, chosen], w[:, chosen], b, s, p, d)

    return bent(forward)


def unsummed(x, w, b, s, p, d):
    """Every slice of every filter gives a map of its own."""
    maps = [F.conv2d(x[:, c : c + 1], w[:, c : c + 1], b, s, p, d) for c in range(x.shape[1])]
    return torch.cat(maps, dim=1)


def square_padding_only(x, w, b, s, p, d):
    return F.conv2d(x, w, b, s, tuple(k // 2 for k in w.shape[2:]), d)


def without_gradient(*names):
    """torch's layer behind a .detach() of its input, weight or bias."""

    def forward(x, w, b, s, p, d):
        parts = {"x": x, "w": w, "b": b}
        parts |= {name: parts[name].detach() for name in names if parts[name] is not None}
        return F.conv2d(parts["x"], parts["w"], parts["b"], s, p, d)

    return bent(forward)


def single_precision(x, w, b, s, p, d):
    b = None if b is None else b.float()
    return F.conv2d(x.float(), w.float(), b, s, p, d).to(x.dtype)


def accumulating():
    class Accumulating(nn.Conv2d):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.kept = 0

        def forward(self, x):
            y = super().forward(x)
            kept = self.kept if getattr(self.kept, "shape", None) == y.shape else 0
            self.kept = y.detach() + kept
            return y + kept

    return Accumulating


def fixed_size():
    """Remembers the first output's size."""

    class FixedSize(nn.Conv2d):
        def forward(self, x):
            y = super().forward(x)
            if not hasattr(self, "first"):
                self.first = y.shape[2:]
            if y.shape[2:] != self.first:
                raise RuntimeError("shape mismatch")
            return y

    return FixedSize


def ints_only():
    """Takes every setting for a single number."""

    class IntsOnly(nn.Conv2d):
        def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
            if any(isinstance(value, tuple) for value in (kernel_size, stride, padding, dilation)):
                raise TypeError("a number is wanted")
            super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=bias)

    return IntsOnly


def bare_weight(layer):
    weight = layer.weight.detach()
    del layer.weight
    layer.weight = weight


def bare_bias(layer):
    if layer.bias is not None:
        bias = layer.bias.detach()
        del layer.bias
        layer.bias = bias


def double_precision(layer):
    layer.double()


def frozen_weight(layer):
    layer.weight.requires_grad_(False)


def swapped_weight(layer):
    layer.weight = nn.Parameter(layer.weight.detach().transpose(0, 1).contiguous())


def flat_bias(layer):
    if layer.bias is not None:
        layer.bias = nn.Parameter(torch.zeros(1))


def stubborn_bias(layer):
    if layer.bias is None:
        layer.bias = nn.Parameter(torch.zeros(layer.out_channels))


ORIENTATION = (
    Mistake(
        "kernel flipped",
        "your kernel is flipped: this is true convolution, the course uses cross-correlation.",
        "which weight meets the top-left pixel of the window?",
        "the kernel's indices and the window's run in the same direction.",
        kernel(lambda w: w.flip(2, 3)),
    ),
    Mistake(
        "kernel flipped upside down",
        "your kernel is upside down: its rows are in the wrong order.",
        "which row of the kernel meets the top row of the window?",
        "row i of the kernel goes with row i of the window.",
        kernel(lambda w: w.flip(2)),
    ),
    Mistake(
        "kernel mirrored",
        "your kernel is mirrored: its columns are in the wrong order.",
        "which column of the kernel meets the left column of the window?",
        "column j of the kernel goes with column j of the window.",
        kernel(lambda w: w.flip(3)),
    ),
    Mistake(
        "kernel transposed",
        "H and W are swapped in the kernel.",
        "is the kernel's first size its height or its width?",
        "weight is (out, in, kh, kw): rows before columns.",
        kernel(lambda w: w.transpose(2, 3)),
    ),
    Mistake(
        "output transposed",
        "H and W are swapped in the output.",
        "which index of the output counts rows?",
        "the output is (B, C, H, W), as the input is.",
        result(lambda y, x, w: y.transpose(2, 3)),
    ),
)

STRIDE = (
    Mistake(
        "stride ignored",
        "stride is ignored: every position gives an output.",
        "how many outputs should 6 columns give with kernel 2 and stride 2?",
        "both the output's size and the place of each window depend on the stride.",
        settings(lambda s, p, d: (1, p, d)),
    ),
    Mistake(
        "stride for height only",
        "stride is applied to height only.",
        "where does your code use the second number of stride?",
        "columns are stepped over like rows.",
        settings(lambda s, p, d: ((s[0], 1), p, d)),
    ),
    Mistake(
        "stride for width only",
        "stride is applied to width only.",
        "where does your code use the first number of stride?",
        "rows are stepped over like columns.",
        settings(lambda s, p, d: ((1, s[1]), p, d)),
    ),
    Mistake(
        "stride pair swapped",
        "H and W are swapped in stride.",
        "a pair is (height, width). Which did you unpack first?",
        "the first number steps down, the second to the right.",
        settings(lambda s, p, d: (s[::-1], p, d)),
    ),
    Mistake(
        "first stride for both",
        "the first number of stride is used for both directions.",
        "try stride=(1, 2).",
        "unpack both numbers.",
        settings(lambda s, p, d: (s[0], p, d)),
    ),
    Mistake(
        "second stride for both",
        "the second number of stride is used for both directions.",
        "try stride=(1, 2).",
        "unpack both numbers.",
        settings(lambda s, p, d: (s[1], p, d)),
    ),
    Mistake(
        "stride in size only",
        "stride shapes the output, but the windows are still read next to each other.",
        "where does the window of output [0, 1] start with stride 2?",
        "output [i, j] belongs to the window that starts at i·stride, j·stride.",
        bent(dense_reading),
    ),
    Mistake(
        "stride thins out the input",
        "the stride leaves out pixels of the input; it moves the window, which still sees neighbouring pixels.",
        "kernel 2, stride 2 on 1 2 3 4: which two pixels does the second window see?",
        "step over positions of the window, not over pixels.",
        bent(thinned_input),
    ),
    Mistake(
        "late start",
        "the first window does not start at the top-left corner but further on.",
        "where does the window of output [0, 0] start?",
        "the first window starts at 0, whatever the stride.",
        bent(late_start),
    ),
    Mistake(
        "rounded up",
        "the output size is rounded up: a window that hangs over the border gives no output.",
        "7 columns, kernel 3, stride 3: how many windows lie inside?",
        "round down.",
        bent(rounded_up),
    ),
    Mistake(
        "last row and column missing",
        "the last row and column of the output are missing: the last window is never visited.",
        "range(n) stops before n.",
        "the number of positions is one more than the number of steps.",
        result(lambda y, x, w: y[:, :, : max(y.shape[2] - 1, 0), : max(y.shape[3] - 1, 0)]),
    ),
    Mistake(
        "last row and column left empty",
        "the last row and column of the output stay zero: the loop stops one position too early.",
        "range(n) stops before n.",
        "loop over the whole size of the output.",
        result(last_left_empty),
    ),
    Mistake(
        "stride and dilation swapped",
        "stride and dilation are swapped.",
        "which of the two spreads the kernel, and which moves it?",
        "stride moves the window, dilation spreads its taps.",
        settings(lambda s, p, d: (d, p, s)),
    ),
)

PADDING = (
    Mistake(
        "padding ignored",
        "padding is ignored.",
        "how large is a 2×3 image after padding=1?",
        "slide over the padded image.",
        settings(lambda s, p, d: (s, 0, d)),
    ),
    Mistake(
        "padding at top and left only",
        "padding is added on one side: at the top and on the left only.",
        "how large is a 2×3 image after padding=1?",
        "all four borders get it.",
        padded(sides=lambda ph, pw: (pw, 0, ph, 0)),
    ),
    Mistake(
        "padding at bottom and right only",
        "padding is added on one side: at the bottom and on the right only.",
        "how large is a 2×3 image after padding=1?",
        "all four borders get it.",
        padded(sides=lambda ph, pw: (0, pw, 0, ph)),
    ),
    Mistake(
        "padding for height only",
        "padding is added above and below only.",
        "where does your code use the second number of padding?",
        "left and right get theirs too.",
        settings(lambda s, p, d: (s, (p[0], 0), d)),
    ),
    Mistake(
        "padding for width only",
        "padding is added left and right only.",
        "where does your code use the first number of padding?",
        "above and below get theirs too.",
        settings(lambda s, p, d: (s, (0, p[1]), d)),
    ),
    Mistake(
        "padding pair swapped",
        "H and W are swapped in padding.",
        "F.pad takes the last dimension first: (left, right, top, bottom).",
        "the first number of the pair belongs to top and bottom.",
        settings(lambda s, p, d: (s, p[::-1], d)),
    ),
    Mistake(
        "first padding for both",
        "the first number of padding is used for both directions.",
        "try padding=(0, 2).",
        "unpack both numbers.",
        settings(lambda s, p, d: (s, p[0], d)),
    ),
    Mistake(
        "second padding for both",
        "the second number of padding is used for both directions.",
        "try padding=(0, 2).",
        "unpack both numbers.",
        settings(lambda s, p, d: (s, p[1], d)),
    ),
    Mistake(
        "padded twice",
        "padding is added twice.",
        "how large is a 2×3 image after padding=1? 4×5, not 6×7.",
        "look for two places that pad, or a padding that is doubled.",
        settings(lambda s, p, d: (s, (2 * p[0], 2 * p[1]), d)),
    ),
    Mistake(
        "padded with the border's value",
        "the border is repeated outwards; zeros are wanted.",
        "which mode does your padding use?",
        "the default of F.pad is zeros.",
        padded("replicate"),
    ),
    Mistake(
        "padded around",
        "the opposite border is used as padding (circular); zeros are wanted.",
        "which mode does your padding use? torch.roll and negative indices wrap around too.",
        "the default of F.pad is zeros.",
        padded("circular"),
    ),
    Mistake(
        "padded with ones",
        "the padding is filled with ones; zeros are wanted.",
        "what is your padded tensor filled with?",
        "start from torch.zeros.",
        padded(value=1.0),
    ),
    Mistake(
        "padding that keeps the size",
        "you always pad so that the size is kept; the padding given is to be used.",
        "padding=0 is the default.",
        "take padding as it is handed in.",
        bent(square_padding_only),
    ),
)

DILATION = (
    Mistake(
        "dilation ignored",
        "dilation is ignored.",
        "which pixels does a kernel of 2 touch at dilation 2?",
        "tap k of the kernel sits k·dilation pixels from the first.",
        settings(lambda s, p, d: (s, p, 1)),
    ),
    Mistake(
        "dilation for height only",
        "dilation is applied to height only.",
        "where does your code use the second number of dilation?",
        "columns are spread like rows.",
        settings(lambda s, p, d: (s, p, (d[0], 1))),
    ),
    Mistake(
        "dilation for width only",
        "dilation is applied to width only.",
        "where does your code use the first number of dilation?",
        "rows are spread like columns.",
        settings(lambda s, p, d: (s, p, (1, d[1]))),
    ),
    Mistake(
        "dilation pair swapped",
        "H and W are swapped in dilation.",
        "a pair is (height, width). Which did you unpack first?",
        "the first number spreads rows, the second columns.",
        settings(lambda s, p, d: (s, p, d[::-1])),
    ),
    Mistake(
        "first dilation for both",
        "the first number of dilation is used for both directions.",
        "try dilation=(3, 1).",
        "unpack both numbers.",
        settings(lambda s, p, d: (s, p, d[0])),
    ),
    Mistake(
        "second dilation for both",
        "the second number of dilation is used for both directions.",
        "try dilation=(3, 1).",
        "unpack both numbers.",
        settings(lambda s, p, d: (s, p, d[1])),
    ),
    Mistake(
        "dilation stretches every tap",
        "the spread-out kernel is too long: there is a gap after each tap; after the last one there should be none.",
        "draw three taps with dilation 2 (x . x . x) and count from end to end.",
        "count gaps first; then add the one tap that has no gap behind it.",
        bent(long_taps),
    ),
    Mistake(
        "dilation taken as gap",
        "dilation is taken as the number of skipped pixels; it is the distance between taps, and 1 means no gap.",
        "with dilation=1, the default, the kernel is an ordinary one.",
        "dilation 2 skips one pixel.",
        settings(lambda s, p, d: (s, p, (d[0] + 1, d[1] + 1))),
    ),
)

BIAS = (
    Mistake(
        "bias ignored",
        "the bias is never added.",
        "where does forward use self.bias?",
        "add it once per output channel, after the sum.",
        biased(lambda y, b, w: y),
    ),
    Mistake(
        "bias per input channel",
        "the bias is added once per input channel; a filter sums over its channels and adds its bias once.",
        "is the bias inside the loop over input channels?",
        "add it after that loop.",
        biased(lambda y, b, w: y + column(b) * w.shape[1]),
    ),
    Mistake(
        "bias per product",
        "the bias is added to every product; it is added once to the whole sum.",
        "is the bias inside the sum over the window?",
        "add it after the sum.",
        biased(lambda y, b, w: y + column(b) * w[0].numel()),
    ),
    Mistake(
        "bias per tap",
        "the bias is added once per position in the kernel; it is added once to the whole sum.",
        "is the bias inside the loop over the kernel's rows and columns?",
        "add it after that loop.",
        biased(lambda y, b, w: y + column(b) * w[0, 0].numel()),
    ),
    Mistake(
        "bias subtracted",
        "the bias is subtracted.",
        "with a positive bias, the output should rise.",
        "change its sign.",
        biased(lambda y, b, w: y - column(b)),
    ),
    Mistake(
        "first bias for all",
        "one bias is used for all channels; each output channel has its own.",
        "how many numbers are in self.bias?",
        "channel c of the output gets bias[c].",
        biased(lambda y, b, w: y + b[0]),
    ),
    Mistake(
        "biases summed",
        "all biases are added to every channel; each output channel gets its own only.",
        "channel c of the output gets bias[c].",
        "shape the bias so that it lines up with the channels: (1, C, 1, 1).",
        biased(lambda y, b, w: y + b.sum()),
    ),
    Mistake(
        "bias along the width",
        "the bias is added along the width: broadcasting lines shapes up from the right.",
        "what does (B, C, H, W) + (C,) add to what?",
        "give the bias the shape (1, C, 1, 1).",
        biased(lambda y, b, w: y + b),
    ),
    Mistake(
        "bias multiplied",
        "the output is multiplied by the bias.",
        "with a bias of zero the output should stay as it is.",
        "add it.",
        biased(lambda y, b, w: y * column(b)),
    ),
    Mistake(
        "bias although False",
        "with bias=False the layer still has a bias; self.bias is to be None then.",
        "which argument does __init__ never use?",
        "make the parameter only if bias is True.",
        bent(interface=stubborn_bias),
    ),
    Mistake(
        "a single bias",
        "the layer has one bias in all; nn.Conv2d has one per output channel.",
        "what is the shape of nn.Conv2d(1, 4, 3).bias?",
        "its shape is (out_channels,).",
        bent(interface=flat_bias),
    ),
    Mistake(
        "bias is no parameter",
        "bias is a plain tensor, no nn.Parameter: no optimiser would find it.",
        "is it in list(layer.parameters())?",
        "wrap it in nn.Parameter(...).",
        bent(interface=bare_bias),
    ),
)

CHANNELS = (
    Mistake(
        "first channel only",
        "only the first input channel is used.",
        "a filter extends through all input channels.",
        "sum over the channels as well.",
        only_channel(0),
    ),
    Mistake(
        "last channel only",
        "only the last input channel reaches the output: the sum is overwritten for each channel.",
        "= or += in the loop over channels?",
        "add up the channels.",
        only_channel(-1),
    ),
    Mistake(
        "channels averaged",
        "the input channels are averaged; they are summed.",
        "mean or sum?",
        "a filter's answer is the sum over all its weights.",
        bent(lambda x, w, b, s, p, d: F.conv2d(x / x.shape[1], w, b, s, p, d)),
    ),
    Mistake(
        "channels not summed",
        "every slice of every filter gives a map of its own; a filter sums its slices into one map.",
        "how many maps should out_channels filters give?",
        "sum over the input channels.",
        bent(unsummed),
    ),
    Mistake(
        "first filter for all",
        "all output channels come from the first filter.",
        "where does your code use the index of the output channel?",
        "channel c of the output belongs to weight[c].",
        kernel(lambda w: w[:1].expand_as(w)),
    ),
    Mistake(
        "input and output swapped",
        "input and output channels are swapped in the weight.",
        "weight is (out_channels, in_channels, kh, kw).",
        "weight[o, c] joins input channel c with output channel o.",
        kernel(lambda w: w.transpose(0, 1)),
    ),
    Mistake(
        "weight shaped input first",
        "the weight is stored as (in, out, kh, kw); nn.Conv2d stores (out, in, kh, kw).",
        "print nn.Conv2d(2, 3, 1).weight.shape.",
        "output channels come first.",
        bent(interface=swapped_weight),
    ),
    Mistake(
        "channels in reverse",
        "the output channels come in reverse order.",
        "which filter makes channel 0?",
        "weight[0] does.",
        kernel(lambda w: w.flip(0)),
    ),
    Mistake(
        "input channels in reverse",
        "the input channels are paired with the filter's slices in reverse order.",
        "which slice meets channel 0 of the input?",
        "weight[:, 0] does.",
        kernel(lambda w: w.flip(1)),
    ),
)

BATCH = (
    Mistake(
        "batch size 1 only",
        "works for batch size 1 only.",
        "which shape does your code write down as 1, or squeeze away?",
        "keep the first dimension all the way through.",
        bent(single_batch),
    ),
    Mistake(
        "first picture only",
        "only the first picture of a batch is computed; the others stay zero.",
        "where does your code loop over, or keep, the batch?",
        "an index 0 on the batch is suspicious.",
        result(only_first_sample),
    ),
    Mistake(
        "first picture for all",
        "every picture of a batch gets the first one's output.",
        "an index 0 on the batch is suspicious.",
        "output[b] belongs to x[b].",
        result(repeat_first_sample),
    ),
    Mistake(
        "batch averaged",
        "the pictures of a batch are mixed: each is to be convolved by itself.",
        "over which dimensions do you sum or average?",
        "the first dimension is never summed.",
        result(lambda y, x, w: y.mean(0, keepdim=True).expand_as(y)),
    ),
    Mistake(
        "batch summed away",
        "the batch dimension is gone: the pictures are summed up.",
        "over which dimensions do you sum?",
        "the output has as many pictures as the input.",
        result(lambda y, x, w: y.sum(0, keepdim=True)),
    ),
    Mistake(
        "batch dimension dropped",
        "the output loses the batch dimension when there is a single picture.",
        "squeeze() removes every dimension of size 1, wanted or not.",
        "the output always has four dimensions.",
        result(lambda y, x, w: y[0] if len(y) == 1 else y),
    ),
    Mistake(
        "all ones squeezed",
        "squeeze() removes every dimension of size 1 from the output; it always has four.",
        "what is left of (1, 1, 2, 3) after squeeze()?",
        "name the dimension, or do without squeeze.",
        result(lambda y, x, w: y.squeeze()),
    ),
    Mistake(
        "size of the first picture",
        "the layer remembers the size of the first picture it saw; it should take any size.",
        "what does forward store in self?",
        "compute sizes anew from x.shape in every call.",
        fixed_size(),
    ),
    Mistake(
        "keeps the last output",
        "asked twice with the same input, the layer answers differently: something lasts from one call to the next.",
        "what does forward store in self, or draw at random?",
        "make a fresh output in every call, and leave self as it is.",
        accumulating(),
    ),
    Mistake(
        "assumes rows in memory",
        "wrong for a picture that does not lie row by row in memory, such as one that comes from .permute().",
        "where do the numbers that you hand to as_strided come from? x.stride() knows how x lies in memory.",
        "ask x for its strides, or copy it with .contiguous() first.",
        bent(literal_strides),
    ),
    Mistake(
        "reshaped, not permuted",
        "channels and positions are mixed: view and reshape keep the order of the numbers, they never swap dimensions.",
        "what shape has your result before the last view or reshape, and which dimension comes last?",
        "bring the dimensions into the order (B, C, H, W) with permute or transpose first, then give them their sizes.",
        before_bias(lambda y: y.permute(0, 2, 3, 1).reshape(y.shape)),
    ),
    Mistake(
        "reshaped with its bias",
        "channels and positions are mixed, the bias with them: view and reshape never swap dimensions.",
        "what shape has your result before the last view or reshape, and which dimension comes last?",
        "bring the dimensions into the order (B, C, H, W) with permute or transpose first, then give them their sizes.",
        result(lambda y, x, w: y.permute(0, 2, 3, 1).reshape(y.shape)),
    ),
    Mistake(
        "batch and channels mixed",
        "pictures and channels are mixed: the batch dimension was behind the channels when the result was reshaped.",
        "what shape has your result before the last view or reshape?",
        "bring the dimensions into the order (B, C, H, W) with permute or transpose first, then give them their sizes.",
        before_bias(lambda y: y.transpose(0, 1).reshape(y.shape)),
    ),
    Mistake(
        "width before height",
        "H and W are swapped when the result gets its shape: the numbers are right, their rows too short or too long.",
        "in which order does your last view or reshape name height and width?",
        "(B, C, H, W): the height comes first.",
        result(lambda y, x, w: y.reshape(*y.shape[:2], y.shape[3], y.shape[2])),
    ),
)

VALUES = (
    Mistake(
        "averaged",
        "the sum over the window is divided by the number of weights; a convolution does not average.",
        "mean or sum?",
        "leave the sum as it is.",
        bent(lambda x, w, b, s, p, d: F.conv2d(x / w[0].numel(), w, b, s, p, d)),
    ),
    Mistake(
        "averaged over the kernel",
        "the sum over each slice is divided by the kernel's area; a convolution does not average.",
        "mean or sum?",
        "leave the sum as it is.",
        bent(lambda x, w, b, s, p, d: F.conv2d(x / w[0, 0].numel(), w, b, s, p, d)),
    ),
    Mistake(
        "negative cut off",
        "negative results are cut off: that is ReLU, a layer of its own.",
        "what comes after the sum in your forward?",
        "a convolution may well answer with a negative number.",
        result(lambda y, x, w: y.relu()),
    ),
    Mistake(
        "single precision inside",
        "you compute in single precision although double was handed in: digits are lost.",
        "torch.zeros(...) makes float32.",
        "give what you allocate the dtype of x.",
        bent(single_precision),
    ),
    Mistake(
        "made in double precision",
        "weight and bias are made in double precision; a layer is made in torch's default, which pictures have too.",
        "NumPy's random numbers are double, and torch.from_numpy keeps them so.",
        "make the parameters with torch's own functions and without a dtype; .double() changes them on demand.",
        bent(interface=double_precision),
    ),
    Mistake(
        "output in single precision",
        "the output is float32 whatever the input's dtype.",
        "torch.zeros(...) makes float32.",
        "allocate the output with dtype=x.dtype, or x.new_zeros(...).",
        result(lambda y, x, w: y.float()),
    ),
    Mistake(
        "input changed",
        "the input is changed in place: the layer before still needs it, and so does whoever called you.",
        "which line writes into x?",
        "work on a padded copy or on .clone().",
        bent(changes_input),
    ),
    Mistake(
        "pairs not understood",
        "only single numbers are taken for kernel_size, stride, padding and dilation; pairs (h, w) are to work too.",
        "what does your code do with kernel_size=(2, 3)?",
        "turn an int into a pair once, in __init__, and use pairs from there on.",
        ints_only(),
    ),
    Mistake(
        "weight is no parameter",
        "weight is a plain tensor, no nn.Parameter: no optimiser would find it.",
        "is it in list(layer.parameters())?",
        "wrap it in nn.Parameter(...).",
        bent(interface=bare_weight),
    ),
)

GRADIENTS = (
    Mistake(
        "output detached",
        "no gradient leaves the layer: it computes outside autograd.",
        "look for .data, .detach(), .numpy(), torch.no_grad().",
        "an output filled through .item() or a NumPy array has lost its history; keep tensors throughout.",
        without_gradient("x", "w", "b"),
    ),
    Mistake(
        "input detached",
        "no gradient reaches the input, so the layers before this one could not learn.",
        "look for x.detach(), x.data or torch.tensor(x).",
        "pad and slice x itself.",
        without_gradient("x"),
    ),
    Mistake(
        "weight detached",
        "no gradient reaches the weight, so this layer could not learn.",
        "look for self.weight.data or .detach().",
        "use self.weight as it is.",
        without_gradient("w"),
    ),
    Mistake(
        "bias detached",
        "no gradient reaches the bias.",
        "look for self.bias.data, .detach() or .item().",
        "use self.bias as it is.",
        without_gradient("b"),
    ),
    Mistake(
        "weight frozen",
        "the weight cannot learn: its requires_grad is False.",
        "how is self.weight made in __init__?",
        "an nn.Parameter learns unless it is told otherwise.",
        bent(interface=frozen_weight),
    ),
    Mistake(
        "weight and bias detached",
        "no gradient reaches weight and bias, so this layer could not learn.",
        "look for .data or .detach() on the parameters.",
        "use self.weight and self.bias as they are.",
        without_gradient("w", "b"),
    ),
)

ANSWERS = {
    "conv2d": Answer(
        reference=nn.Conv2d,
        mistakes=ORIENTATION + STRIDE + PADDING + DILATION + BIAS + CHANNELS + BATCH + VALUES + GRADIENTS,
        tolerance=1e-4,
    ),
}
