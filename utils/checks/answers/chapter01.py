"""What is right in the exercises that chapter 01 leaves to the learner, and what goes wrong there."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from utils.checks.answer import Answer, Mistake

# ── sharpen ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def smooth(image, mode="nearest", **options):
    """SciPy's box filter, 3×3."""
    from scipy import ndimage

    return torch.from_numpy(ndimage.uniform_filter(image.numpy(), 3, mode=mode, **options))


def sharp(image, amount, mode="nearest"):
    """Beyond the image, seen from the smoothed one: extrapolation with torch's own lerp."""
    return torch.lerp(smooth(image, mode), image, 1 + amount)


SHARPEN = (
    Mistake(
        name="smoothed instead",
        says="your picture becomes smoother, not sharper: the difference is added with the wrong sign.",
        hint="what is larger in the middle of a bright spot: the original or its smoothed copy?",
        stronger="move away from the smoothed picture, not towards it.",
        target=lambda image, amount: sharp(image, -amount),
    ),
    Mistake(
        name="only the difference",
        says="you give the details alone; they are to be added to the original.",
        hint="with amount 0 the picture should come back unchanged.",
        stronger="where does the original itself stand in your sum?",
        target=lambda image, amount: sharp(image, amount) - image,
    ),
    Mistake(
        name="original not strengthened",
        says="amount · smoothed is taken away, but the original is not multiplied by 1 + amount: it gets darker.",
        hint="a grey wall of 0.5 should stay 0.5.",
        stronger="the two factors should add up to 1.",
        target=lambda image, amount: image - amount * smooth(image),
    ),
    Mistake(
        name="amount ignored",
        says="amount makes no difference: you always sharpen with 1.",
        hint="where does amount stand in your code?",
        stronger="try amount 0: nothing should change.",
        target=lambda image, amount: sharp(image, 1.0),
    ),
    Mistake(
        name="nine ones, not divided",
        says="your smoothed picture is nine times too bright: nine ones sum to 9.",
        hint="what should smoothing do to a grey wall? And to what do the weights sum?",
        stronger="each of the nine weights is a ninth.",
        target=lambda image, amount: sharp(image, amount) - 8 * amount * smooth(image),
    ),
    Mistake(
        name="border black",
        says="the border is padded with zeros: smoothing darkens it, and sharpening then brightens it.",
        hint="what comes out for a picture that is 0.5 everywhere?",
        stronger='F.pad knows mode="replicate"; it wants a batch and a channel: image[None, None].',
        target=lambda image, amount: sharp(image, amount, "constant"),
    ),
    Mistake(
        name="border reflected",
        says="the border is mirrored; here it is to be repeated.",
        hint='F.pad has the modes "reflect" and "replicate".',
        stronger="the pixel beyond the edge is the edge pixel once more.",
        target=lambda image, amount: sharp(image, amount, "mirror"),
    ),
    Mistake(
        name="valid part only",
        says="the result is smaller than the picture: it lacks the border.",
        hint="which padding keeps the size with a 3×3 kernel?",
        stronger="pad the picture by one pixel before you smooth it, then add the unpadded picture.",
        target=lambda image, amount: sharp(image, amount)[1:-1, 1:-1],
    ),
    Mistake(
        name="clipped",
        says="the result is cut off at 0: clip when you show a picture, not when you compute it.",
        hint="beside a bright spot a sharpened picture may well be negative.",
        stronger="leave clamp away.",
        target=lambda image, amount: sharp(image, amount).clamp(min=0),
    ),
)

# ── match_template ───────────────────────────────────────────────────────────────────────────────────────────────────


def matched(image, template):
    """scikit-image's normalised cross-correlation; 0 in flat windows, where it would divide rounding errors."""
    from skimage.feature import match_template

    score = torch.from_numpy(match_template(image.double().numpy(), template.double().numpy()))
    return score.masked_fill(spread(image.double(), template) < 1e-6, 0.0).to(image.dtype)


def plain(image, template):
    return F.conv2d(image[None, None], template[None, None])[0, 0]


def spread(image, template):
    """The standard deviation of each window, asked of torch through E[x²] − E[x]²."""
    mean, square = (F.avg_pool2d(x[None], tuple(template.shape), 1)[0] for x in (image, image**2))
    return (square - mean**2).clamp(min=0).sqrt()


