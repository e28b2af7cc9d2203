"""What torch says in chapter 04's exercises, and how learners go wrong there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks.answer import Answer, Mistake
from utils.models import mnist_cnn

# ── flat_features ────────────────────────────────────────────────────────────────────────────────────────────────────


def flat(in_shape, layers, ceil=False, pool_step=None):
    """The width of what a real network gives after flattening (on the "meta" device, where it needs no memory)."""
    x = torch.empty(1, *in_shape, device="meta")
    for kind, *numbers in layers:
        if kind == "pool":
            x = F.max_pool2d(x, numbers[0], pool_step, ceil_mode=ceil)
        else:
            filters, kernel_size, padding = numbers
            x = nn.Conv2d(x.shape[1], filters, kernel_size, padding=padding, device="meta")(x)
    return x.flatten(1).shape[1]


def last_filters(in_shape, layers):
    return [in_shape[0], *(layer[1] for layer in layers if layer[0] == "conv")][-1]


def unpadded(layers, changed=lambda padding: 0):
    return [(*layer[:3], changed(layer[3])) if layer[0] == "conv" else layer for layer in layers]


def all_filters(in_shape, layers):
    product = in_shape[0]
    for layer in layers:
        product *= layer[1] if layer[0] == "conv" else 1
    return product


def one_channel(in_shape, layers):
    """The pixels of one map."""
    return flat(in_shape, layers) // last_filters(in_shape, layers)


def unpooled(layers):
    return [layer for layer in layers if layer[0] == "conv"]


FLAT_MISTAKES = (
    Mistake(
        "channels forgotten",
        "the channels are forgotten (as where [0] feeds “7×7 = 49” into its dense layer): flattening strings all maps "
        "together, not just one.",
        "how many numbers are in 16 maps of 5×5?",
        "multiply the pixels of a map by the number of maps.",
        one_channel,
    ),
    Mistake(
        "channels of the picture",
        "you multiply by the channels of the picture; after a convolution there are as many maps as it has filters.",
        "what does a convolution do to C?",
        "the number of channels is that of the last convolution's filters.",
        lambda s, layers: one_channel(s, layers) * s[0],
    ),
    Mistake(
        "channels multiplied up",
        "you multiply the channels of all layers; each convolution sums its input's channels away and gives its own.",
        "Conv2d(3, 6, 5) gives 6 maps, not 18.",
        "a convolution replaces C, it does not multiply it.",
        lambda s, layers: one_channel(s, layers) * all_filters(s, layers),
    ),
    Mistake(
        "padding forgotten",
        "the padding is forgotten.",
        "what does padding=1 do for a 3×3 kernel?",
        "padding is added on both sides before the kernel slides.",
        lambda s, layers: flat(s, unpadded(layers)),
    ),
    Mistake(
        "padding always keeps the size",
        "you take it that every convolution keeps height and width; only a padding of (kernel_size − 1)/2 does that.",
        "a 5×5 kernel without padding on 32 pixels: 28 are left.",
        "use the size formula of chapter 02 for each convolution.",
        lambda s, layers: flat(s, [("conv", x[1], 1, 0) if x[0] == "conv" else x for x in layers]),
    ),
    Mistake(
        "pooling rounds up",
        "your pooling rounds up; MaxPool2d drops what does not fill a window.",
        "how many windows of 2 fit on 7 pixels?",
        "divide with `//`.",
        lambda s, layers: flat(s, layers, ceil=True),
    ),
    Mistake(
        "pooling forgotten",
        "the pooling is forgotten: it divides height and width by its window.",
        "what is 28×28 after MaxPool2d(2)?",
        "treat both kinds of layer.",
        lambda s, layers: flat(s, unpooled(layers)),
    ),
    Mistake(
        "pooling with stride 1",
        "your pooling windows overlap, stepping by 1; without a stride of its own, pooling steps by its window.",
        "MaxPool2d(2) on 6 pixels: at which pixels do the windows begin?",
        "divide, do not subtract.",
        lambda s, layers: flat(s, layers, pool_step=1),
    ),
    Mistake(
        "pooling thins the channels",
        "your pooling divides the channels too; it works in each map by itself, and all of them stay.",
        "what does MaxPool2d(2) make of (B, 16, 10, 10)?",
        "leave C alone when pooling.",
        lambda s, layers: (
            one_channel(s, layers) * max(1, last_filters(s, layers) // 2 ** (len(layers) - len(unpooled(layers))))
        ),
    ),
    Mistake(
        "square pictures only",
        "you use the height for the width as well; pictures need not be square.",
        "carry height and width along separately.",
        "two variables, the same step for both.",
        lambda s, layers: flat((s[0], s[1], s[1]), layers),
    ),
)

# ── sparse_parameters ────────────────────────────────────────────────────────────────────────────────────────────────


def sparse(inputs_of, kernel_size, bias=True):
    """Parameters of real layers, one for each map."""
    layers = [nn.Conv2d(len(inputs), 1, kernel_size, bias=bias, device="meta") for inputs in inputs_of]
    return sum(tensor.numel() for layer in layers for tensor in layer.state_dict().values())


SPARSE_MISTAKES = (
    Mistake(
        "biases forgotten",
        "the biases are missing: every map has one.",
        "compare with nn.Conv2d(1, 1, 5): 26 parameters.",
        "add one for each map.",
        lambda inputs_of, k: sparse(inputs_of, k, bias=False),
    ),
    Mistake(
        "a bias for each connection",
        "you count a bias for each connection; a map adds its one bias to the sum over all its inputs.",
        "how many numbers does nn.Conv2d(3, 1, 5) have besides its weights?",
        "the bias stands outside the sum over inputs.",
        lambda inputs_of, k: sum(sparse([(0,)] * len(inputs), k) for inputs in inputs_of),
    ),
    Mistake(
        "one bias in all",
        "you count one bias for the whole layer; every map has one of its own.",
        "nn.Conv2d(1, 6, 5) has 6 biases.",
        "add as many as there are maps.",
        lambda inputs_of, k: sparse(inputs_of, k, bias=False) + 1,
    ),
    Mistake(
        "connected to everything",
        "you connect every map to every input, which is what nn.Conv2d does; here each map sees its own inputs only.",
        "how many kernels has a map with the inputs (0, 1, 2)?",
        "count the inputs of each map, not the inputs of the layer.",
        lambda inputs_of, k: sparse([{i for inputs in inputs_of for i in inputs}] * len(inputs_of), k),
    ),
    Mistake(
        "one kernel for each map",
        "you count one kernel for each map; it has one for each of its inputs.",
        "what shape has the weight of nn.Conv2d(3, 1, 5)?",
        "multiply the kernel's numbers by the number of inputs.",
        lambda inputs_of, k: sparse([(0,)] * len(inputs_of), k),
    ),
    Mistake(
        "kernel not squared",
        "a kernel of size k has k·k weights, not k.",
        "how many weights has a 5×5 kernel?",
        "square kernel_size.",
        lambda inputs_of, k: sum(nn.Conv1d(len(i), 1, k, device="meta").weight.numel() + 1 for i in inputs_of),
    ),
)

# ── batch_norm ───────────────────────────────────────────────────────────────────────────────────────────────────────


def norm(x, weight, bias, eps):
    """torch's own, in training, without running statistics."""
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def moments(x, unbiased=False):
    """Variance and mean of each channel, as torch finds them."""
    return torch.var_mean(x.transpose(0, 1).flatten(1), 1, correction=int(unbiased))


