"""What torch says of one image and one kernel, and how learners slide a kernel wrongly."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from utils.checks.answer import Answer, Mistake


def torch_says(image, kernel, stride=1, padding=0):
    """torch's convolution layer, which does not flip the kernel, on one image with one channel."""
    return F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def flip(kernel, dims=(0, 1)):
    return kernel.flip(dims)


def catalogue(orient, wrong_orientation):
    """The mistakes of either exercise: `orient` turns the kernel as is right."""

    def bent(before=lambda i, k: (i, k), after=lambda y, i, k: y, **options):
        def target(image, kernel):
            changed_image, changed_kernel = before(image, orient(kernel))
            return after(torch_says(changed_image, changed_kernel, **options), image, kernel)

        return target

    def changes_image(image, kernel):
        image -= image.mean()
        return torch_says(image, orient(kernel))

    def changes_kernel(image, kernel):
        kernel.copy_(kernel.flip((0, 1)) * 2)
        return torch_says(image, orient(kernel))

    def one_short(y, dims):
        for dim in dims:
            y = y.narrow(dim, 0, max(y.shape[dim] - 1, 0))
        return y

    def last_left_zero(y, dims):
        y = y.clone()
        for dim in dims:
            y.select(dim, -1).zero_()
        return y

    def first_row_only(y, *_):
        return torch.cat([y[:1], torch.zeros_like(y[1:])])

    def matrix_product(image, kernel):
        if kernel.shape[0] != kernel.shape[1]:
            torch.ones(2, 3) @ torch.ones(2, 3)  # a RuntimeError, as the learner's own product would raise it
        return torch_says(image, orient(kernel).sum(1).expand_as(kernel))

    def wraps_around(image, kernel):
        return image.roll((kernel.shape[0] // 2, kernel.shape[1] // 2), (0, 1)), kernel

    def transposed_kernel(image, kernel):
        return torch_says(image, orient(kernel.T)) if kernel.shape[0] == kernel.shape[1] else index_error()

    def square_only(image, kernel):
        size = kernel.shape[0]
        return torch_says(image, orient(kernel[:, :size])) if kernel.shape[1] >= size else index_error()

    def index_error():
        return torch.zeros(2)[5]  # an IndexError, as the learner's own loops would raise it

    def same_size(image, kernel):
        height, width = image.shape
        full = torch_says(image, orient(kernel), padding=(kernel.shape[0] // 2, kernel.shape[1] // 2))
        return full[:height, :width]

    def full(image, kernel):
        return torch_says(image, orient(kernel), padding=(kernel.shape[0] - 1, kernel.shape[1] - 1))

    def padded_with_zeros(image, kernel):
        y = torch_says(image, orient(kernel))
        return F.pad(y, (0, image.shape[1] - y.shape[1], 0, image.shape[0] - y.shape[0]))

    return (
        wrong_orientation,
        Mistake(
            "flipped in rows only",
            "the kernel's rows are in the wrong order (its columns are right).",
            "write the kernel 1 2 / 3 4 as your code uses it.",
            "turn the kernel by 180°: both axes, or none.",
            lambda image, kernel: torch_says(image, flip(orient(kernel), (0,))),
        ),
        Mistake(
            "flipped in columns only",
            "the kernel's columns are in the wrong order (its rows are right).",
            "write the kernel 1 2 / 3 4 as your code uses it.",
            "turn the kernel by 180°: both axes, or none.",
            lambda image, kernel: torch_says(image, flip(orient(kernel), (1,))),
        ),
        Mistake(
            "kernel transposed",
            "the kernel is transposed: its rows and columns are swapped.",
            "which index of the kernel goes with the row of the image?",
            "pair kernel[k, l] with the same order of row and column in the image.",
            transposed_kernel,
        ),
        Mistake(
            "result transposed",
            "H and W are swapped in the result.",
            "how many rows should the result have?",
            "the first index of a tensor is the row.",
            bent(after=lambda y, i, k: y.T),
        ),
        Mistake(
            "last row and column missing",
            "the result is one row and one column too small: the last position of the window is never visited.",
            "an image of 3 and a kernel of 2: how many positions are there? range(1) visits one.",
            "the number of positions is one more than the difference of the sizes.",
            bent(after=lambda y, i, k: one_short(y, (0, 1))),
        ),
        Mistake(
            "last row and column left empty",
            "the last row and column of the result stay zero: the loop stops one position too early.",
            "which values does range(n) take? n is not among them.",
            "loop over the whole size of the result.",
            bent(after=lambda y, i, k: last_left_zero(y, (0, 1))),
        ),
        Mistake(
            "last row left empty",
            "the last row of the result stays zero: the loop over rows stops one position too early.",
            "which values does range(n) take? n is not among them.",
            "both loops run over the whole size of the result.",
            bent(after=lambda y, i, k: last_left_zero(y, (0,))),
        ),
        Mistake(
            "last column left empty",
            "the last column of the result stays zero: the loop over columns stops one position too early.",
            "which values does range(n) take? n is not among them.",
            "both loops run over the whole size of the result.",
            bent(after=lambda y, i, k: last_left_zero(y, (1,))),
        ),
        Mistake(
            "first row only",
            "only the first row of the result is filled; the rows below stay zero.",
            "how far is your `return` indented?",
            "a `return` inside a loop ends the function in the loop's first turn.",
            bent(after=first_row_only),
        ),
        Mistake(
            "last row missing",
            "the last row is missing: the loop over rows stops one position too early.",
            "compare the two ranges of your loops.",
            "the number of positions is one more than the difference of the sizes, in both directions.",
            bent(after=lambda y, i, k: one_short(y, (0,))),
        ),
        Mistake(
            "last column missing",
            "the last column is missing: the loop over columns stops one position too early.",
            "compare the two ranges of your loops.",
            "the number of positions is one more than the difference of the sizes, in both directions.",
            bent(after=lambda y, i, k: one_short(y, (1,))),
        ),
        Mistake(
            "same size",
            "the result has the size of the image: you pad it. The valid part uses only windows that lie inside.",
            "how often does a 2-wide window fit into 4 columns?",
            "add no border.",
            same_size,
        ),
        Mistake(
            "valid part in a frame",
            "the result has the size of the image, with zeros where no window fits; only the valid part is wanted.",
            "what shape do you allocate?",
            "one entry per position of the window, no more.",
            padded_with_zeros,
        ),
        Mistake(
            "full",
            "you give the full result, with windows that only touch the image; the valid part is wanted.",
            "use only windows that lie inside the image.",
            "add no border.",
            full,
        ),
        Mistake(
            "averaged",
            "the sum is divided by the number of products: that is an average, not the sum.",
            "nine ones on nine ones give 9.",
            "leave the sum as it is; a kernel that is to average has its own divisor.",
            bent(after=lambda y, i, k: y / k.numel()),
        ),
        Mistake(
            "divided by the kernel's sum",
            "the result is divided by the kernel's sum: a kernel may sum to anything, even to 0.",
            "what happens with an edge kernel, whose sum is 0?",
            "leave the sum as it is.",
            bent(after=lambda y, i, k: y / k.sum()),
        ),
        Mistake(
            "added instead of multiplied",
            "pixels and weights are added, not multiplied.",
            "a weight of 0 should make its pixel count for nothing.",
            "multiply first, then add the products.",
            bent(after=lambda y, i, k: torch_says(i, torch.ones_like(k)) + k.sum()),
        ),
        Mistake(
            "only the last product",
            "only one product reaches the result: it is overwritten instead of added up.",
            "= or += ?",
            "start at zero and add each product.",
            bent(before=lambda i, k: (i[k.shape[0] - 1 :, k.shape[1] - 1 :], k[-1:, -1:])),
        ),
        Mistake(
            "sum carried on",
            "every result contains all the results before it: the sum is never set back to zero.",
            "compare your second result with the first two that are expected.",
            "each position of the window starts a new sum.",
            bent(after=lambda y, i, k: y.flatten().cumsum(0).view(y.shape)),
        ),
        Mistake(
            "sum carried along the row",
            "every result contains those to its left: the sum is set back to zero once per row, not at each position.",
            "in which of your loops does the sum start at zero?",
            "each position of the window starts a new sum.",
            bent(after=lambda y, i, k: y.cumsum(1)),
        ),
        Mistake(
            "matrix product",
            "window and kernel are multiplied as matrices, with @; each product wanted has one pixel and one weight.",
            "how many products has a 2×2 kernel? A product of two 2×2 matrices has eight.",
            "`*` multiplies pixel by weight.",
            matrix_product,
        ),
        Mistake(
            "wraps around",
            "the window reaches beyond the border and wraps around: a negative index counts from the other end.",
            "which pixels make up the window of result [0, 0]?",
            "result [0, 0] belongs to the window whose top-left pixel is image[0, 0]; nothing is centred.",
            bent(before=wraps_around),
        ),
        Mistake(
            "sign lost",
            "the results have lost their sign: a filter may well answer with a negative number.",
            "abs(...) drops the sign, and so does the magnitude of a Fourier transform.",
            "keep the sum as it is; of a complex number take the real part.",
            bent(after=lambda y, i, k: y.abs()),
        ),
        Mistake(
            "kernel squared",
            "the weights enter twice.",
            "with a kernel of twos, are your results 4 times too large?",
            "each product has one pixel and one weight.",
            bent(before=lambda i, k: (i, k * k)),
        ),
        Mistake(
            "clipped",
            "negative results are cut off: a filter may well answer with a negative number.",
            "what does an edge kernel say at an edge from bright to dark?",
            "clip when you show a picture, not when you compute it.",
            bent(after=lambda y, i, k: y.clamp(min=0)),
        ),
        Mistake(
            "rounded",
            "the results are rounded to whole numbers.",
            "of which dtype is the tensor that you fill?",
            "allocate floating-point numbers, as the image has.",
            bent(after=lambda y, i, k: y.trunc()),
        ),
        Mistake(
            "square kernels only",
            "H and W of the kernel are taken to be the same.",
            "try a kernel of 2 rows and 3 columns.",
            "read both sizes from the kernel's shape.",
            square_only,
        ),
        Mistake(
            "image changed",
            "the image is changed in place: whoever called you still needs it.",
            "which line writes into image?",
            "write into a tensor of your own, or take a .clone().",
            changes_image,
        ),
        Mistake(
            "kernel changed",
            "the kernel is changed in place: whoever called you still needs it.",
            "which line writes into kernel?",
            "make a new tensor, or take a .clone().",
            changes_kernel,
        ),
    )


FLIPPED = Mistake(
    "kernel flipped",
    "your kernel is flipped: this is true convolution, the course uses cross-correlation here.",
    "put the kernel 1 2 / 3 4 on the image: which weight meets the top-left pixel?",
    "the kernel's indices and the image's run in the same direction.",
    lambda image, kernel: torch_says(image, flip(kernel)),
)
NOT_FLIPPED = Mistake(
    "kernel not flipped",
    "your kernel is not flipped: this is cross-correlation, convolution turns the kernel by 180° first.",
    "what does an image with a single 1 give? Convolution reproduces the kernel, cross-correlation its mirror image.",
    "flip both axes, then do as before.",
    torch_says,
)

CONVOLVE_ONLY = (
    Mistake(
        "image flipped",
        "the image is flipped; it is the kernel that convolution turns.",
        "an image with a single 1 near the top left: where should the kernel appear in the result?",
        "leave the image as it is.",
        lambda image, kernel: torch_says(flip(image), kernel),
    ),
    Mistake(
        "transposed instead of turned",
        "the kernel is transposed; convolution turns it by 180°.",
        "write down 1 2 / 3 4 turned by 180°, and then what your code makes of it.",
        "a transposed kernel swaps rows and columns; a turned one reverses both.",
        lambda image, kernel: torch_says(image, kernel.T),
    ),
    Mistake(
        "turned by 90°",
        "the kernel is turned by 90°; convolution turns it by 180°.",
        "write down 1 2 / 3 4 turned by 180°, and then what your code makes of it.",
        "two quarter turns make the half turn that is wanted.",
        lambda image, kernel: torch_says(image, kernel.rot90()),
    ),
    Mistake(
        "turned by 90° the other way",
        "the kernel is turned by 270°; convolution turns it by 180°.",
        "write down 1 2 / 3 4 turned by 180°, and then what your code makes of it.",
        "a half turn is the same in both directions.",
        lambda image, kernel: torch_says(image, kernel.rot90(-1)),
    ),
    Mistake(
        "index −0",
        "the kernel is turned, but its first row and column stay where they are: index −0 is index 0.",
        "which weights are kernel[-0] and kernel[-1]?",
        "counted from the end, the first index is −1.",
        lambda image, kernel: torch_says(image, flip(kernel).roll((1, 1), (0, 1))),
    ),
)

ANSWERS = {
    "cross_correlate2d": Answer(torch_says, catalogue(lambda kernel: kernel, FLIPPED), tolerance=1e-4),
    "convolve2d": Answer(
        lambda image, kernel: torch_says(image, flip(kernel)),
        catalogue(flip, NOT_FLIPPED) + CONVOLVE_ONLY,
        tolerance=1e-4,
    ),
}
