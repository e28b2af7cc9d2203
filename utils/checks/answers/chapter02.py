"""What torch says in chapter 02's self-checked exercises, and how learners go wrong there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks.answer import Answer, Mistake


def bare(x, kernel, flip=False):
    """torch's layer without a bias, one filter."""
    return F.conv2d(x[None], (kernel.flip(-1, -2) if flip else kernel)[None])[0, 0]


def bias_of(x, kernel, printed):
    return (printed - bare(x, kernel)).median()


BIAS_MISTAKES = (
    Mistake(
        "sign",
        "the sign is the wrong way round: the bias is *added* to the sums.",
        "sum + bias = printed. Which of the three is unknown?",
        "if the printed number is larger than the sum, the bias is positive.",
        lambda x, kernel, printed: -bias_of(x, kernel, printed),
    ),
    Mistake(
        "mean of the printed map",
        "you average the printed numbers; they hold the sums of the products as well as the bias.",
        "first compute the output without any bias.",
        "compare it with the printed map, number by number.",
        lambda x, kernel, printed: printed.mean(),
    ),
    Mistake(
        "one channel only",
        "you use the first channel only: a filter extends through the full depth, and its sum runs over all channels.",
        "how many products go into one output number?",
        "add the channels' sums up before comparing.",
        lambda x, kernel, printed: (printed - bare(x[:1], kernel[:1]))[0, 0],
    ),
    Mistake(
        "kernel flipped",
        "you flip the kernel: this is true convolution, the course uses cross-correlation.",
        "compute the first number on paper, with the kernel lying on the window as printed.",
        "use the layer itself: nn.functional.conv2d does not flip.",
        lambda x, kernel, printed: (printed - bare(x, kernel, flip=True))[0, 0],
    ),
    Mistake(
        "one bias per channel",
        "you divide by the number of channels: the bias is added once to the sum over all channels, not once in each.",
        "count the biases of nn.Conv2d(3, 2, 3).",
        "one filter has one bias.",
        lambda x, kernel, printed: bias_of(x, kernel, printed) / len(x),
    ),
    Mistake(
        "summed over the map",
        "you add the differences up over the whole map; each of them alone is the bias.",
        "look at printed − computed: what do all its numbers have in common?",
        "one number is enough.",
        lambda x, kernel, printed: (printed - bare(x, kernel)).sum(),
    ),
    Mistake(
        "a whole map",
        "you return a whole map of differences; the bias is one number, the same at every position.",
        "what do all the numbers in your map have in common?",
        "pick one of them.",
        lambda x, kernel, printed: printed - bare(x, kernel),
    ),
)


def dense_layer(in_shape, out_shape, bias=True):
    """A real layer's parameters, counted one by one (on the "meta" device, where they need no memory)."""
    layer = nn.Linear(torch.Size(in_shape).numel(), torch.Size(out_shape).numel(), bias=bias, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())


def grey(shape):
    return (1, *shape[1:])


DENSE_MISTAKES = (
    Mistake(
        "biases forgotten",
        "the biases are missing: every output has one of its own.",
        "a layer from 1 number to 1 number has two parameters, w and b.",
        "[3]'s rule says “input size plus one”.",
        lambda a, b: dense_layer(a, b, bias=False),
    ),
    Mistake(
        "one bias in all",
        "you count one bias for the whole layer; every output number has a bias of its own.",
        "how many outputs are there? Each is a sum of its own plus a bias of its own.",
        "the “plus one” of [3]'s rule is inside the bracket that is multiplied by the output size.",
        lambda a, b: dense_layer(a, b, bias=False) + 1,
    ),
    Mistake(
        "a bias for each input",
        "you count a bias for each input; biases belong to outputs.",
        "output = w₁x₁ + w₂x₂ + … + b: one b, however many x there are.",
        "compare (n + 1) · m with n · (m + 1).",
        lambda a, b: dense_layer(b, a),
    ),
    Mistake(
        "channels forgotten",
        "the channels are forgotten (as where [0] feeds “7×7 = 49” into its dense layer): (64, 7, 7) is 3,136 numbers.",
        "how many numbers are in a volume of 2 channels with 3×3 pixels each?",
        "multiply all three numbers of each shape.",
        lambda a, b: dense_layer(grey(a), grey(b)),
    ),
    Mistake(
        "input channels forgotten",
        "the input's channels are forgotten: each output is connected to every channel of every pixel.",
        "how many numbers are in a volume of 2 channels with 3×3 pixels each?",
        "multiply all three numbers of the input's shape.",
        lambda a, b: dense_layer(grey(a), b),
    ),
    Mistake(
        "output channels forgotten",
        "the output's channels are forgotten: each number of the output volume needs weights of its own.",
        "how many numbers does the layer give out?",
        "multiply all three numbers of the output's shape.",
        lambda a, b: dense_layer(a, grey(b)),
    ),
    Mistake(
        "shapes added",
        "you add the numbers of a shape up; a volume holds their product.",
        "how many numbers are in a 5×5 image?",
        "5·5, not 5 + 5.",
        lambda a, b: dense_layer((sum(a),), (sum(b),)),
    ),
)


