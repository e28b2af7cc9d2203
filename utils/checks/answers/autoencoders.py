"""Chapter 08: torch's transposed convolution, scikit-image's PSNR, the course's autoencoder; how learners go wrong."""

import torch
import torch.nn.functional as F
from torch import nn

from utils import models
from utils.checks.answer import Answer, Mistake

# ── conv_transpose2d ─────────────────────────────────────────────────────────────────────────────────────────────────


def torchs(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """torch's own, with arguments in the exercise's order."""
    return F.conv_transpose2d(x, weight, bias, stride, padding, output_padding)


def bent(x=lambda x, s: x, weight=lambda w: w, y=lambda y: y, **replaced):
    """torch's answer for other pictures, another kernel or other settings, and what is made of it.

    `x` gets the pictures and the settings; `replaced` are settings, or functions of all settings.
    """

    def target(pictures, kernel, bias=None, stride=1, padding=0, output_padding=0):
        settings = {"stride": stride, "padding": padding, "output_padding": output_padding}
        new = {name: value(settings) if callable(value) else value for name, value in replaced.items()}
        found = F.conv_transpose2d(x(pictures, settings), weight(kernel), None, **(settings | new))
        return y(found) if bias is None else y(found) + bias.view(-1, 1, 1)

    return target


def stamps(x, weight, stride):
    """The stamp of each pixel on the whole output, one after the other, and where it lies: (B, C_out, …), (…)."""
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            alone = torch.zeros_like(x)
            alone[:, :, i, j] = x[:, :, i, j]
            place = F.conv_transpose2d(
                (alone[:1, :1] * 0 + (alone[:1, :1] != 0)), torch.ones_like(weight[:1, :1]), None, stride
            )
            yield F.conv_transpose2d(alone, weight, None, stride), place > 0


def cropped(y, bias, padding, output_padding):
    """What torch's padding and output padding leave of a full output: cut, and zeros where there is nothing more."""
    low, high = padding, padding - output_padding
    y = F.pad(y, (-low, -high, -low, -high))
    return y if bias is None else y + bias.view(-1, 1, 1)


def overwritten(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    full = torchs(x, weight, None, stride) * 0
    for stamp, place in stamps(x, weight, stride):
        full = torch.where(place, stamp, full)
    return cropped(full, bias, padding, output_padding)


def largest(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    full = torchs(x, weight, None, stride) * 0
    for stamp, place in stamps(x, weight, stride):
        full = torch.where(place, torch.maximum(full, stamp), full)
    return cropped(full, bias, padding, output_padding)


def times_written(x, weight, stride, padding, output_padding):
    """How many stamps reach each pixel, (1, 1, H, W)."""
    ones = torch.ones_like(x[:1, :1]), torch.ones_like(weight[:1, :1])
    return F.conv_transpose2d(*ones, None, stride, padding, output_padding)


def averaged(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    y = torchs(x, weight, None, stride, padding, output_padding)
    y = y / times_written(x, weight, stride, padding, output_padding).clamp(min=1)
    return y if bias is None else y + bias.view(-1, 1, 1)


def bias_in_each_stamp(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    y = torchs(x, weight, None, stride, padding, output_padding)
    count = times_written(x, weight, stride, padding, output_padding)
    return y if bias is None else y + bias.view(-1, 1, 1) * count


def bias_for_each_channel(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    return torchs(x, weight, None if bias is None else bias * x.shape[1], stride, padding, output_padding)


def bias_left_out(x, weight, bias=None, *settings):
    return torchs(x, weight, None, *settings)


def bias_in_input_order(x, weight, bias=None, *settings):
    """The bias added as if it belonged to the columns: broadcast from the right."""
    y = torchs(x, weight, None, *settings)
    return y if bias is None else y + bias


def ordinary(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    return F.conv2d(x, weight.transpose(0, 1), bias, stride, padding)


def border_added(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    y = F.pad(torchs(x, weight, None, stride), (padding, padding + output_padding) * 2)
    return y if bias is None else y + bias.view(-1, 1, 1)


def cut(low, high):
    """The full output, cut as if padding and output padding were these functions of the two."""

    def target(x, weight, bias=None, stride=1, padding=0, output_padding=0):
        before, after = low(padding, output_padding), high(padding, output_padding)
        y = F.pad(torchs(x, weight, None, stride), (-before, -after, -before, -after))
        return y if bias is None else y + bias.view(-1, 1, 1)

    return target


def zeros_behind(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    y = F.pad(torchs(x, weight, None, stride, padding), (0, output_padding, 0, output_padding))
    return y if bias is None else y + bias.view(-1, 1, 1)


def gap_behind_each(x, settings):
    """Zeros between the pixels, and behind the last ones too."""
    s = settings["stride"]
    spread = F.conv_transpose2d(x.flatten(0, 1)[:, None], x.new_ones(1, 1, 1, 1), None, s, 0, s - 1)
    return spread.view(*x.shape[:2], *spread.shape[2:])


def repeated(x, settings):
    return F.interpolate(x, scale_factor=settings["stride"], mode="nearest") if settings["stride"] > 1 else x


TRANSPOSED = (
    Mistake(
        "overlaps overwritten",
        "where two stamps overlap, yours overwrites what was there. They add up.",
        "in the example by hand, the middle gets 4: from which stamps?",
        "add to what is there already; begin with zeros.",
        overwritten,
    ),
    Mistake(
        "the larger stamp wins",
        "where two stamps overlap, you keep the larger one: that is pooling. They add up.",
        "in the example by hand, the middle gets 4: from which stamps?",
        "add to what is there already; begin with zeros.",
        largest,
    ),
    Mistake(
        "overlaps averaged",
        "where several stamps overlap, you divide by how many there are. A transposed convolution only adds: that is "
        "why it leaves checkerboards.",
        "in the example by hand, is the middle a sum or a mean?",
        "leave the sum as it is.",
        averaged,
    ),
    Mistake(
        "kernel flipped",
        "you turn the kernel by 180°. Each pixel stamps the kernel as it is; it is the view from the output, gathering "
        "instead of stamping, that sees it turned.",
        "a picture with a single 1: what must come out?",
        "take the kernel as it comes.",
        bent(weight=lambda w: w.flip(2, 3)),
    ),
    Mistake(
        "kernel's rows and columns swapped",
        "your kernel lies on its side: the third axis of `weight` counts rows, the fourth columns.",
        "try a kernel with one row and three columns.",
        "weight[i, o, row, column].",
        bent(weight=lambda w: w.transpose(2, 3)),
    ),
    Mistake(
        "output's rows and columns swapped",
        "rows and columns of your output are swapped: height comes first, (B, C, H, W).",
        "a picture with two rows and three columns: which shape comes out?",
        "look at the indices with which you write into the output.",
        bent(y=lambda y: y.transpose(2, 3)),
    ),
    Mistake(
        "stride spreads the kernel",
        "you spread the *kernel*: that is dilation. Stride is how far the stamps of neighbouring pixels lie apart.",
        "at stride 2, at which row does the stamp of row 1 begin?",
        "the stamp keeps its size; only its place is multiplied by the stride.",
        bent(stride=1, dilation=lambda s: s["stride"], output_padding=0),
    ),
    Mistake(
        "stride ignored",
        "your stamps lie one pixel apart whatever the stride is.",
        "at stride 2, at which row does the stamp of row 1 begin?",
        "multiply the place of a pixel by the stride.",
        bent(stride=1, output_padding=0),
    ),
    Mistake(
        "a gap behind the last pixel too",
        "you put zeros behind *every* pixel, so the output is too large: they belong only *between* pixels.",
        "two pixels, stride 3, kernel 1: how long is the output?",
        "the last stamp begins at (n − 1) · stride.",
        bent(x=gap_behind_each, stride=1, output_padding=0),
    ),
    Mistake(
        "pixels repeated",
        "you fill the gaps by repeating pixels; in a transposed convolution there is nothing in them, and only the "
        "stamps reach into them.",
        "two pixels, stride 3, kernel 1: what stands between them?",
        "zeros, not copies.",
        bent(x=repeated, stride=1, output_padding=0),
    ),
    Mistake(
        "padding put around the output",
        "you add a border around the output. Here padding is what the convolution put around *its* input, so it is "
        "cut off on the way back.",
        "does a larger padding give a larger or a smaller output? See chapter 02's formula.",
        "cut `padding` rows and columns off on every side.",
        border_added,
    ),
    Mistake(
        "padding put around the input",
        "you put zeros around the input, as a convolution does. In the transposed one, padding shrinks the output.",
        "does a larger padding give a larger or a smaller output? See chapter 02's formula.",
        "stamp first, then cut `padding` rows and columns off on every side.",
        bent(x=lambda x, s: F.pad(x, [s["padding"]] * 4), padding=0),
    ),
    Mistake(
        "padding ignored",
        "your output keeps the border that `padding` should cut off.",
        "which size says chapter 02's formula?",
        "cut `padding` rows and columns off on every side.",
        cut(lambda p, op: 0, lambda p, op: -op),
    ),
    Mistake(
        "padding cut at one end only",
        "you cut `padding` off at the top and on the left only; the bottom and the right have a border too.",
        "2 · padding in the formula: where does the other half go?",
        "cut on all four sides.",
        cut(lambda p, op: p, lambda p, op: -op),
    ),
    Mistake(
        "twice the padding at one end",
        "your output has the right size, but is cut only at the bottom and on the right, by twice the padding.",
        "where does the stamp of pixel (0, 0) lie after the cut?",
        "half of it belongs to the top and the left.",
        cut(lambda p, op: 0, lambda p, op: 2 * p - op),
    ),
    Mistake(
        "output_padding on both sides",
        "you let output_padding make the output larger on both sides; it does so at the bottom and on the right alone.",
        "by how many rows does the formula let output_padding=1 grow the output?",
        "one side only, the end.",
        cut(lambda p, op: p - op, lambda p, op: p - op),
    ),
    Mistake(
        "output_padding at the top and left",
        "your output_padding stands at the top and on the left; it belongs to the bottom and to the right.",
        "which rows had the convolution left over? Those at its end.",
        "cut less at the end, not at the beginning.",
        cut(lambda p, op: p - op, lambda p, op: p),
    ),
    Mistake(
        "output_padding ignored",
        "output_padding changes nothing in your output: that many rows and columns are missing.",
        "which size says chapter 02's formula?",
        "cut that many fewer rows at the bottom.",
        cut(lambda p, op: p, lambda p, op: p),
    ),
    Mistake(
        "output_padding filled with zeros",
        "you append zeros for output_padding. Stamps may have reached there: those numbers were only cut off.",
        "kernel 3, padding 1: what stood in the row that comes back?",
        "cut less instead of appending; zeros only where no stamp has been.",
        zeros_behind,
    ),
    Mistake(
        "weight read as (out, in)",
        "you read `weight` as (C_out, C_in, …), as Conv2d has it. A transposed convolution has it the other way "
        "round: (C_in, C_out, kH, kW).",
        "weight.shape[0] must be the channels of x.",
        "the first axis goes with x's channels, the second with the output's.",
        bent(weight=lambda w: w.transpose(0, 1)),
    ),
    Mistake(
        "only the first input channel",
        "only the first channel of x gets into the output: each output channel sums over *all* input channels.",
        "which loop or sum runs over the channels of x?",
        "sum over weight's first axis.",
        bent(x=lambda x, s: x[:, :1], weight=lambda w: w[:1]),
    ),
    Mistake(
        "only the last input channel",
        "only the last channel of x is left in the output: the others are overwritten.",
        "what happens to the output when the next input channel comes?",
        "add up over the input channels.",
        bent(x=lambda x, s: x[:, -1:], weight=lambda w: w[-1:]),
    ),
    Mistake(
        "mean over the channels",
        "you take the mean over the input channels; it is the sum.",
        "by which factor are you off, for two channels, for three?",
        "no division by the number of channels.",
        bent(weight=lambda w: w / len(w)),
    ),
    Mistake(
        "bias in each stamp",
        "you add the bias with each stamp, so that it counts several times where stamps overlap and not at all where "
        "there is none. It is added to each output pixel once.",
        "all weights zero: is your output flat?",
        "add it at the very end, or begin with it instead of zeros.",
        bias_in_each_stamp,
    ),
    Mistake(
        "bias for each input channel",
        "you add the bias once for every input channel; each output pixel gets it once.",
        "all weights zero: what comes out?",
        "add it outside the loop over the input channels.",
        bias_for_each_channel,
    ),
    Mistake(
        "bias forgotten",
        "the bias does not get into your output.",
        "what does your function do with `bias`?",
        "add it to each output channel, unless it is None.",
        bias_left_out,
    ),
    Mistake(
        "bias along the columns",
        "you add `bias` as it comes, (C_out,): torch lines it up with the *columns*. There is one for each channel.",
        "which shape must the bias have so that it goes with the second axis of (B, C, H, W)?",
        "bias.view(-1, 1, 1), or bias[:, None, None].",
        bias_in_input_order,
    ),
    Mistake(
        "an ordinary convolution",
        "that is an ordinary convolution: the output shrinks instead of growing.",
        "2×2 pixels, a 2×2 kernel: nine numbers are to come out.",
        "each pixel stamps a whole kernel into the output.",
        ordinary,
    ),
)

# ── overlaps ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(n, kernel_size, stride):
    """How often each pixel is written: torch's transposed convolution of ones with ones."""
    return F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, kernel_size), stride=stride)[0, 0]


OVERLAPS = (
    Mistake(
        "stride ignored",
        "your stamps lie one pixel apart whatever the stride is.",
        "at which pixel does stamp number 1 begin?",
        "stamp i begins at i · stride.",
        lambda n, kernel_size, stride: counted(n, kernel_size, 1),
    ),
    Mistake(
        "written or not",
        "you say whether a pixel is written, not how often.",
        "kernel 3, stride 2: which pixels do two stamps reach?",
        "add 1 for each stamp.",
        lambda *given: counted(*given).clamp(max=1),
    ),
    Mistake(
        "kernel_size and stride swapped",
        "you have taken the stride for the size of a stamp and the kernel size for the distance.",
        "how long is a stamp, and how far apart do two begin?",
        "a stamp is kernel_size long.",
        lambda n, kernel_size, stride: counted(n, stride, kernel_size),
    ),
    Mistake(
        "one stamp too few",
        "one stamp is missing: there are n of them, one for each input pixel.",
        "how many stamps has n = 4?",
        "range(n), not range(n − 1).",
        lambda n, kernel_size, stride: counted(n - 1, kernel_size, stride),
    ),
    Mistake(
        "the last stamp has no room",
        "your output ends where another stamp would begin, so the end of the last one is missing or too much is there.",
        "where does the last stamp end? See chapter 02's formula.",
        "(n − 1) · stride + kernel_size pixels.",
        lambda n, kernel_size, stride: F.pad(
            counted(n, kernel_size, stride), (0, n * stride - (n - 1) * stride - kernel_size)
        ),
    ),
    Mistake(
        "the mean everywhere",
        "you give every pixel the mean number of stamps. It is *where* they pile up that makes a checkerboard.",
        "kernel 3, stride 2: is every pixel reached 1.5 times?",
        "count for each pixel.",
        lambda n, kernel_size, stride: torch.full_like(counted(n, kernel_size, stride), kernel_size / stride),
    ),
)

# ── psnr ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def reported(x, y, peak):
    """scikit-image's PSNR of one picture, in float64."""
    import warnings

    from skimage.metrics import peak_signal_noise_ratio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no difference at all: a division by zero, and inf is right
        return float(peak_signal_noise_ratio(y.double().numpy(), x.double().numpy(), data_range=peak))


def each(x, y, peak=1.0, *, dtype=torch.float64):
    """One number for each picture."""
    x, y = x.detach().cpu(), y.detach().cpu()
    return torch.tensor([reported(*pair, peak) for pair in zip(x, y, strict=True)], dtype=dtype)


def error_of(x, y):
    """The mean squared error of each picture, as it follows from scikit-image's PSNR for a peak of 1."""
    return 10 ** (-each(x, y) / 10)


def from_error(error):
    """PSNR by another formula of each picture's error, mean squared unless it says otherwise."""
    return lambda x, y, peak=1.0: error(x, y, torch.as_tensor(peak, dtype=torch.float64))


def own_measure(measure):
    """The right formula, with another measure of what is wrong in a picture: (x, y) → (B,)."""
    return from_error(lambda x, y, peak: 20 * peak.log10() - 10 * measure(x.double(), y.double()).log10())


def channel_by_channel(x, y, peak=1.0):
    return torch.stack([each(x[:, c : c + 1], y[:, c : c + 1], peak) for c in range(x.shape[1])]).mean(0)


PSNR = (
    Mistake(
        "one error for the whole batch",
        "you take one mean over the whole batch. Each picture has an error of its own, and a PSNR of its own.",
        "over which axes do you average? Not over the first.",
        "three pictures: a tensor with three numbers.",
        lambda x, y, peak=1.0: each(x[None].flatten(1), y[None].flatten(1), peak)[0],
    ),
    Mistake(
        "mean over the pictures",
        "you average the pictures' PSNR; here each one's own is asked for.",
        "which shape has your answer?",
        "leave the mean to whoever calls.",
        lambda x, y, peak=1.0: each(x, y, peak).mean(),
    ),
    Mistake(
        "the root as the error",
        "under the logarithm stands the *root* of the mean squared error: with peak² / MSE the factor is 10, with "
        "peak / RMSE it is 20. You have half of it.",
        "an MSE of 0.01 is how many dB?",
        "either no root and 10, or a root of both and 20.",
        from_error(lambda x, y, peak: 10 * (peak / error_of(x, y).sqrt()).log10()),
    ),
    Mistake(
        "twice too much",
        "your factor is 20 with a mean squared error: 20 belongs to its root.",
        "an MSE of 0.01 is how many dB?",
        "10 times the logarithm of peak² / MSE.",
        from_error(lambda x, y, peak: 2 * each(x, y, float(peak))),
    ),
    Mistake(
        "natural logarithm",
        "that is the natural logarithm; decibels count powers of ten.",
        "what does torch.log(torch.tensor(10.0)) give?",
        "torch.log10.",
        from_error(lambda x, y, peak: 10 * (peak**2 / error_of(x, y)).log()),
    ),
    Mistake(
        "logarithm of base 2",
        "that is the logarithm of base 2; decibels count powers of ten.",
        "what is log10(100), and what is log2(100)?",
        "torch.log10.",
        from_error(lambda x, y, peak: 10 * (peak**2 / error_of(x, y)).log2()),
    ),
    Mistake(
        "decibels without the ten",
        "you give bels: a decibel is a tenth of one, so there are ten times as many.",
        "an MSE of 0.01 with a peak of 1 is 20 dB. What do you get?",
        "a factor is missing in front of the logarithm.",
        from_error(lambda x, y, peak: each(x, y, float(peak)) / 10),
    ),
    Mistake(
        "peak not squared",
        "you divide `peak` by the mean squared error: one is a length, the other a square. For a peak of 1 nobody "
        "notices.",
        "pictures in [0, 255] instead of [0, 1]: should the PSNR change?",
        "square the peak.",
        from_error(lambda x, y, peak: 10 * (peak / error_of(x, y)).log10()),
    ),
    Mistake(
        "peak of 255 for everything",
        "you take 255 for the peak; pictures in [0, 1] then look 48 dB better than they are.",
        "what is white here?",
        "use `peak`.",
        lambda x, y, peak=1.0: each(x, y, 255.0),
    ),
    Mistake(
        "peak of 1 for everything",
        "you leave `peak` out, so pictures in [0, 255] look 48 dB worse than they are.",
        "what does `peak` change in your formula?",
        "peak² stands over the mean squared error.",
        lambda x, y, peak=1.0: each(x, y),
    ),
    Mistake(
        "the brightest pixel as the peak",
        "you take the brightest pixel of the picture for the peak. Dark pictures would then look worse for the same "
        "error: the peak is what a pixel *could* be.",
        "what is `peak` for?",
        "use the argument.",
        from_error(lambda x, y, peak: 10 * (y.double().flatten(1).amax(1) ** 2 / error_of(x, y)).log10()),
    ),
    Mistake(
        "signal to noise",
        "you compare the error with the picture's own mean square: that is SNR. In *peak* SNR it is the square of the "
        "largest possible value.",
        "what stands over the error: something of the picture, or `peak`?",
        "peak² / MSE.",
        from_error(lambda x, y, peak: 10 * (y.double().square().flatten(1).mean(1) / error_of(x, y)).log10()),
    ),
    Mistake(
        "upside down",
        "your fraction is upside down, so good pictures have a low number; PSNR grows as the error shrinks.",
        "which of two pictures has the higher PSNR, the better or the worse?",
        "the error belongs below.",
        from_error(lambda x, y, peak: -each(x, y, float(peak))),
    ),
    Mistake(
        "absolute differences",
        "you average absolute differences; PSNR rests on squared ones.",
        "which errors count more in PSNR: many small or few large ones?",
        "square before the mean.",
        own_measure(lambda x, y: (x - y).abs().flatten(1).mean(1)),
    ),
    Mistake(
        "sum instead of mean",
        "you add the squared differences up, so large pictures look worse than small ones.",
        "a picture twice as high with the same error everywhere: should its PSNR change?",
        "the mean over a picture's pixels and channels.",
        own_measure(lambda x, y: (x - y).square().flatten(1).sum(1)),
    ),
    Mistake(
        "variance of the error",
        "you take the variance of the difference: a picture that is too bright everywhere would count as perfect.",
        "add 0.1 to every pixel: what does your function say?",
        "the mean of the squares, without taking the mean away before.",
        own_measure(lambda x, y: (x - y).flatten(1).var(1, correction=0)),
    ),
    Mistake(
        "channel by channel",
        "you take the PSNR of each channel and average those. There is one error for the whole picture.",
        "when do you average: before or after the logarithm?",
        "one mean over channels and pixels, then the logarithm.",
        channel_by_channel,
    ),
    Mistake(
        "a small number added",
        "you add a small number to the error so that nothing is divided by zero. A perfect picture has an infinite "
        "PSNR, and torch can say so.",
        "what does torch.log10(torch.tensor(1.0) / 0) give?",
        "leave it out.",
        own_measure(lambda x, y: error_of(x, y) + 1e-8),
    ),
    Mistake(
        "bytes wrap around",
        "you subtract uint8 pictures: 3 − 5 is 254 there. Differences need numbers with a sign.",
        "torch.tensor([3], dtype=torch.uint8) − torch.tensor([5], dtype=torch.uint8) is what?",
        "turn both into floats first.",
        lambda x, y, peak=1.0: each(x - y, torch.zeros_like(x), peak),
    ),
    Mistake(
        "squares of bytes wrap around",
        "you turn uint8 pictures into numbers with a sign too late: a byte squared is a byte again.",
        "torch.tensor([20], dtype=torch.uint8) ** 2 is what?",
        "turn both into floats before anything else.",
        lambda x, y, peak=1.0: own_measure(lambda a, b: ((x - y) ** 2).double().flatten(1).mean(1))(x, y, peak),
    ),
)

# ── conv_autoencoder ─────────────────────────────────────────────────────────────────────────────────────────────────


def repaired(in_shape=(1, 28, 28), code=16):
    return models.conv_autoencoder(in_shape, code)


class Accidental(nn.Module):
    """The lecture's network: the encoder's 4 · 14 · 14 numbers happen to be 28 · 28."""

    def __init__(self, in_shape=(1, 28, 28), code=16):
        super().__init__()
        _, h, w = in_shape
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(h * w, code)),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(code, h * w), nn.Unflatten(1, (1, h, w))),
            *(nn.ConvTranspose2d(1, 4, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 3, padding=1)),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def changed(encoder=lambda layers, shape, code: layers, decoder=lambda layers, shape, code: layers):
    """The course's network with layers of either half replaced."""

    def target(in_shape=(1, 28, 28), code=16):
        net = repaired(in_shape, code)
        halves = [
            nn.Sequential(*change(list(half), in_shape, code))
            for change, half in ((encoder, net.encoder), (decoder, net.decoder))
        ]
        return models.Autoencoder(*halves)

    return target


def one_channel(layers, shape, code):
    return [*layers[:-1], models.upsample(layers[-1].in_channels, 1)]


def stays_small(layers, shape, code):
    return [*layers[:-1], nn.Conv2d(layers[-1].in_channels, shape[0], 3, padding=1)]


def on_its_side(layers, shape, code):
    channels, height, width = layers[2].unflattened_size
    return [*layers[:2], nn.Unflatten(1, (channels, width, height)), *layers[3:]]


def nothing_to_enlarge(layers, shape, code):
    c, h, w = shape
    return [nn.Linear(code, h * w), nn.Unflatten(1, (1, h, w)), nn.ConvTranspose2d(1, c, 3, padding=1)]


def other_maps(layers, shape, code):
    """Begins at half the height and width, where the encoder ended at a quarter."""
    c, h, w = shape
    return [nn.Linear(code, 4 * h * w // 4), nn.Unflatten(1, (4, h // 2, w // 2)), models.upsample(4, c)]


class Unused(models.Autoencoder):
    """A layer that forward does not use."""

    def __init__(self, in_shape=(1, 28, 28), code=16):
        net = repaired(in_shape, code)
        super().__init__(net.encoder, net.decoder)
        self.hidden = nn.Linear(code, code)


AUTOENCODER = (
    Mistake(
        "fits by accident",
        "that is the lecture's network: it fits only because 4 · 14 · 14 = 28 · 28, its decoder takes the numbers as a "
        "full-sized picture, and it knows one channel only.",
        "print the shape behind the pooling.",
        "the decoder begins with four maps of half the height and width, and doubles them; channels are in_shape's.",
        Accidental,
    ),
    Mistake(
        "28 × 28 written down",
        "your sizes are those of MNIST: pictures of another size do not fit.",
        "which numbers in your code depend on in_shape?",
        "c, h, w = in_shape, and everything else from those three.",
        lambda in_shape=(1, 28, 28), code=16: repaired((in_shape[0], 28, 28), code),
    ),
    Mistake(
        "16 numbers written down",
        "your code always has 16 numbers.",
        "what is the argument `code` for?",
        "both linear layers know it.",
        lambda in_shape=(1, 28, 28), code=16: repaired(in_shape, 16),
    ),
    Mistake(
        "one channel comes out",
        "your decoder gives one channel; what goes in with three is to come out with three.",
        "which argument of the last layer is that?",
        "the last layer's out_channels is in_shape's first number.",
        changed(decoder=one_channel),
    ),
    Mistake(
        "no code",
        "your encoder ends with the flattened maps: nothing is squeezed into `code` numbers.",
        "how many numbers stand for a digit in your network?",
        "a linear layer to `code`, and one back.",
        changed(encoder=lambda layers, *_: layers[:-1], decoder=lambda layers, *_: layers[1:]),
    ),
    Mistake(
        "maps instead of codes",
        "your encoder gives maps (B, C, H, W); codes are (B, code).",
        "how does one get from four axes to two?",
        "nn.Flatten() before the linear layer.",
        changed(
            encoder=lambda layers, shape, code: [*layers, nn.Unflatten(1, (code, 1, 1))],
            decoder=lambda layers, *_: [nn.Flatten(), *layers],
        ),
    ),
    Mistake(
        "decoder ends too small",
        "what comes out is smaller than what went in: the decoder has to double as often as the encoder halved.",
        "follow height through the decoder, layer by layer.",
        "one transposed convolution of stride 2 for each halving.",
        changed(decoder=stays_small),
    ),
    Mistake(
        "height and width swapped",
        "your decoder swaps height and width: with square pictures nobody notices.",
        "try in_shape = (1, 12, 20).",
        "nn.Unflatten(1, (channels, height, width)).",
        changed(decoder=on_its_side),
    ),
    Mistake(
        "nothing to enlarge",
        "your linear layer paints the whole picture at full size, as in the lecture; the transposed convolutions then "
        "enlarge nothing, they only smooth.",
        "with which shape does the decoder's first convolution begin?",
        "unflatten to the maps with which the encoder ended.",
        changed(decoder=nothing_to_enlarge),
    ),
    Mistake(
        "begins with other maps",
        "your decoder does not begin with maps of the shape with which the encoder ended.",
        "print both shapes.",
        "the same (channels, height, width) before Flatten and after Unflatten.",
        changed(decoder=other_maps),
    ),
    Mistake(
        "a layer that is never used",
        "a layer is made in __init__ and never used: no gradient reaches it.",
        "go through __init__ and forward side by side.",
        "put it into the encoder or the decoder, or leave it out.",
        Unused,
    ),
)

ANSWERS = {
    "conv_transpose2d": Answer(torchs, TRANSPOSED),
    "overlaps": Answer(counted, OVERLAPS),
    "psnr": Answer(each, PSNR, tolerance=1e-7),
    "conv_autoencoder": Answer(repaired, AUTOENCODER),
}