def normalised_by(x, mean, square, weight, bias):
    """torch's normalisation with other numbers: (x − mean)/√square."""
    return F.batch_norm(x, mean, square, weight, bias, training=False, eps=0.0)


def bent_norm(square, mean=lambda mean: mean, unbiased=False):
    """Batch norm with something else below the fraction line, as a function of variance and eps, or another mean."""

    def target(x, weight, bias, eps):
        variance, found = moments(x, unbiased)
        return normalised_by(x, mean(found), square(variance, eps), weight, bias)

    return target


def regrouped(x, weight, bias, eps, group):
    """Normalised over other axes: `group` makes of x what torch then normalises channel by channel."""
    grouped, back = group(x)
    bare = F.batch_norm(grouped, None, None, training=True, eps=eps)
    return back(bare) * weight[:, None, None] + bias[:, None, None]


def each_picture(x, weight, bias, eps):
    B, C, H, W = x.shape
    return regrouped(x, weight, bias, eps, lambda x: (x.reshape(1, B * C, H, W), lambda y: y.reshape(x.shape)))


def each_pixel(x, weight, bias, eps):
    B, C, H, W = x.shape
    return regrouped(x, weight, bias, eps, lambda x: (x.reshape(B, C * H * W, 1, 1), lambda y: y.reshape(x.shape)))