def windows(x, kernel_size):
    return F.unfold(x, kernel_size)


def split(x, kernel_size):
    """(B, C, k·k, positions): torch's columns with the channel apart."""
    return F.unfold(x, kernel_size).unflatten(1, (x.shape[1], -1))


IM2COL_MISTAKES = (
    Mistake(
        "windows as rows",
        "your windows lie down as rows; here they stand upright, one column for each position.",
        "which of the two dimensions should be as long as there are windows?",
        "swap the last two dimensions.",
        lambda x, k: windows(x, k).mT,
    ),
    Mistake(
        "windows transposed",
        "inside each window rows and columns are swapped.",
        "a window 1 2 / 3 4 becomes the column 1, 2, 3, 4, not 1, 3, 2, 4.",
        "the column within the window must be the fastest index.",
        lambda x, k: split(x, k).unflatten(2, (k, k)).mT.flatten(1, 3),
    ),
    Mistake(
        "column by column",
        "the windows come in the wrong order: they are visited row by row, like reading.",
        "the second column is the window one step to the *right* of the first.",
        "when the two position indices are merged, the row index comes first.",
        lambda x, k: windows(x.mT, k).unflatten(1, (-1, k, k)).mT.flatten(1, 3),
    ),
    Mistake(
        "last position missing",
        "the last window of each row is missing.",
        "how many positions does a window of 2 have on 3 pixels?",
        "one more than the difference of the sizes.",
        lambda x, k: windows(x[..., :-1], k) if x.shape[-1] > k else x.new_zeros(len(x), x.shape[1] * k * k, 0),
    ),
    Mistake(
        "windows side by side",
        "your windows do not overlap: the window moves by its own width instead of by 1.",
        "where does the second window begin?",
        "its left edge is one pixel further right.",
        lambda x, k: F.unfold(x, k, stride=k),
    ),
    Mistake(
        "channels last",
        "the channels are inside out: all of the first channel's k·k numbers come first, then the second channel's.",
        "weight.flatten(1) puts (channel, row, column) in this order; your columns must match it.",
        "permute the channel in front of the two window indices before flattening.",
        lambda x, k: split(x, k).transpose(1, 2).flatten(1, 2),
    ),
    Mistake(
        "channels summed",
        "the channels are added up; every channel keeps its own numbers here.",
        "how many products does one output number need?",
        "C·k·k rows are wanted, not k·k.",
        lambda x, k: split(x, k).sum(1),
    ),
    Mistake(
        "first image only",
        "you use the first image of the batch only.",
        "the first dimension of the result is B.",
        "slice the last two dimensions and leave the others alone.",
        lambda x, k: windows(x[:1], k),
    ),
    Mistake(
        "batch side by side",
        "the images of the batch are strung together; each keeps a matrix of its own.",
        "three dimensions are wanted: (B, C·k·k, windows).",
        "do not flatten the batch dimension.",
        lambda x, k: torch.cat(list(windows(x, k)), dim=-1)[None],
    ),
)


def gradients(grad_y, x, weight):
    """What autograd finds: torch's own layer, differentiated by torch."""
    x, weight = x.detach().clone().requires_grad_(), weight.detach().clone().requires_grad_()
    bias = torch.zeros(len(weight), dtype=x.dtype, requires_grad=True)
    with torch.enable_grad():
        y = F.conv2d(x, weight, bias)
    return torch.autograd.grad(y, (x, weight, bias), grad_y)


