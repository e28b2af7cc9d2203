"""The practice exercise of chapter 00: how exercises and checks work, worth nothing."""

import torch

from utils.checks.question import Case, Question, as_array, untouched


def cases(rng, wide):
    sizes = [(2, 3), (3, 2), (7, 1), (1, 5), *([tuple(rng.integers(1, 9, 2)) for _ in range(5)] if wide else [])]
    return [Case("values", {"image": rng.integers(0, 256, size).astype("float64")}) for size in sizes]


def run(target, given):
    image = torch.tensor(given["image"])
    with untouched(image=image):
        result = target(image)
    return {"y": as_array(result, "the result")}


QUESTIONS = {
    "practice": Question(
        name="practice",
        aspects={"values": 0},
        tests={"values": "images of several sizes, wide and tall"},
        cases=cases,
        run=run,
        signature="invert(image), which turns every pixel p of a greyscale image into 255 − p",
    )
}