def everything(x, weight, bias, eps):
    return regrouped(x, weight, bias, eps, lambda x: (x.reshape(1, 1, -1, 1), lambda y: y.reshape(x.shape)))


def whole_picture(x, weight, bias, eps):
    B = len(x)
    return regrouped(x, weight, bias, eps, lambda x: (x.reshape(1, B, -1, 1), lambda y: y.reshape(x.shape)))


def each_column(x, weight, bias, eps):
    return regrouped(x, weight, bias, eps, lambda x: (x.transpose(1, 3), lambda y: y.transpose(1, 3)))


NORM_MISTAKES = (
    Mistake(
        "unbiased variance",
        "you divide by m − 1, as torch.var does unless told otherwise; batch norm normalises with the *biased* "
        "variance, divided by m.",
        "what does torch.var([0, 2]) give? And (1 + 1)/2?",
        "look at the argument `correction` of torch.var.",
        bent_norm(lambda variance, eps: variance + eps, unbiased=True),
    ),
    Mistake(
        "eps outside the root",
        "eps stands outside the root: it belongs to the variance, before the root is taken.",
        "compare √(v + eps) with √v + eps for v = 0.",
        "add eps first, then take the root.",
        bent_norm(lambda variance, eps: (variance.sqrt() + eps) ** 2),
    ),
    Mistake(
        "eps forgotten",
        "eps is missing: a channel in which all numbers are the same has variance 0, and 0/0 is no number.",
        "what is under the root for a map without any contrast?",
        "add eps to the variance.",
        bent_norm(lambda variance, eps: variance),
    ),
    Mistake(
        "divided by the variance",
        "you divide by the variance; it is the standard deviation, its root, that makes the spread 1.",
        "numbers in metres: what is their variance measured in?",
        "take the root before dividing.",
        bent_norm(lambda variance, eps: (variance + eps) ** 2),
    ),
    Mistake(
        "mean square for the variance",
        "you use the mean of the squares; the variance is the mean of the squared distances *from the mean*.",
        "what is the variance of 5, 5, 5?",
        "subtract the mean before squaring.",
        lambda x, w, b, eps: normalised_by(x, moments(x)[1], moments(x)[0] + moments(x)[1] ** 2 + eps, w, b),
    ),
    Mistake(
        "mean not subtracted",
        "the mean is not subtracted.",
        "what is the mean of your output, channel by channel?",
        "two steps: subtract the mean, divide by the standard deviation.",
        bent_norm(lambda variance, eps: variance + eps, mean=torch.zeros_like),
    ),
    Mistake(
        "each picture by itself",
        "you normalise each picture by itself (that is *instance* norm): the statistics of a channel run over the "
        "whole batch.",
        "how many means are there for x of shape (8, 3, 32, 32)? Three, not 24.",
        "the batch axis is one of those that are averaged over.",
        each_picture,
    ),
    Mistake(
        "each pixel by itself",
        "you average over the batch only, so that each pixel has statistics of its own: in a convolution layer they "
        "run over rows and columns too.",
        "how many means are there for x of shape (8, 3, 32, 32)? Three.",
        "only the channel axis is kept.",
        each_pixel,
    ),
    Mistake(
        "one mean for all channels",
        "you average over everything: each channel has a mean and a variance of its own.",
        "how many means are there for x of shape (8, 3, 32, 32)? Three.",
        "name the axes to average over; the channel axis is none of them.",
        everything,
    ),
    Mistake(
        "over the channels",
        "you average over channels, rows and columns of each picture (that is *layer* norm).",
        "which axis is kept, which three are averaged over?",
        "the batch is averaged over, the channels are not.",
        whole_picture,
    ),
    Mistake(
        "statistics of the columns",
        "your statistics belong to the columns: the axes are counted wrongly. (B, C, H, W): C is axis 1.",
        "which shape has your mean?",
        "B, rows and columns are averaged over; count their axes from 0.",
        each_column,
    ),
    Mistake(
        "weight and bias forgotten",
        "weight and bias (γ and β in the paper) are forgotten.",
        "the last step: y = γ·x̂ + β.",
        "both have one number for each channel: shape them so that they meet the channel axis.",
        lambda x, w, b, eps: norm(x, None, None, eps),
    ),
    Mistake(
        "bias forgotten",
        "the bias (β in the paper) is forgotten.",
        "what is the mean of your output, channel by channel?",
        "add it last.",
        lambda x, w, b, eps: norm(x, w, None, eps),
    ),
    Mistake(
        "weight forgotten",
        "the weight (γ in the paper) is forgotten.",
        "what is the spread of your output, channel by channel?",
        "multiply before adding the bias.",
        lambda x, w, b, eps: norm(x, None, b, eps),
    ),
    Mistake(
        "bias added first",
        "the bias is added before the weight multiplies: y = γ·x̂ + β, not γ·(x̂ + β).",
        "what should the output be where x̂ = 0?",
        "multiply first.",
        lambda x, w, b, eps: norm(x, w, w * b, eps),
    ),
    Mistake(
        "weight along the columns",
        "weight and bias meet the columns, not the channels: a shape (C,) is laid against the *last* axis.",
        "(B, C, H, W) times (C,): which axes does broadcasting put side by side?",
        "they need two more axes, of length 1, behind their own.",
        lambda x, w, b, eps: norm(x, None, None, eps) * w + b,
    ),
)

