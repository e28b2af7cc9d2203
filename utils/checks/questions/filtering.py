"""Chapter 01's two graded exercises: sliding one kernel over one image."""

import functools

import torch

from utils.checks.question import Case, Question, as_array, untouched

SQUARE = [((5, 7), (3, 3)), ((5, 5), (1, 1)), ((9, 6), (5, 5)), ((4, 7), (4, 4)), ((6, 6), (2, 2))]
OBLONG = [((6, 5), (2, 3)), ((4, 8), (3, 1)), ((7, 6), (1, 4)), ((4, 3), (4, 3)), ((3, 6), (2, 6)), ((8, 4), (5, 2))]


def cases(rng, wide):
    """Small whole numbers first, to be followed by hand; then random ones, odd and even, wide and tall."""
    image, kernel = rng.integers(0, 10, (3, 4)), rng.integers(-3, 4, (2, 2))
    cases = [Case("values", {"image": image.astype("float64"), "kernel": kernel.astype("float64")})]
    oblong = OBLONG
    if wide:
        kernels = rng.integers(1, 6, (8, 2))
        oblong = OBLONG + [(tuple(k + rng.integers(0, 6, 2)), tuple(k)) for k in kernels]
    for aspect, sizes in (("values", SQUARE), ("rectangular kernels", oblong)):
        for image, kernel in sizes:
            given = {"image": rng.standard_normal(image), "kernel": rng.standard_normal(kernel)}
            cases.append(Case(aspect, given))
    single = {"image": rng.standard_normal((6, 4)), "kernel": rng.standard_normal((3, 3)), "dtype": "float32"}
    return [*cases, Case("values", single)]


def run(target, given):
    """Ask with tensors; a solution written for NumPy arrays is asked again with those."""
    dtype = getattr(torch, given.get("dtype", "float64"))
    image, kernel = (torch.tensor(given[name], dtype=dtype) for name in ("image", "kernel"))
    return with_either(lambda image, kernel: ask(target, image, kernel), image, kernel)


def with_either(function, image, kernel):
    """`function` of two tensors, or, if it can do nothing with them, of two arrays."""
    try:
        return function(image, kernel)
    except (TypeError, AttributeError, ValueError) as error:
        try:
            return function(image.numpy(), kernel.numpy())
        except (TypeError, AttributeError, ValueError):
            raise error from None


def for_tensors(target):
    """A solution that was written for NumPy arrays, or gives one, for use with tensors."""

    @functools.wraps(target)
    def adapted(image, kernel):
        return torch.as_tensor(with_either(target, image, kernel))

    return adapted


def ask(target, image, kernel):
    with untouched(image=image, kernel=kernel):
        result = target(image, kernel)
    return {"y": as_array(result, "the result")}


def question(name, points, operation):
    return Question(
        name=name,
        aspects={"values": points - 1, "rectangular kernels": 1},
        tests={
            "values": "square kernels of 1 to 5, odd and even, on oblong images, in double and single precision",
            "rectangular kernels": "kernels that are wide, tall, or as large as the image",
        },
        cases=cases,
        run=run,
        signature=f"{name}(image, kernel) -> the valid part of the {operation}, (H − kh + 1, W − kw + 1)",
        from_scratch=True,
        for_tensors=for_tensors,
    )


QUESTIONS = {
    "cross_correlate2d": question("cross_correlate2d", 4, "cross-correlation"),
    "convolve2d": question("convolve2d", 3, "convolution"),
}
