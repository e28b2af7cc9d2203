"""Sizes and costs of layers, asked of real layers; and how learners miscount them.

A size is the shape of what a real layer gives.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks.answer import Answer, Mistake

UNFIT = 1000  # windows added and taken away again, to count below one window


def blank(*shape):
    return torch.zeros(shape)


# ── conv_output_size ─────────────────────────────────────────────────────────────────────────────────────────────────


def conv(n, kernel_size, stride=1, padding=0, dilation=1):
    """The length of a real convolution's output."""
    try:
        return F.conv1d(blank(1, 1, n), blank(1, 1, kernel_size), None, stride, padding, dilation).shape[-1]
    except RuntimeError as error:
        raise ValueError("the kernel does not fit once") from error


def bent(change, after=lambda size, given: size):
    """`conv` with its arguments changed, and its result, wherever the kernel does fit."""

    def target(n, kernel_size, stride=1, padding=0, dilation=1):
        conv(n, kernel_size, stride, padding, dilation)
        given = {"n": n, "kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
        return after(conv(**{**given, **change(given)}), given)

    return target


def below_one(n, kernel_size, stride=1, padding=0, dilation=1):
    """What the formula gives when nobody asks whether the kernel fits: zero or a negative number of windows."""
    return conv(n + UNFIT * stride, kernel_size, stride, padding, dilation) - UNFIT


def conv_zero(*args, **kwargs):
    return max(below_one(*args, **kwargs), 0)


def conv_other_error(*args, **kwargs):
    try:
        return conv(*args, **kwargs)
    except ValueError as error:
        raise AssertionError("the kernel does not fit") from error


def conv_exact_only(n, kernel_size, stride=1, padding=0, dilation=1):
    if (conv(n, kernel_size, 1, padding, dilation) - 1) % stride:
        raise ValueError("the windows do not fill the image")
    return conv(n, kernel_size, stride, padding, dilation)


def conv_strictly_smaller(n, kernel_size, stride=1, padding=0, dilation=1):
    conv(n - 1, kernel_size, 1, padding, dilation)
    return conv(n, kernel_size, stride, padding, dilation)


def conv_fit_before_padding(n, kernel_size, stride=1, padding=0, dilation=1):
    conv(n, kernel_size)
    return below_one(n, kernel_size, stride, padding, dilation)


def conv_fit_without_dilation(n, kernel_size, stride=1, padding=0, dilation=1):
    conv(n, kernel_size, 1, padding)
    return below_one(n, kernel_size, stride, padding, dilation)


def conv_below_zero_only(*args, **kwargs):
    size = below_one(*args, **kwargs)
    if size < 0:
        raise ValueError("the kernel does not fit")
    return size


def conv_truncated(n, kernel_size, stride=1, padding=0, dilation=1):
    """Rounded towards zero, so that a little less than nothing becomes nothing, and one window."""
    way = below_one(n, kernel_size, 1, padding, dilation) - 1
    if int(way / stride) < 0:
        raise ValueError("the kernel does not fit")
    return int(way / stride) + 1


def conv_other_order(n, kernel_size, padding=0, stride=1, dilation=1):
    return conv(n, kernel_size, stride, padding, dilation)


def conv_pooling_default(n, kernel_size, stride=None, padding=0, dilation=1):
    return conv(n, kernel_size, stride or kernel_size, padding, dilation)


def steps(given):
    """How far the first window can be moved, in pixels."""
    return conv(**{**given, "stride": 1}) - 1


CONV = (
    Mistake(
        "padding counted once",
        "padding is counted on one side only; it is added at both ends.",
        "draw 7 pixels with padding 1: how long is the row now?",
        "each end of the row grows by the padding, so it appears twice in the sum.",
        bent(lambda g: {"n": g["n"] + g["padding"], "padding": 0}),
    ),
    Mistake(
        "padding ignored",
        "padding is not taken into account.",
        "which argument does your formula never use?",
        "the kernel slides over the padded row, so start from its length.",
        bent(lambda g: {"padding": 0}),
    ),
    Mistake(
        "stride ignored",
        "stride is not taken into account: you count every position, not every stride-th.",
        "count the positions for 7 pixels, kernel 3, stride 2 with your finger.",
        "find how far the first window can move; the stride divides that distance.",
        bent(lambda g: {"stride": 1}),
    ),
    Mistake(
        "dilation ignored",
        "dilation is not taken into account.",
        "how many pixels does a kernel of 3 cover from end to end when dilation is 2?",
        "replace the kernel's size by the span that it covers when it is spread out.",
        bent(lambda g: {"dilation": 1}),
    ),
    Mistake(
        "one forgotten",
        "the result is one too small: the first position counts as well, before any step is made.",
        "a kernel as large as the image fits once. What does yours say?",
        "steps and positions differ by one, like fence rails and posts.",
        bent(lambda g: {}, lambda size, g: size - 1),
    ),
    Mistake(
        "one too many",
        "the result is one too large.",
        "a kernel as large as the image fits exactly once.",
        "look for a 1 that is added twice.",
        bent(lambda g: {}, lambda size, g: size + 1),
    ),
    Mistake(
        "rounded up",
        "the output size is rounded up: convolution drops the window that would hang over the end.",
        "5 pixels, kernel 2, stride 2: which windows lie inside the row?",
        "a window that does not fit whole gives no output: round down.",
        bent(lambda g: {"n": g["n"] + g["stride"] - 1}),
    ),
    Mistake(
        "rounded to nearest",
        "the output size is rounded to the nearest whole number; it is always rounded down.",
        "a window fits or it does not: there is no nearly.",
        "use whole-number division instead of round().",
        bent(lambda g: {}, lambda size, g: round(steps(g) / g["stride"]) + 1),
    ),
    Mistake(
        "not whole",
        "the result is not an int: a size is a whole number of windows.",
        "what does 4 / 2 give in Python, and what 4 // 2?",
        "use the division that rounds down and stays whole.",
        bent(lambda g: {}, lambda size, g: steps(g) / g["stride"] + 1),
    ),
    Mistake(
        "float of the right value",
        "the result has the right value but is a float; a size is an int.",
        "type(...) of your result says it.",
        "math.floor gives an int, numpy.floor a float.",
        bent(lambda g: {}, lambda size, g: float(size)),
    ),
    Mistake(
        "dilation stretches every tap",
        "dilation multiplies the whole kernel size; it spreads the gaps between the taps, of which there is one fewer.",
        "draw three taps with dilation 2 (x . x . x) and count from end to end.",
        "count gaps first; then add the one tap that has no gap behind it.",
        bent(lambda g: {"kernel_size": g["kernel_size"] * g["dilation"], "dilation": 1}),
    ),
    Mistake(
        "dilation added",
        "dilation is added to the kernel's size once; it widens every gap between the taps.",
        "draw three taps with dilation 3 (x . . x . . x) and count from end to end.",
        "three taps have two gaps, and each of them grows.",
        bent(lambda g: {"kernel_size": g["kernel_size"] + g["dilation"] - 1, "dilation": 1}),
    ),
    Mistake(
        "one added before dividing",
        "the 1 is divided by the stride as well; it counts the first window, which needs no step.",
        "7 pixels, kernel 3, stride 3: what is divided by 3, and what is added afterwards?",
        "divide the distance that the window can move, and nothing else.",
        bent(lambda g: {}, lambda size, g: (steps(g) + 1) // g["stride"]),
    ),
    Mistake(
        "default stride of pooling",
        "without a stride you step by the kernel's size; that is pooling's default, a convolution's is 1.",
        "conv_output_size(5, 3) is 3.",
        "look at the default in the first line of your function.",
        conv_pooling_default,
    ),
    Mistake(
        "arguments in another order",
        "your function takes padding before stride; called without names, it confuses the two.",
        "compare the first line of your function with the one in the task.",
        "the order is n, kernel_size, stride, padding, dilation.",
        conv_other_order,
    ),
    Mistake(
        "span one too small",
        "the kernel's span is one too small: from the first tap to the last is a distance, and both ends belong to it.",
        "a kernel of 1 covers one pixel. What does your formula say that it covers?",
        "look for a missing 1 before the division by the stride.",
        bent(lambda g: {"n": g["n"] + 1}),
    ),
    Mistake(
        "dilation taken as gap",
        "dilation is taken as the number of skipped pixels; it is the distance between taps, and 1 means no gap.",
        "with dilation 1, the default, your kernel should be an ordinary one.",
        "dilation 2 skips one pixel between neighbours.",
        bent(lambda g: {"dilation": g["dilation"] + 1}),
    ),
    Mistake(
        "padding after division",
        "padding is added after dividing by the stride; padded pixels are stepped over like all others.",
        "what does the kernel slide over: the row, or the padded row?",
        "lengthen the row first, and divide last.",
        bent(
            lambda g: {"n": g["n"] + UNFIT * g["stride"], "padding": 0}, lambda size, g: size - UNFIT + 2 * g["padding"]
        ),
    ),
    Mistake(
        "padding dilated",
        "padding is multiplied by dilation; padding counts pixels of the row, whatever the kernel does.",
        "dilation spreads the kernel's taps, not the border.",
        "the padded row has the same length for every dilation.",
        bent(lambda g: {"padding": g["padding"] * g["dilation"]}),
    ),
    Mistake(
        "division binds first",
        "the division is done before the subtraction: Python's // binds more tightly than + and −.",
        "how does Python read a - b // c + 1?",
        "put the whole distance in brackets before dividing it.",
        bent(
            lambda g: {},
            lambda size, g: g["n"] + 2 * g["padding"] - (g["n"] + 2 * g["padding"] - steps(g)) // g["stride"] + 1,
        ),
    ),
    Mistake(
        "same padding assumed",
        "you assume the padding that keeps the size (“same”); the padding given is to be used.",
        "without padding, a 3-wide kernel on 5 pixels leaves 3.",
        "padding is an argument with default 0.",
        bent(lambda g: {"kernel_size": 1, "padding": 0, "dilation": 1}),
    ),
    Mistake(
        "size divided by stride",
        "you divide the image's size by the stride and forget the kernel.",
        "the last kernel_size − 1 pixels are no place to start a window.",
        "find the last place at which a window can start.",
        bent(lambda g: {"kernel_size": 1, "padding": 0, "dilation": 1}, lambda size, g: g["n"] // g["stride"]),
    ),
    Mistake(
        "transposed formula",
        "this is the size of a *transposed* convolution, which goes the other way and grows.",
        "a convolution without padding never gives more than went in.",
        "here the stride divides.",
        bent(
            lambda g: {},
            lambda size, g: transpose(g["n"], g["kernel_size"], g["stride"], 0, 0, g["dilation"]) - 2 * g["padding"],
        ),
    ),
    Mistake(
        "fit not checked",
        "a kernel that does not fit goes unnoticed and gives a size of zero or less.",
        "what should happen for 2 pixels and a kernel of 3?",
        "compare the kernel's span with the padded row before dividing, and raise ValueError.",
        below_one,
    ),
    Mistake(
        "zero for no fit",
        "a kernel that does not fit gives 0; a ValueError is wanted, as torch refuses such a layer too.",
        "raise ValueError(...) with a sentence.",
        "test first, compute afterwards.",
        conv_zero,
    ),
    Mistake(
        "zero let through",
        "a kernel that is only a little too large goes unnoticed: you give 0, and refuse only what is below.",
        "what should happen for 2 pixels and a kernel of 3?",
        "zero windows means that the kernel does not fit even once.",
        conv_below_zero_only,
    ),
    Mistake(
        "rounded towards zero",
        "a kernel that is a little too large gets one window: int(…) rounds towards zero, so −0.5 becomes 0.",
        "what is int(-0.5), and what is math.floor(-0.5)?",
        "compare the kernel's span with the padded row before dividing, and raise ValueError.",
        conv_truncated,
    ),
    Mistake(
        "other error",
        "an error is raised when the kernel does not fit, but not a ValueError.",
        "which error is meant for a value that makes no sense?",
        "assert raises AssertionError; write `if …: raise ValueError(…)`.",
        conv_other_error,
    ),
    Mistake(
        "exact fit demanded",
        "you refuse sizes at which the last step does not end on the border; torch drops the rest and goes on.",
        "7 pixels, kernel 3, stride 3: some slides say that it doesn't fit. How many windows lie inside?",
        "only a kernel that does not fit even once is an error.",
        conv_exact_only,
    ),
    Mistake(
        "exact fit refused",
        "you refuse a kernel as large as the padded image; it fits, once.",
        "is the comparison < or <= ?",
        "one window is enough.",
        conv_strictly_smaller,
    ),
    Mistake(
        "fit tested before padding",
        "whether the kernel fits is tested against the image without its padding.",
        "2 pixels with padding 2 make 6: a kernel of 5 fits.",
        "compare after padding.",
        conv_fit_before_padding,
    ),
    Mistake(
        "fit tested without dilation",
        "whether the kernel fits is tested without its dilation.",
        "how many pixels does a kernel of 3 span at dilation 2?",
        "compare the span of the spread-out kernel.",
        conv_fit_without_dilation,
    ),
)


# ── pool_output_size ─────────────────────────────────────────────────────────────────────────────────────────────────


def pool(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    """The length of a real pooling's output."""
    return F.max_pool1d(blank(1, 1, n), kernel_size, stride, padding, ceil_mode=ceil_mode).shape[-1]


def pool_bent(change, after=lambda size, given: size):
    """`pool` with its arguments changed, and its result."""

    def target(n, kernel_size, stride=None, padding=0, ceil_mode=False):
        given = {"n": n, "kernel_size": kernel_size, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
        return after(pool(**{**given, **change(given)}), given)

    return target


def windows(given, round_up):
    """Windows counted as a convolution counts them, rounded up or down."""
    stride = given["stride"] or given["kernel_size"]
    n = given["n"] + (stride - 1 if round_up else 0)
    return conv(n, given["kernel_size"], stride, given["padding"])


def step(given):
    return given["stride"] or given["kernel_size"]


POOL = (
    Mistake(
        "default stride one",
        "stride=None is taken as 1; pooling windows stand side by side unless told otherwise.",
        "28 pixels pooled by 2 give 14.",
        "None stands for the kernel size.",
        pool_bent(lambda g: {"stride": g["stride"] or 1}),
    ),
    Mistake(
        "default stride two",
        "stride=None is taken as 2; that is right only for windows of 2.",
        "what is the default for windows of 3?",
        "None stands for the kernel size.",
        pool_bent(lambda g: {"stride": g["stride"] or 2}),
    ),
    Mistake(
        "stride ignored",
        "the stride given is not used: windows always stand side by side.",
        "windows of 3 with stride 2 overlap.",
        "only None means the kernel size.",
        pool_bent(lambda g: {"stride": None}),
    ),
    Mistake(
        "ceil_mode ignored",
        "ceil_mode is ignored: with it, a window that hangs over the end counts too.",
        "5 pixels, windows of 2: with ceil_mode there are 3.",
        "round the number of steps up instead of down.",
        pool_bent(lambda g: {"ceil_mode": False}),
    ),
    Mistake(
        "always rounded up",
        "the size is always rounded up; that is so only with ceil_mode=True.",
        "5 pixels, windows of 2: without ceil_mode there are 2.",
        "rounding down is the default.",
        pool_bent(lambda g: {"ceil_mode": True}),
    ),
    Mistake(
        "ceil_mode the wrong way round",
        "ceil_mode is the wrong way round: True rounds down and False rounds up.",
        "which of the two has “ceiling” in its name?",
        "swap the two branches.",
        pool_bent(lambda g: {"ceil_mode": not g["ceil_mode"]}),
    ),
    Mistake(
        "window beyond the border",
        "with ceil_mode, a window may hang over the end, but it must start inside the image or its left padding.",
        "4 pixels, kernel 2, stride 3, padding 1: where would the third window start?",
        "after rounding up, look at where the last window starts, and drop it if that is in the right-hand padding.",
        pool_bent(lambda g: {}, lambda size, g: windows(g, g["ceil_mode"])),
    ),
    Mistake(
        "window in the padding",
        "with ceil_mode, you keep a window that starts exactly where the right-hand padding begins: it sees no pixel.",
        "4 pixels, kernel 1, stride 2: which pixels do the windows of your result see?",
        "is the comparison > or >= ?",
        pool_bent(
            lambda g: {},
            lambda size, g: (
                size + 1
                if g["ceil_mode"] and windows(g, True) > size and size * step(g) == g["n"] + g["padding"]
                else size
            ),
        ),
    ),
    Mistake(
        "left padding forgotten",
        "with ceil_mode, you drop windows that still see pixels: in the padded row the image ends at n + padding.",
        "at which place of the padded row does the first real pixel lie?",
        "windows start at multiples of the stride in the *padded* row.",
        pool_bent(
            lambda g: {},
            lambda size, g: windows(g, True) - (step(g) * (windows(g, True) - 1) >= g["n"]) if g["ceil_mode"] else size,
        ),
    ),
    Mistake(
        "last window dropped too early",
        "with ceil_mode, you drop a window that starts on the very last pixel.",
        "a window may start on the very last pixel.",
        "compare its start with the number of pixels plus the left padding.",
        pool_bent(
            lambda g: {},
            lambda size, g: (
                size - 1 if g["ceil_mode"] and (size - 1) * step(g) == g["n"] + g["padding"] - 1 and size > 1 else size
            ),
        ),
    ),
    Mistake(
        "padding counted once",
        "padding is counted on one side only; it is added at both ends.",
        "5 pixels with padding 1 are 7.",
        "it appears twice in the sum.",
        lambda n, kernel_size, stride=None, padding=0, ceil_mode=False: below_one_pool(
            n + padding, kernel_size, stride, 0, ceil_mode
        ),
    ),
    Mistake(
        "padding ignored",
        "padding is not taken into account.",
        "which argument does your formula never use?",
        "windows slide over the padded row.",
        lambda n, kernel_size, stride=None, padding=0, ceil_mode=False: below_one_pool(
            n, kernel_size, stride, 0, ceil_mode
        ),
    ),
    Mistake(
        "one forgotten",
        "the result is one too small: the first window counts as well.",
        "a window as large as the image gives one value.",
        "steps and windows differ by one.",
        pool_bent(lambda g: {}, lambda size, g: size - 1),
    ),
    Mistake(
        "one too many",
        "the result is one too large.",
        "a window as large as the image gives one value.",
        "look for a 1 that is added twice.",
        pool_bent(lambda g: {}, lambda size, g: size + 1),
    ),
    Mistake(
        "size divided by stride",
        "you divide the size by the stride; that is right only when windows stand side by side without padding.",
        "7 pixels, windows of 3, stride 2: count them.",
        "find how far the first window can move, then divide.",
        pool_bent(lambda g: {}, lambda size, g: -(-g["n"] // step(g)) if g["ceil_mode"] else g["n"] // step(g)),
    ),
    Mistake(
        "not whole",
        "the result is a float; a size is a whole number of windows.",
        "what does 4 / 2 give in Python, and what 4 // 2?",
        "use whole-number division, or int(...) around the rounded number.",
        pool_bent(lambda g: {}, lambda size, g: float(size)),
    ),
    Mistake(
        "exact division rounded up",
        "with ceil_mode you always add one window, even where the last one ends exactly on the border.",
        "4 pixels, windows of 2: nothing is left over, so there is nothing to round up.",
        "rounding up a whole number leaves it as it is.",
        pool_bent(lambda g: {}, lambda size, g: windows(g, False) + 1 if g["ceil_mode"] else size),
    ),
)


def below_one_pool(n, kernel_size, stride, padding, ceil_mode):
    """`pool`, also where the window does not fit."""
    stride = stride or kernel_size
    return pool(n + UNFIT * stride, kernel_size, stride, padding, ceil_mode) - UNFIT


# ── conv_transpose_output_size ───────────────────────────────────────────────────────────────────────────────────────


def transpose(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    """The length of a real transposed convolution's output."""
    weight = blank(1, 1, kernel_size)
    size = F.conv_transpose1d(blank(1, 1, n), weight, None, stride, padding, output_padding, 1, dilation)
    return size.shape[-1]


def transpose_bent(change, after=lambda size, given: size):
    """`transpose` with its arguments changed, and its result."""

    def target(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
        given = {"n": n, "kernel_size": kernel_size, "stride": stride, "padding": padding}
        given |= {"output_padding": output_padding, "dilation": dilation}
        return after(transpose(**{**given, **change(given)}), given)

    return target


TRANSPOSE = (
    Mistake(
        "ordinary formula",
        "this is the size of an ordinary convolution; the transposed one goes the other way and grows.",
        "2 values, kernel 2, stride 1: every value lays down a whole kernel. How long is the result?",
        "start from where the last value lays down its kernel.",
        transpose_bent(
            lambda g: {},
            lambda size, g: below_one(*(g[a] for a in ("n", "kernel_size", "stride", "padding", "dilation"))),
        ),
    ),
    Mistake(
        "padding added",
        "padding makes the result larger; here it is cut off at both ends instead.",
        "padding undoes what padding added in the forward direction.",
        "change its sign.",
        transpose_bent(lambda g: {}, lambda size, g: size + 4 * g["padding"]),
    ),
    Mistake(
        "padding counted once",
        "padding is taken off one side only.",
        "both ends lose it.",
        "it appears twice in the sum.",
        transpose_bent(lambda g: {}, lambda size, g: size + g["padding"]),
    ),
    Mistake(
        "padding ignored",
        "padding is not taken into account.",
        "which argument does your formula never use?",
        "cut the padding off both ends.",
        transpose_bent(lambda g: {"padding": 0}),
    ),
    Mistake(
        "output_padding ignored",
        "output_padding is not taken into account.",
        "it settles which of several sizes is meant: stride 2 takes both 7 and 8 to 4.",
        "add it once, at the end.",
        transpose_bent(lambda g: {}, lambda size, g: size - g["output_padding"]),
    ),
    Mistake(
        "output_padding counted twice",
        "output_padding is added at both ends; it is added at one end only.",
        "unlike padding, it appears once.",
        "that is what lets it make a size odd or even.",
        transpose_bent(lambda g: {}, lambda size, g: size + g["output_padding"]),
    ),
    Mistake(
        "output_padding subtracted",
        "output_padding makes the result smaller; it makes it larger.",
        "its name says what it pads.",
        "change its sign.",
        transpose_bent(lambda g: {}, lambda size, g: size - 2 * g["output_padding"]),
    ),
    Mistake(
        "dilation ignored",
        "dilation is not taken into account.",
        "how long is the kernel that each value lays down, when its taps are spread out?",
        "replace the kernel's size by its span.",
        transpose_bent(
            lambda g: {"kernel_size": g["kernel_size"], "dilation": 1, "output_padding": 0},
            lambda size, g: size + g["output_padding"],
        ),
    ),
    Mistake(
        "dilation stretches every tap",
        "dilation multiplies the whole kernel size; there is one gap fewer than there are taps.",
        "draw three taps with dilation 2 (x . x . x) and count.",
        "count gaps, then add the one tap that has none behind it.",
        transpose_bent(lambda g: {}, lambda size, g: size + g["dilation"] - 1),
    ),
    Mistake(
        "dilation added",
        "dilation is added to the kernel's size once; it widens every gap between the taps.",
        "draw three taps with dilation 3 (x . . x . . x) and count from end to end.",
        "three taps have two gaps, and each of them grows.",
        transpose_bent(
            lambda g: {"kernel_size": g["kernel_size"] + g["dilation"] - 1, "dilation": 1, "output_padding": 0},
            lambda size, g: size + g["output_padding"],
        ),
    ),
    Mistake(
        "arguments in another order",
        "your function takes dilation before output_padding; called without names, it confuses the two.",
        "compare the first line of your function with the one in the task.",
        "the order is n, kernel_size, stride, padding, output_padding, dilation.",
        lambda n, kernel_size, stride=1, padding=0, dilation=1, output_padding=0: (
            transpose(n, kernel_size, stride, padding, 0, dilation) + output_padding
        ),
    ),
    Mistake(
        "stride times every value",
        "you give every value a whole stride; there is one step fewer than there are values.",
        "one value makes no step at all, whatever the stride.",
        "count the steps between the values, then add one kernel.",
        transpose_bent(lambda g: {}, lambda size, g: size + g["stride"]),
    ),
    Mistake(
        "size times stride",
        "you multiply the size by the stride and forget the kernel: right only for special paddings.",
        "1 value and a kernel of 3 give 3.",
        "each value lays down a whole kernel, and the last one reaches beyond the last step.",
        transpose_bent(lambda g: {}, lambda size, g: g["n"] * g["stride"]),
    ),
    Mistake(
        "stride ignored",
        "stride is not taken into account: here it sets how far apart the kernels are laid down.",
        "2 values, kernel 2, stride 2: do the two kernels overlap?",
        "the steps between values are multiplied by the stride.",
        transpose_bent(lambda g: {}, lambda size, g: size - (g["n"] - 1) * (g["stride"] - 1)),
    ),
    Mistake(
        "one forgotten",
        "the result is one too small: the kernel's span includes both its ends.",
        "1 value and a kernel of 1 give 1.",
        "look for a missing 1 at the end of the sum.",
        transpose_bent(lambda g: {}, lambda size, g: size - 1),
    ),
    Mistake(
        "one too many",
        "the result is one too large.",
        "1 value and a kernel of 1 give 1.",
        "look for a 1 that is added twice.",
        transpose_bent(lambda g: {}, lambda size, g: size + 1),
    ),
)


# ── conv_parameters ──────────────────────────────────────────────────────────────────────────────────────────────────


def parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """The numbers in a real layer, counted."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
    return sum(p.numel() for p in layer.parameters())


def parameters_bent(change=lambda given: {}, after=lambda count, given: count):
    """`parameters` with its arguments changed, and its result."""

    def target(in_channels, out_channels, kernel_size, bias=True, groups=1):
        given = {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size}
        given |= {"bias": bias, "groups": groups}
        return after(parameters(**{**given, **change(given)}), given)

    return target


def weights(given):
    return parameters(**{**given, "bias": False})


PARAMETERS = (
    Mistake(
        "bias forgotten",
        "the biases are not counted: each filter has one.",
        "10 filters of 5×5 on 3 channels: 76 numbers each, not 75.",
        "add one number per filter when bias is True.",
        parameters_bent(lambda g: {"bias": False}),
    ),
    Mistake(
        "bias always counted",
        "the biases are counted although bias=False.",
        "which argument does your formula never use?",
        "add them only when they are there.",
        parameters_bent(lambda g: {"bias": True}),
    ),
    Mistake(
        "nothing without bias",
        "without bias your count is 0: Python reads a + b if c else d as (a + b) if c else d.",
        "print your result for bias=False.",
        "put brackets around the part that depends on bias, or use an if of its own.",
        parameters_bent(after=lambda count, g: count if g["bias"] else 0),
    ),
    Mistake(
        "arguments in another order",
        "your function takes groups before bias; called without names, it confuses the two.",
        "compare the first line of your function with the one in the task.",
        "the order is in_channels, out_channels, kernel_size, bias, groups.",
        lambda in_channels, out_channels, kernel_size, groups=1, bias=True: parameters(
            in_channels, out_channels, kernel_size, bool(bias), int(groups)
        ),
    ),
    Mistake(
        "one bias in all",
        "you count one bias for the whole layer; each filter has its own.",
        "how many numbers does one filter add to its map?",
        "one bias per output channel.",
        parameters_bent(after=lambda count, g: weights(g) + g["bias"]),
    ),
    Mistake(
        "bias per input channel",
        "you count a bias for every input channel of every filter; a filter sums over them and adds one number.",
        "1 bias per filter: 5·5·3 + 1 = 76.",
        "add the bias after the sum over the channels.",
        parameters_bent(
            after=lambda count, g: weights(g) + g["bias"] * g["in_channels"] // g["groups"] * g["out_channels"]
        ),
    ),
    Mistake(
        "bias counted by input channels",
        "there is one bias per output channel, not per input channel.",
        "3 channels in, 10 filters: how many maps come out?",
        "every output map has its own bias.",
        parameters_bent(after=lambda count, g: weights(g) + g["bias"] * g["in_channels"]),
    ),
    Mistake(
        "input channels forgotten",
        "a filter extends through all input channels; you count one slice of it.",
        "a 5×5 filter on 3 channels has 75 weights, not 25.",
        "multiply by the channels that a filter sees.",
        parameters_bent(after=lambda count, g: count - weights(g) + g["out_channels"] * g["kernel_size"] ** 2),
    ),
    Mistake(
        "one filter only",
        "you count one filter; the layer has out_channels of them.",
        "76 for one filter, 760 for ten.",
        "multiply by the number of filters.",
        parameters_bent(lambda g: {"out_channels": g["groups"]}, lambda count, g: count // g["groups"]),
    ),
    Mistake(
        "kernel not squared",
        "kernel_size is the side of a square: there are kernel_size² weights per slice.",
        "how many weights has a 5×5 slice?",
        "the size counts twice, for height and for width.",
        parameters_bent(after=lambda count, g: count - weights(g) + weights(g) // g["kernel_size"]),
    ),
    Mistake(
        "groups ignored",
        "groups is not taken into account: with groups, a filter sees only its own share of the channels.",
        "a depthwise layer (groups = channels) has one slice per filter.",
        "divide the channels that one filter sees.",
        parameters_bent(lambda g: {"groups": 1}),
    ),
    Mistake(
        "groups divide everything",
        "you divide the biases by groups as well; every output channel keeps its own.",
        "groups change what a filter sees, not how many filters there are.",
        "divide the weights only.",
        parameters_bent(after=lambda count, g: weights(g) + g["bias"] * g["out_channels"] // g["groups"]),
    ),
    Mistake(
        "groups divide twice",
        "you divide both input and output channels by groups: that is one group; there are `groups` of them.",
        "8 channels, 8 groups, 3×3: eight slices of nine weights.",
        "multiply by the number of groups again.",
        parameters_bent(after=lambda count, g: count - weights(g) + weights(g) // g["groups"]),
    ),
    Mistake(
        "groups multiply",
        "groups make a layer smaller, not larger.",
        "a depthwise layer is the cheap one.",
        "divide instead of multiplying.",
        parameters_bent(after=lambda count, g: count - weights(g) + weights(g) * g["groups"] ** 2),
    ),
    Mistake(
        "channels added",
        "input and output channels are added; every output channel has weights for every input channel.",
        "3 in, 10 out, 1×1: how many connections?",
        "each with each: a product.",
        parameters_bent(
            after=lambda count, g: (
                count - weights(g) + (g["in_channels"] // g["groups"] + g["out_channels"]) * g["kernel_size"] ** 2
            )
        ),
    ),
    Mistake(
        "not whole",
        "the count is a float; parameters come in whole numbers.",
        "dividing with / gives a float.",
        "use //.",
        parameters_bent(after=lambda count, g: float(count)),
    ),
)


# ── receptive_field ──────────────────────────────────────────────────────────────────────────────────────────────────


def receptive(layers, kernel=lambda k: k, stride=lambda i, s, last: s, dilation=lambda d: d, order=lambda ls: ls):
    """How many input values a gradient reaches from one output value of a real stack of convolutions."""
    layers = order(list(layers))
    bent_layers = [(kernel(k), stride(i, s, i == len(layers) - 1), dilation(d)) for i, (k, s, d) in enumerate(layers)]
    # From the output backwards, the input size at which each layer gives just what the next one needs.
    n = 1
    for k, s, d in reversed(bent_layers):
        n = transpose(n, k, s, 0, 0, d)
    x = signal = torch.ones(1, 1, n, dtype=torch.float64, requires_grad=True)
    for k, s, d in bent_layers:
        signal = F.conv1d(signal, torch.ones(1, 1, k, dtype=torch.float64), None, s, 0, d)
    (gradient,) = torch.autograd.grad(signal.sum(), x)
    touched = gradient.flatten().nonzero().flatten()
    return int(touched[-1] - touched[0]) + 1


def dense(layers):
    return receptive(layers, stride=lambda i, s, last: 1)


def changes_list(layers):
    size = receptive(layers)
    layers.clear()
    return size


RECEPTIVE = (
    Mistake(
        "list changed",
        "the list of layers is changed in place: whoever called you still needs it.",
        "pop, reverse, sort and del change the list itself.",
        "go through the list with for; reversed(layers) and layers[::-1] leave it as it is.",
        changes_list,
    ),
    Mistake(
        "nothing for no layers",
        "without any layer you give 0; an input pixel sees itself, so it is 1.",
        "what does your function start from?",
        "start from a single pixel.",
        lambda layers: receptive(layers) if layers else 0,
    ),
    Mistake(
        "kernels of 1 skipped",
        "layers with a kernel of 1 are skipped together with their stride, which still acts on the layers after them.",
        "a kernel of 1 with stride 2, then a kernel of 3: how far apart are the three pixels?",
        "a kernel of 1 adds nothing to the field, but its stride counts.",
        lambda layers: receptive([layer for layer in layers if layer[0] > 1]),
    ),
    Mistake(
        "even kernels made odd",
        "even kernels are counted one too large: a kernel of 2 does not reach as far to one side as to the other.",
        "one layer of 2 sees 2 pixels. What does yours say?",
        "k // 2 to either side is right for odd kernels only.",
        lambda layers: receptive(layers, kernel=lambda k: k // 2 * 2 + 1),
    ),
    Mistake(
        "dilation added",
        "dilation is added to the kernel once; it widens every gap between the taps.",
        "x . . x . . x: a kernel of 3 with dilation 3 spans 7, not 5.",
        "three taps have two gaps, and each of them grows.",
        lambda layers: receptive([(k + d - 1, s, 1) for k, s, d in layers]),
    ),
    Mistake(
        "stride ignored",
        "strides are not taken into account: after a stride of 2, neighbouring values are 2 input pixels apart.",
        "two layers of 3, the first with stride 2: draw which pixels the second one reaches.",
        "keep a second number beside the size: how far apart neighbours are, in input pixels.",
        dense,
    ),
    Mistake(
        "dilation ignored",
        "dilation is not taken into account: a spread-out kernel reaches further.",
        "a kernel of 3 with dilation 2 spans 5.",
        "what a layer adds is its span minus one.",
        lambda layers: receptive(layers, dilation=lambda d: 1),
    ),
    Mistake(
        "read from the output",
        "the layers are read in the wrong order: a stride acts on the layers *after* it, nearer to the output.",
        "compare (3, stride 2) then (3, stride 1) with the other order.",
        "the list runs from input to output.",
        lambda layers: receptive(layers, order=lambda ls: ls[::-1]),
    ),
    Mistake(
        "own stride counted",
        "a layer's own stride is applied to its own kernel; it acts only on the layers after it.",
        "one layer of 3 with stride 2 sees 3 pixels, not 5.",
        "use the distance between neighbours *before* this layer, then update it.",
        lambda layers: own_stride(layers),
    ),
    Mistake(
        "kernels summed",
        "you add up the kernels; they overlap by one pixel, so two layers of 3 see 5, not 6.",
        "draw the five pixels below two layers of 3.",
        "each layer after the first adds its kernel minus one.",
        lambda layers: receptive(layers) - 1 + sum_of_steps(layers),
    ),
    Mistake(
        "one forgotten",
        "the result is one too small: a pixel sees at least itself.",
        "without any layer, a pixel sees 1 pixel: itself.",
        "start at 1.",
        lambda layers: receptive(layers) - 1,
    ),
    Mistake(
        "one too many",
        "the result is one too large.",
        "without any layer, a pixel sees 1 pixel, itself; with one layer of 3 it sees 3.",
        "look for a 1 that is added twice.",
        lambda layers: receptive(layers) + 1,
    ),
    Mistake(
        "strides added",
        "the strides are added up; they multiply: 2 after 2 makes neighbours 4 input pixels apart.",
        "three layers of 2 with stride 2: how far apart are neighbours at the end?",
        "multiply the distance by each stride.",
        lambda layers: added_strides(layers),
    ),
    Mistake(
        "kernels multiplied",
        "the kernels are multiplied; a receptive field grows by sums.",
        "two layers of 3 see 5 pixels, not 9.",
        "what does the second layer add at either end?",
        lambda layers: product(k for k, _, _ in layers),
    ),
    Mistake(
        "dilation stretches every tap",
        "dilation multiplies the whole kernel; there is one gap fewer than there are taps.",
        "x . x . x spans 5, not 6.",
        "span minus one is what counts, and that is what dilation multiplies.",
        lambda layers: receptive([(k * d, s, 1) for k, s, d in layers]),
    ),
    Mistake(
        "only the last layer",
        "you look at one layer; the ones below it see further.",
        "each value the last layer sees has itself seen several pixels.",
        "go through all layers and keep what the earlier ones gave.",
        lambda layers: receptive(list(layers)[-1:]),
    ),
    Mistake(
        "only the last stride",
        "only the stride of the layer just before is used; strides multiply through the whole stack.",
        "three layers of 2 with stride 2 see 8 pixels.",
        "keep the product of all strides so far.",
        lambda layers: previous_stride(layers),
    ),
    Mistake(
        "radius instead of width",
        "you give the reach to one side; the field extends to both sides.",
        "one layer of 3 sees 3 pixels in all.",
        "count the pixels from the first to the last.",
        lambda layers: receptive(layers) // 2,
    ),
    Mistake(
        "not whole",
        "the result is a float; pixels come in whole numbers.",
        "where do you divide?",
        "nothing needs to be divided here.",
        lambda layers: float(receptive(layers)),
    ),
)


def product(numbers):
    return int(torch.tensor(list(numbers), dtype=torch.int64).prod())


def sum_of_steps(layers):
    """What is counted twice where kernels are laid end to end: for each layer, how far apart its inputs are."""
    return sum(receptive([*layers[:i], (2, 1, 1)]) - receptive(layers[:i]) for i in range(len(layers)))


def own_stride(layers):
    """Each stride acting one layer too early."""
    strides = [s for _, s, _ in layers]
    if not layers:
        return receptive(layers)
    shifted = [(k, s, d) for (k, _, d), s in zip(layers, [*strides[1:], 1], strict=True)]
    return receptive([(1, strides[0], 1), *shifted])


def added_strides(layers):
    """Each layer on a grid as coarse as 1 and the strides before it, added."""
    grids = [1 + sum(s for _, s, _ in layers[:i]) for i in range(len(layers))]
    return 1 + sum(receptive([(1, grid, 1), layer]) - 1 for grid, layer in zip(grids, layers, strict=True))


def previous_stride(layers):
    """Each layer on a grid as coarse as the one stride before it."""
    pairs = [layers[max(0, i - 1) : i + 1] for i in range(len(layers))]
    return 1 + sum(receptive(pair) - receptive(pair[:-1]) for pair in pairs)


ANSWERS = {
    "conv_output_size": Answer(conv, CONV),
    "pool_output_size": Answer(pool, POOL),
    "conv_transpose_output_size": Answer(transpose, TRANSPOSE),
    "conv_parameters": Answer(parameters, PARAMETERS),
    "receptive_field": Answer(receptive, RECEPTIVE),
}