# ── batch_norm2d ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Bent(nn.BatchNorm2d):
    """torch's own layer; what it computes or remembers is bent afterwards by `after(self, x, y, before)`."""

    def forward(self, x):
        before = self.running_mean.clone(), self.running_var.clone()
        y = super().forward(x)
        return self.after(x, y, *before)

    def after(self, x, y, mean, var):
        return y

    def remember(self, mean, var):
        with torch.no_grad():
            self.running_mean.copy_(mean)
            self.running_var.copy_(var)


class Asked(Bent):
    """torch's layer, asked in the other mode, or with other numbers; it remembers as it should."""

    def other(self, x, training, mean=None, var=None, weight=True, eps=None):
        affine = (self.weight, self.bias) if weight else (None, None)
        return F.batch_norm(x, mean, var, *affine, training=training, eps=self.eps if eps is None else eps)


class BatchInEval(Asked):
    def after(self, x, y, mean, var):
        return y if self.training else self.other(x, True)


class RunningInTraining(Asked):
    def after(self, x, y, mean, var):
        return self.other(x, False, self.running_mean, self.running_var) if self.training else y


class MomentumReversed(nn.BatchNorm2d):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__(channels, eps, 1 - momentum)


class Replaced(nn.BatchNorm2d):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__(channels, eps, 1.0)


class NeverUpdated(nn.BatchNorm2d):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__(channels, eps, 0.0)


class Added(Bent):
    """The new share is added, the old one kept whole."""

    def after(self, x, y, mean, var):
        if self.training:
            self.remember(self.running_mean + self.momentum * mean, self.running_var + self.momentum * var)
        return y


class BiasedKept(Bent):
    def after(self, x, y, mean, var):
        if self.training:
            m = x.numel() // x.shape[1]
            share = self.running_var - (1 - self.momentum) * var
            self.remember(self.running_mean, self.running_var - share / m)
        return y


class DeviationKept(Bent):
    def after(self, x, y, mean, var):
        if self.training:
            kept = (1 - self.momentum) * var
            share = (self.running_var - kept) / self.momentum
            self.remember(self.running_mean, kept + self.momentum * share.clamp_min(0).sqrt())
        return y


def rescaled(layer, y, factor):
    """A layer's output with x̂ multiplied by one number for each channel."""
    bias = layer.bias[:, None, None]
    return (y - bias) * factor[:, None, None] + bias