def unit(matrix):
    return matrix / matrix.norm()


MATCH_TEMPLATE = (
    Mistake(
        name="plain correlation",
        says="this is plain cross-correlation: a bright patch answers it more than the pattern does.",
        hint="what does your function give on a window that is white all over?",
        stronger="take the mean from both, then divide by both lengths.",
        target=plain,
    ),
    Mistake(
        name="zero-mean, not normalised",
        says="the means are taken away, but the result is not divided: it still grows with the contrast.",
        hint="a correlation coefficient lies between −1 and 1.",
        stronger="divide by the length (norm) of the centred window and by that of the centred template.",
        target=lambda image, template: plain(image, template - template.mean()),
    ),
    Mistake(
        name="means left in",
        says="you divide by the lengths, but the means are still there: a bright grey window scores high.",
        hint="what does a white window score?",
        stronger="centre the window and the template before you take products and lengths.",
        target=lambda image, template: (
            plain(image, template) / (template.norm() * plain(image**2, torch.ones_like(template)).sqrt())
        ),
    ),
    Mistake(
        name="divided by the template only",
        says="you divide by the template's length only: the window's contrast still counts.",
        hint="light half of the picture with a lamp: which scores grow?",
        stronger="each window has its own length.",
        target=lambda image, template: plain(image, unit(template - template.mean())),
    ),
    Mistake(
        name="one mean for the whole image",
        says="you centre the image by its own mean, once; each window has a mean of its own.",
        hint="what about a window in the bright half of the picture?",
        stronger="the mean is taken over just the pixels under the template.",
        target=lambda image, template: (
            plain(image - image.mean(), unit(template - template.mean()))
            / plain((image - image.mean()) ** 2, torch.ones_like(template)).sqrt()
        ),
    ),
    Mistake(
        name="averaged instead of summed",
        says="the result is too small by the number of pixels: a mean of products stands over a product of norms.",
        hint="the template laid on itself should score 1.",
        stronger="sums on both sides of the fraction bar, or means on both.",
        target=lambda image, template: matched(image, template) / template.numel(),
    ),
    Mistake(
        name="summed over standard deviations",
        says="the result is too large by the number of pixels: a sum of products is divided by standard deviations.",
        hint="the template laid on itself should score 1.",
        stronger="sums on both sides of the fraction bar, or means on both.",
        target=lambda image, template: matched(image, template) * template.numel(),
    ),
    Mistake(
        name="sample standard deviation",
        says="one side divides by n, the other by n − 1: torch's std uses n − 1 unless told otherwise.",
        hint="the template laid on itself should score exactly 1.",
        stronger="use norms, or the same correction on both sides.",
        target=lambda image, template: matched(image, template) * (template.numel() - 1) / template.numel(),
    ),
    Mistake(
        name="0/0 in flat windows",
        says="a window without contrast gives NaN, 0 divided by 0: it looks like nothing, so it should score 0.",
        hint="what is the norm of a centred window whose pixels are all equal?",
        stronger="torch.where, or an if, for windows whose norm is 0.",
        target=lambda image, template: matched(image, template).masked_fill(spread(image, template) < 1e-9, torch.nan),
    ),
    Mistake(
        name="absolute value",
        says="the sign is lost: a photographic negative of the template would count as a match.",
        hint="the coefficient runs from −1 to 1.",
        stronger="leave abs or the square away.",
        target=lambda image, template: matched(image, template).abs(),
    ),
    Mistake(
        name="template flipped",
        says="the template is turned by 180°: matching is cross-correlation, without the flip.",
        hint="which of the two did you use, cross_correlate2d or convolve2d?",
        stronger="the template's indices and the image's run in the same direction.",
        target=lambda image, template: matched(image, template.flip(0, 1)),
    ),
    Mistake(
        name="last row and column missing",
        says="the last row and column are missing: the loops stop one position too early.",
        hint="how many positions has a template of 2 in an image of 3?",
        stronger="the number of positions is one more than the difference of the sizes.",
        target=lambda image, template: matched(image, template)[:-1, :-1],
    ),
)

# ── conv_matrix ──────────────────────────────────────────────────────────────────────────────────────────────────────


