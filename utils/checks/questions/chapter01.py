"""The exercises of chapter 01 that learners check for themselves: worth no points."""

import numpy as np
import torch

from utils.checks.question import Case, Question, as_array, untouched


def run(target, given):
    """All inputs by position, in the order in which the signature names them."""
    inputs = {name: torch.tensor(value) if hasattr(value, "shape") else value for name, value in given.items()}
    with untouched(**{name: value for name, value in inputs.items() if isinstance(value, torch.Tensor)}):
        result = target(*inputs.values())
    return {"y": as_array(result, "the result")}


def sharpen_cases(rng, wide):
    """In a black frame first: whoever has the idea right but the border wrong is told so."""
    spot = np.pad([[9.0]], 2)
    framed = [np.pad(rng.integers(0, 10, size).astype("float64"), 2) for size in ((2, 4), (3, 2))]
    return [
        Case("values", {"image": spot, "amount": 1.0}),
        Case("values", {"image": framed[0], "amount": 0.5}),
        Case("values", {"image": framed[1], "amount": 2.0}),
        Case("values", {"image": framed[1], "amount": 0.0}),
        Case("border", {"image": np.full((3, 4), 9.0), "amount": 1.0}),
        Case("border", {"image": rng.random((5, 3)), "amount": 1.5}),
    ]


def match_cases(rng, wide):
    """Whole numbers, so that a flat window is flat to the last digit."""
    image, small = rng.integers(0, 10, (6, 9)).astype("float64"), rng.integers(0, 10, (4, 5)).astype("float64")
    template = image[2:4, 3:6].copy()
    lit = image.copy()
    lit[:, 5:] = 3 * lit[:, 5:] + 20
    flat = image.copy()
    flat[:4, :5] = 7.0
    return [
        Case("values", {"image": small, "template": small[1:3, 1:4].copy()}),
        Case("values", {"image": image, "template": template}),
        Case("values", {"image": rng.integers(0, 10, (8, 5)).astype("float64"), "template": image[:3, :2].copy()}),
        Case("brightness and contrast", {"image": lit, "template": template}),
        Case("brightness and contrast", {"image": image, "template": 5 * template + 100}),
        Case("flat windows", {"image": flat, "template": template}),
    ]


def matrix_cases(rng, wide):
    sizes = [((2, 2), 3, 3), ((2, 2), 3, 4), ((3, 2), 4, 5), ((1, 3), 2, 4), ((3, 3), 5, 4), ((2, 3), 2, 3)]
    return [
        Case("values", {"kernel": rng.integers(1, 10, size).astype("float64"), "height": height, "width": width})
        for size, height, width in sizes
    ]


def museum_cases(sizes):
    def cases(rng, wide):
        return [
            Case(
                aspect,
                {
                    "image": rng.integers(0, 10, (height, width)).astype("float64"),
                    "kernel": rng.integers(-3, 4, (size, size)).astype("float64"),
                    "stride": stride,
                },
            )
            for aspect, height, width, size, stride in sizes
        ]

    return cases


def pooling_cases(rng, wide):
    sizes = [(4, 4, 2, 2), (5, 7, 3, 1), (6, 6, 2, 3), (7, 5, 2, 1), (8, 9, 3, 2), (9, 9, 2, 4)]
    return [
        Case(
            "values",
            {
                "image": rng.permutation(height * width).reshape(height, width).astype("float64"),
                "kernel_size": size,
                "stride": stride,
            },
        )
        for height, width, size, stride in sizes
    ]


def question(name, tests, cases, signature):
    return Question(name, dict.fromkeys(tests, 0), tests, cases, run, signature)


QUESTIONS = {
    "sharpen": question(
        "sharpen",
        {"values": "several images and amounts, amount 0 among them", "border": "the border is repeated, not black"},
        sharpen_cases,
        "sharpen(image, amount), which gives (1 + amount) · image − amount · smoothed, of the image's own size",
    ),
    "match_template": question(
        "match_template",
        {
            "values": "images and templates of several sizes",
            "brightness and contrast": "a lamp on half of the image, a brighter template: nothing changes",
            "flat windows": "a window without any contrast scores 0",
        },
        match_cases,
        "match_template(image, template), the correlation coefficient at each place: (H − h + 1, W − w + 1), −1 … 1",
    ),
    "conv_matrix": question(
        "conv_matrix",
        {"values": "square and oblong kernels and images"},
        matrix_cases,
        "conv_matrix(kernel, height, width), the matrix that times a flattened image gives the flattened result",
    ),
    "museum_rows": question(
        "museum_rows",
        {"stride 1": "every row and column is filled, in several sizes", "other strides": "strides 2 and 3"},
        museum_cases(
            [
                ("stride 1", 3, 4, 2, 1),
                ("stride 1", 5, 4, 3, 1),
                ("stride 1", 4, 4, 4, 1),
                ("other strides", 5, 7, 3, 2),
                ("other strides", 6, 6, 3, 2),
                ("other strides", 5, 8, 2, 3),
            ]
        ),
        "museum_rows(image, kernel, stride), repaired",
    ),
    "museum_stride": question(
        "museum_stride",
        {"stride 1": "stride 1 still works", "other strides": "strides 2 and 3, also where they leave a rest"},
        museum_cases(
            [
                ("stride 1", 3, 4, 2, 1),
                ("stride 1", 5, 4, 3, 1),
                ("other strides", 4, 5, 2, 2),
                ("other strides", 7, 5, 3, 2),
                ("other strides", 8, 9, 3, 3),
                ("other strides", 9, 6, 2, 2),
            ]
        ),
        "museum_stride(image, kernel, stride), repaired",
    ),
    "museum_pooling": question(
        "museum_pooling",
        {"values": "kernel sizes 2 and 3, strides 1 to 4"},
        pooling_cases,
        "museum_pooling(image, kernel_size, stride), repaired",
    ),
}