class UnbiasedInTraining(Bent):
    def after(self, x, y, mean, var):
        if not self.training:
            return y
        biased, unbiased = moments(x)[0], moments(x, unbiased=True)[0]
        return rescaled(self, y, ((biased + self.eps) / (unbiased + self.eps)).sqrt())


class UpdatedInEval(Bent):
    def after(self, x, y, mean, var):
        if not self.training:
            F.batch_norm(x, mean, var, training=True, momentum=self.momentum)  # changes mean and var
            self.remember(mean, var)
        return y


class Detached(Asked):
    """The statistics are taken for constants on the way back."""

    def after(self, x, y, mean, var):
        if not self.training:
            return y
        variance, found = moments(x.detach())
        return self.other(x, False, found, variance)


class NotAffine(Asked):
    def after(self, x, y, mean, var):
        if self.training:
            return self.other(x, True, weight=False)
        return self.other(x, False, self.running_mean, self.running_var, weight=False)


class EpsOutside(Bent):
    def after(self, x, y, mean, var):
        variance = moments(x)[0] if self.training else self.running_var.clone()
        return rescaled(self, y, (variance + self.eps).sqrt() / (variance.sqrt() + self.eps))


class RootForgotten(Bent):
    """In evaluation the running variance is divided by as it stands."""

    def after(self, x, y, mean, var):
        return y if self.training else rescaled(self, y, (self.running_var + self.eps).rsqrt())


LAYER_MISTAKES = (
    Mistake(
        "batch statistics in eval",
        "in eval() you still use the statistics of the batch: then the answer to a picture depends on the "
        "pictures beside it.",
        "what should a batch of one picture give after eval()?",
        "ask self.training, and take the running statistics where it is False.",
        BatchInEval,
    ),
    Mistake(
        "running statistics in training",
        "in train() you normalise with the running statistics; there it is the batch's own that count.",
        "when are the running statistics used, when are they only brought up to date?",
        "self.training decides which mean and variance are used.",
        RunningInTraining,
    ),
    Mistake(
        "momentum the wrong way round",
        "your momentum is the wrong way round: in PyTorch it is the share of the *new* value, 0.1 of it.",
        "after a thousand steps with momentum 0.1: does one odd batch change much?",
        "which of the two gets the small share, old or new?",
        MomentumReversed,
    ),
    Mistake(
        "replaced, not mixed",
        "each batch replaces the running statistics; they are an average over many batches.",
        "what becomes of the value from before?",
        "mix it with the new one, with the momentum as the share of the new.",
        Replaced,
    ),
    Mistake(
        "never updated",
        "the running statistics never change.",
        "print running_mean before and after a batch in train().",
        "update both in the training branch.",
        NeverUpdated,
    ),
    Mistake(
        "added, not averaged",
        "you add the new share and keep the old one whole: the running statistics grow and grow.",
        "with old = new = 1: what should come out?",
        "the shares of old and new must add up to 1.",
        Added,
    ),
    Mistake(
        "biased variance kept",
        "you keep the biased variance: PyTorch normalises with the biased one, but remembers the *unbiased* one, "
        "divided by m − 1.",
        "the running variance is an estimate for all pictures. Which of the two estimates is right on average?",
        "the one that torch.var gives unless told otherwise.",
        BiasedKept,
    ),
    Mistake(
        "unbiased variance in training",
        "you normalise with the unbiased variance: that one is only for the running statistics.",
        "which variance did the exercise before this one ask for?",
        "two variances, one for each purpose.",
        UnbiasedInTraining,
    ),
    Mistake(
        "standard deviation kept",
        "your running_var holds a standard deviation; it is the variance that is averaged.",
        "what is running_var compared with, and where is the root taken?",
        "update running_var before any root.",
        DeviationKept,
    ),
    Mistake(
        "updated in eval too",
        "in eval() the running statistics change: then the test pictures train the network a little.",
        "which lines belong to training alone?",
        "only the branch of self.training updates them.",
        UpdatedInEval,
    ),
    Mistake(
        "statistics detached",
        "no gradient flows through the mean and the variance: they depend on x too, and that counts.",
        "if one number of a batch grows, what happens to all the others' outputs?",
        "detach only what goes into the running statistics, not what normalises.",
        Detached,
    ),
    Mistake(
        "weight and bias forgotten",
        "weight and bias (γ and β in the paper) are forgotten.",
        "the last step, in both modes: y = γ·x̂ + β.",
        "both meet the channel axis, as in the exercise before this one.",
        NotAffine,
    ),
    Mistake(
        "eps outside the root",
        "eps stands outside the root: it belongs to the variance, before the root is taken.",
        "compare √(v + eps) with √v + eps for v = 0.",
        "add eps first, then take the root.",
        EpsOutside,
    ),
    Mistake(
        "root forgotten in eval",
        "in eval() you divide by the running variance itself; its root is wanted.",
        "does the same formula stand in both branches?",
        "write the normalisation once, after the branch that chooses mean and variance.",
        RootForgotten,
    ),
)