def jacobian(kernel, height, width):
    """torch's derivative of its own cross-correlation: a linear map is its own Jacobian."""
    nothing = torch.zeros(height, width, dtype=kernel.dtype)
    slopes = torch.autograd.functional.jacobian(lambda image: plain(image, kernel), nothing)
    return slopes.flatten(2).flatten(0, 1)


CONV_MATRIX = (
    Mistake(
        name="kernel flipped",
        says="your kernel is flipped: the matrix convolves; cross-correlation is wanted here.",
        hint="the first weight of the kernel belongs to the first pixel of the window.",
        stronger="leave flip away.",
        target=lambda kernel, height, width: jacobian(kernel.flip(0, 1), height, width),
    ),
    Mistake(
        name="transposed",
        says="the matrix is transposed: one row for each output, one column for each input pixel.",
        hint="which shape must a matrix have that is multiplied by a vector of height · width numbers?",
        stronger="swap the two indices when you write.",
        target=lambda kernel, height, width: jacobian(kernel, height, width).T,
    ),
    Mistake(
        name="height and width swapped",
        says="height and width are swapped: a row of the image has width pixels.",
        hint="which number has the pixel (1, 0) when pixels are counted row by row?",
        stronger="pixel (i, j) has number i · width + j.",
        target=lambda kernel, height, width: (
            jacobian(kernel, width, height) if min(height, width) >= max(kernel.shape) else torch.zeros(0)[1]
        ),
    ),
    Mistake(
        name="wraps round",
        says="at the right edge the window goes on in the next row: there are rows for positions that do not fit.",
        hint="how many output columns are there?",
        stronger="only width − kw + 1 positions of each row are valid.",
        target=lambda kernel, height, width: wrapping(kernel, height, width),
    ),
    Mistake(
        name="only one row of blocks",
        says="only the first row of the output is filled; the rest of the matrix stays zero.",
        hint="is there a loop over output rows and one over output columns?",
        stronger="output (r, c) has row r · (width − kw + 1) + c of the matrix.",
        target=lambda kernel, height, width: first_only(kernel, height, width),
    ),
    Mistake(
        name="kernel stored as one run",
        says="the kernel's weights stand next to one another; from one kernel row to the next there are width columns.",
        hint="the pixel below (i, j) is how many places further in the flattened image?",
        stronger="pixel (i, j) has number i · width + j.",
        target=lambda kernel, height, width: one_run(kernel, height, width),
    ),
)


def wrapping(kernel, height, width):
    """Every shift of the first row that stays inside the vector, the invalid ones among them."""
    first = jacobian(kernel, height, width)[0]
    last = int(first.nonzero().max())
    return torch.stack([first.roll(shift) for shift in range(height * width - last)])


def first_only(kernel, height, width):
    matrix = jacobian(kernel, height, width)
    matrix[width - kernel.shape[1] + 1 :] = 0
    return matrix


def one_run(kernel, height, width):
    matrix = jacobian(kernel, height, width)
    for row in matrix:
        start, weights = int(row.nonzero().min()), row[row != 0]
        if start + len(weights) > len(row):
            raise RuntimeError("the weights do not fit into the row")
        row.zero_()
        row[start : start + len(weights)] = weights
    return matrix


# ── The bug museum ───────────────────────────────────────────────────────────────────────────────────────────────────


def strided(image, kernel, stride):
    return F.conv2d(image[None, None], kernel[None, None], stride=stride)[0, 0]


def stops_early(dims):
    """The last position is left out where the kernel would just reach the edge: range(0, H − F, stride)."""

    def target(image, kernel, stride):
        y = strided(image, kernel, stride)
        for dim in dims:
            if (image.shape[dim] - kernel.shape[dim]) % stride == 0:
                y.select(dim, -1).zero_()
        return y

    return target


def written_at_input_index(image, kernel, stride):
    """The results land at the window's position in the input: with gaps, and soon outside."""
    y, filled = strided(image, kernel, stride), torch.zeros_like(strided(image, kernel, stride))
    for r, row in enumerate(y):
        for c, value in enumerate(row):
            filled[r * stride, c * stride] = value
    return filled


