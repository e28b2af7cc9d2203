"""The practice exercise of chapter 00."""

import torch

from utils.checks.answer import Answer, Mistake

ANSWERS = {
    "practice": Answer(
        reference=lambda image: torch.sub(torch.full_like(image, 255), image),
        mistakes=(
            Mistake(
                name="sign flipped only",
                says="you answer with −p, not with 255 − p: black must become white, not stay black.",
                hint="what should a black pixel, 0, become? And a white one, 255?",
                stronger="a tensor and a number can be subtracted in one step; every pixel is served at once.",
                target=torch.neg,
            ),
            Mistake(
                name="inverted against 256",
                says="you subtract from 256: pixels run from 0 to 255, so black would become 256, which no pixel is.",
                hint="how many different values are there from 0 to 255, and which is the largest?",
                stronger="the largest value takes the place of the smallest: 0 becomes 255.",
                target=lambda image: torch.sub(torch.full_like(image, 256), image),
            ),
            Mistake(
                name="inverted against 1",
                says="you subtract from 1: these pixels run from 0 to 255, not from 0 to 1.",
                hint="how large is a white pixel here?",
                stronger="the largest value takes the place of the smallest: 0 becomes 255.",
                target=lambda image: torch.sub(torch.ones_like(image), image),
            ),
            Mistake(
                name="mirrored instead",
                says="you mirror the picture; its brightness is what is to be turned round.",
                hint="every pixel stays where it is.",
                stronger="the result at [i, j] depends on nothing but the pixel at [i, j].",
                target=lambda image: image.flip(-1),
            ),
        ),
    )
}