# ── dropout ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def times(training, evaluation=lambda p: 1.0):
    """torch's dropout, multiplied by a function of p in either mode."""
    return lambda x, p, t: F.dropout(x, p, t) * (training if t else evaluation)(p)


def repeated(x, p, training):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return F.dropout(x, p, training)


DROPOUT_MISTAKES = (
    Mistake(
        "not rescaled",
        "what is kept is not scaled up: with half of the numbers gone, the next layer gets half as much as in eval().",
        "the mean of the output should stay as it is. By what is it too small?",
        "a share of 1 − p is kept.",
        times(lambda p: 1 - p),
    ),
    Mistake(
        "scaled in evaluation",
        "you scale in evaluation: so did the paper of 2014, but PyTorch scales in training (“inverted” dropout), so "
        "that evaluation costs nothing.",
        "what should eval() change? Nothing.",
        "move the factor to the training branch, and turn it upside down.",
        times(lambda p: 1 - p, lambda p: 1 - p),
    ),
    Mistake(
        "scaled down",
        "you multiply by 1 − p; what is kept must grow, to make up for what is gone.",
        "if half is dropped, should the rest be halved or doubled?",
        "divide where you multiply.",
        times(lambda p: (1 - p) ** 2),
    ),
    Mistake(
        "divided by p",
        "you divide by p, the share that is dropped; the share that is *kept* is what makes up the difference.",
        "with p = 0.2, four fifths are kept: by how much must they grow?",
        "try p = 0.2 on paper: the mean of ten ones.",
        times(lambda p: (1 - p) / p),
    ),
    Mistake(
        "keeps the share p",
        "you keep the share p; p is the share that is *dropped*.",
        "with p = 0.2, how many of ten numbers are left?",
        "turn the comparison round.",
        lambda x, p, t: F.dropout(x, 1 - p, t),
    ),
    Mistake(
        "keeps p, scales for 1 − p",
        "you keep the share p (it is the share that is *dropped*) and scale as if 1 − p were kept.",
        "with p = 0.2, how many of ten numbers are left?",
        "look at the comparison with p once more.",
        lambda x, p, t: F.dropout(x, 1 - p, t) * (p / (1 - p) if t else 1.0),
    ),
    Mistake(
        "active in evaluation",
        "numbers are dropped in evaluation too: then the same picture gets another answer each time.",
        "what does the argument `training` do in your code?",
        "return x as it is where training is False.",
        lambda x, p, t: F.dropout(x, p, True),
    ),
    Mistake(
        "modes swapped",
        "you drop in evaluation and not in training: the wrong way round.",
        "when is the network to be made to cope with gaps?",
        "look at your condition.",
        lambda x, p, t: F.dropout(x, p, not t),
    ),
    Mistake(
        "nothing dropped",
        "nothing is dropped at all.",
        "how many zeros has your output?",
        "draw a random number for each element, and compare it with p.",
        lambda x, p, t: F.dropout(x, p, False),
    ),
    Mistake(
        "one mask for the batch",
        "all pictures of the batch share one mask.",
        "which shape has the mask?",
        "draw as many random numbers as x has elements.",
        lambda x, p, t: x * F.dropout(torch.ones_like(x[:1]), p, t),
    ),
    Mistake(
        "whole maps",
        "you drop whole maps: that is Dropout2d.",
        "which shape has the mask?",
        "draw as many random numbers as x has elements.",
        lambda x, p, t: F.dropout2d(x, p, t),
    ),
    Mistake(
        "the same mask every time",
        "every call drops the same numbers: those are then simply missing, and the network gets used to it.",
        "do you set a seed inside?",
        "draw afresh in each call.",
        repeated,
    ),
)