def gaps(image, kernel, stride):
    """As large as for stride 1, with zeros between."""
    every = strided(image, kernel, 1)
    keep = torch.zeros_like(every)
    keep[::stride, ::stride] = 1
    return every * keep


SCRAP = Mistake(
    name="stride ignored",
    says="the stride makes no difference: the window moves by one pixel.",
    hint="the third argument of range is its step.",
    stronger="the window's top left corner stands at r · stride.",
    target=lambda image, kernel, stride: strided(image, kernel, 1),
)
OUTSIDE = Mistake(
    name="written at the input's index",
    says="you write to out[i][j], where i and j count input pixels: for stride > 1 that leaves gaps, and runs out.",
    hint="with stride 2 the window stands at i = 0, 2, 4; to which rows of the output do these belong?",
    stronger="i is a multiple of the stride; the output row is the multiplier.",
    target=written_at_input_index,
)
GAPS = Mistake(
    name="gaps between the results",
    says="the output is as large as for stride 1, with zeros between the results.",
    hint="how many positions does the window take in all?",
    stronger="allocate one entry for each position, and write to consecutive ones.",
    target=gaps,
)
EARLY = Mistake(
    name="last row and column empty",
    says="the last row and column stay empty: the loops stop one position too early, for range never reaches its end.",
    hint="H = 5, F = 3: the window's top may be 0, 1 or 2. What is range(0, 5 − 3)?",
    stronger="the last position, H − F, must still be inside the range.",
    target=stops_early((0, 1)),
)
EARLY_ROW = Mistake(
    name="last row empty",
    says="the last row is still empty: only the columns are repaired.",
    hint="there are two loops.",
    stronger="repair the range over rows as you did the one over columns.",
    target=stops_early((0,)),
)
EARLY_COLUMN = Mistake(
    name="last column empty",
    says="the last column is still empty: only the rows are repaired.",
    hint="there are two loops.",
    stronger="repair the range over columns as you did the one over rows.",
    target=stops_early((1,)),
)
SHRUNK = Mistake(
    name="output made smaller",
    says="the empty row and column are cut off, but they should be filled: their windows do fit.",
    hint="the size of the output was right; what about the loops?",
    stronger="put the size back as it was, and look at the end of each range.",
    target=lambda image, kernel, stride: stops_early((0, 1))(image, kernel, stride)[:-1, :-1],
)


def pooled(image, kernel_size, stride):
    return F.max_pool2d(image[None], kernel_size, stride)[0]


def global_stride(value):
    return Mistake(
        name=f"always stride {value}",
        says=f"the stride is {value} whatever is asked for: the name in the body is not the parameter's, "
        "so Python takes a variable of the notebook.",
        hint="restart the kernel and run only this cell: which name is not defined?",
        stronger="compare, letter by letter, the names in the def line with those in the body.",
        target=lambda image, kernel_size, stride: pooled(image, kernel_size, value),
    )


ANSWERS = {
    "sharpen": Answer(sharp, SHARPEN),
    "match_template": Answer(matched, MATCH_TEMPLATE, tolerance=1e-6),
    "conv_matrix": Answer(jacobian, CONV_MATRIX),
    "museum_rows": Answer(strided, (EARLY, EARLY_ROW, EARLY_COLUMN, SHRUNK, SCRAP, OUTSIDE, GAPS)),
    "museum_stride": Answer(strided, (OUTSIDE, GAPS, SCRAP, EARLY, EARLY_ROW, EARLY_COLUMN)),
    "museum_pooling": Answer(
        pooled,
        (
            *(global_stride(value) for value in (2, 1, 3, 4)),
            Mistake(
                name="stride is the kernel size",
                says="the windows never overlap and never leave gaps: the stride follows the kernel size.",
                hint="which of the two parameters moves the window?",
                stronger="kernel_size says how far to look, stride how far to go.",
                target=lambda image, kernel_size, stride: pooled(image, kernel_size, kernel_size),
            ),
            Mistake(
                name="mean instead of maximum",
                says="this is mean pooling; the function was, and should stay, max pooling.",
                hint="only the stride was broken.",
                stronger="take the window's .max().",
                target=lambda image, kernel_size, stride: F.avg_pool2d(image[None], kernel_size, stride)[0],
            ),
        ),
    ),
}