def bent(grad_x=lambda g, *given: g, grad_weight=lambda g, *given: g, grad_bias=lambda g, *given: g):
    """Autograd's answer with one gradient bent."""

    def target(grad_y, x, weight):
        given = (grad_y, x, weight)
        return tuple(
            bend(g, *given) for bend, g in zip((grad_x, grad_weight, grad_bias), gradients(*given), strict=True)
        )

    return target


BACKWARD_MISTAKES = (
    Mistake(
        "kernel not flipped",
        "the kernel is not flipped on the way back: the gradient of a cross-correlation is a *true* convolution.",
        "do the 1-D example on paper: y₀ = w₀x₀ + w₁x₁, y₁ = w₀x₁ + w₁x₂. Which weights reach x₁, in which order?",
        "turn the kernel by 180° before sliding it over grad_y.",
        bent(grad_x=lambda g, grad_y, x, weight: gradients(grad_y, x, weight.flip(-1, -2))[0]),
    ),
    Mistake(
        "flipped in rows only",
        "the kernel's columns are not flipped on the way back.",
        "180° in two dimensions: rows and columns.",
        "flip over both of the last dimensions.",
        bent(grad_x=lambda g, grad_y, x, weight: gradients(grad_y, x, weight.flip(-1))[0]),
    ),
    Mistake(
        "flipped in columns only",
        "the kernel's rows are not flipped on the way back.",
        "180° in two dimensions: rows and columns.",
        "flip over both of the last dimensions.",
        bent(grad_x=lambda g, grad_y, x, weight: gradients(grad_y, x, weight.flip(-2))[0]),
    ),
    Mistake(
        "weight gradient flipped",
        "the gradient of the weight is turned by 180°: this one is a cross-correlation and needs no flip.",
        "weight [i, j] met x[r + i, c + j], with a plus sign.",
        "correlate x with grad_y as it is.",
        bent(grad_weight=lambda g, *given: g.flip(-1, -2)),
    ),
    Mistake(
        "averaged over the batch",
        "the gradient of the weight is averaged over the batch; gradients of all images add up.",
        "two images, one weight: two paths from the weight to the loss.",
        "a mean, if there is one, belongs to the loss and is in grad_y already.",
        bent(grad_weight=lambda g, grad_y, *given: g / len(grad_y)),
    ),
    Mistake(
        "first image only",
        "the gradient of the weight comes from the first image only.",
        "every image of the batch used the weight.",
        "sum over the batch.",
        bent(grad_weight=lambda g, grad_y, x, weight: gradients(grad_y[:1], x[:1], weight)[1]),
    ),
    Mistake(
        "bias counts outputs",
        "the gradient of the bias is the number of outputs; that would be right only if grad_y were all ones.",
        "each output number passes on its own gradient.",
        "add grad_y up.",
        bent(grad_bias=lambda g, grad_y, *given: torch.full_like(g, grad_y[:, 0].numel())),
    ),
    Mistake(
        "bias averaged",
        "the gradient of the bias is a mean; gradients along all paths add up.",
        "how often is one bias used?",
        "sum, do not average.",
        bent(grad_bias=lambda g, grad_y, *given: g / grad_y[:, 0].numel()),
    ),
    Mistake(
        "bias not summed over the batch",
        "the gradient of the bias is not summed over the batch.",
        "one bias serves every image.",
        "sum over batch, rows and columns; the channel stays.",
        bent(grad_bias=lambda g, grad_y, *given: grad_y.sum((2, 3))),
    ),
    Mistake(
        "one bias for all filters",
        "the gradient of the bias is summed over the filters too; each filter has a bias of its own.",
        "what shape has the bias?",
        "the channel dimension of grad_y stays.",
        bent(grad_bias=lambda g, *given: g.sum().expand_as(g)),
    ),
    Mistake(
        "channels swapped",
        "grad_x has its channels in the wrong order or number: the filters' dimension must be summed away, C stays.",
        "weight is (out, in, …); on the way back in and out change places.",
        "transpose the first two dimensions of the weight.",
        bent(grad_x=lambda g, *given: g.flip(1)),
    ),
)


ANSWERS = {
    "slide_bias": Answer(bias_of, BIAS_MISTAKES),
    "fully_connected_parameters": Answer(dense_layer, DENSE_MISTAKES),
    "im2col": Answer(windows, IM2COL_MISTAKES),
    "conv2d_backward": Answer(gradients, BACKWARD_MISTAKES, tolerance=1e-8),
}