# ── digit_cnn ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Wrapped(nn.Module):
    """The course's network with something done to its layers, its input or its output."""

    def __init__(self, change=lambda layers: layers, before=lambda x: x, after=lambda y: y):
        super().__init__()
        self.layers = nn.Sequential(*change(list(mnist_cnn())))
        self.before, self.after = before, after

    def forward(self, x):
        return self.after(self.layers(self.before(x)))


def wrapped(**settings):
    return lambda: Wrapped(**settings)


def without_last_convolution(layers):
    """Two blocks, and a dense layer that fits what they leave."""
    rest = layers[13:]
    rest[1] = nn.Linear(32 * 7 * 7, rest[1].out_features)
    return layers[:9] + rest


def one_dense_layer(layers):
    return [*layers[:14], nn.Linear(layers[14].in_features, 10)]


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = mnist_cnn(convolutions=1, channels=(16, 32), pool=True)
        self.third = nn.Conv2d(32, 64, 3, padding=1)

    def forward(self, x):
        return self.network(x)


def halved(layers):
    """x.view(-1, n) with an n that is half of what it should be: twice as many rows."""
    layers[13] = nn.Flatten()
    n = layers[14].in_features // 2
    layers[14] = nn.Linear(n, layers[14].out_features)
    return [*layers[:14], Rows(n), *layers[14:]]


class Rows(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        return x.reshape(-1, self.n)


NETWORK_MISTAKES = (
    Mistake(
        "softmax at the end",
        "a softmax stands at the end; CrossEntropyLoss applies one itself, and two of them flatten the gradient.",
        "what does nn.CrossEntropyLoss expect: probabilities or logits?",
        "end with the last dense layer.",
        wrapped(after=lambda y: y.softmax(1)),
    ),
    Mistake(
        "ReLU at the end",
        "a ReLU stands at the end: no logit can be negative, and where it cuts, nothing is learned.",
        "after which dense layer does the pattern have no ReLU?",
        "end with the last dense layer.",
        wrapped(after=torch.relu),
    ),
    Mistake(
        "no activation between the dense layers",
        "nothing non-linear stands between the dense layers: then the two are no more than one (chapter 03).",
        "W₂(W₁x) = (W₂W₁)x.",
        "put a ReLU behind the first of them.",
        wrapped(change=lambda layers: [*layers[:15], *layers[16:]]),
    ),
    Mistake(
        "two convolutions",
        "there are two convolutions; three are wanted.",
        "28 → 14 → 7 → 3: there is room for three poolings.",
        "add a third block.",
        wrapped(change=without_last_convolution),
    ),
    Mistake(
        "one dense layer",
        "there is one dense layer; two are wanted.",
        "[FC → RELU]·1 → FC.",
        "put another one, and a ReLU, in between.",
        wrapped(change=one_dense_layer),
    ),
    Mistake(
        "a layer that is never used",
        "a layer is made in __init__ and never called in forward: it cannot learn anything.",
        "go through __init__ and forward side by side.",
        "one of the convolutions is missing from forward.",
        Unused,
    ),
    Mistake(
        "view with a wrong number",
        "pictures are torn apart: view(-1, n) with a wrong n changes the number of rows, not an error but nonsense.",
        "how many rows come out for five pictures?",
        "flatten(1) keeps the batch axis whatever the sizes are.",
        wrapped(change=halved),
    ),
)

ANSWERS = {
    "flat_features": Answer(flat, FLAT_MISTAKES),
    "sparse_parameters": Answer(sparse, SPARSE_MISTAKES),
    "batch_norm": Answer(norm, NORM_MISTAKES, tolerance=1e-7),
    "batch_norm2d": Answer(nn.BatchNorm2d, LAYER_MISTAKES, tolerance=1e-7),
    "dropout": Answer(lambda x, p, training: F.dropout(x, p, training), DROPOUT_MISTAKES),
    "digit_cnn": Answer(mnist_cnn, NETWORK_MISTAKES),
}
