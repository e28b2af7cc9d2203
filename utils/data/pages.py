"""A page of text, rendered here, so that the place of every letter is known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

# Many an "a", next to letters that look like it, capitals and all.
TEXT = """\
A camera has a small advantage over an eye:
a sensor element sees one area at a time
and has no idea of the scene. Ask it for an
orange sea or a salad: each a mass of areas.
A Convolution slides a mask across a page:
as a detector it adds. A good match
and a bad one are a sum apart.
Can a sum alone locate each a
and ignore o, e, s, c and A?"""


@dataclass(frozen=True, repr=False, eq=False)
class TextPage:
    """A rendered page.

    Attributes
    ----------
    image : float32 tensor (H, W) in [0, 1]
    template : float32 tensor (h, w) in [0, 1], the letter alone, as it looks on an evenly lit page
    boxes : int64 tensor (K, 4), one row per place of the letter: top, left, bottom, right, so that
        `image[top:bottom, left:right]` has the template's shape
    letter, text : what was looked for and what was written
    """

    image: torch.Tensor
    template: torch.Tensor
    boxes: torch.Tensor
    letter: str
    text: str

    def __repr__(self) -> str:
        h, w = self.image.shape
        return f'A page of text, {h}×{w} pixels, with {len(self.boxes)} times the letter "{self.letter}"'


def page_of_text(
    text: str = TEXT,
    letter: str = "a",
    *,
    font_size: int = 24,
    paper: float = 0.1,
    ink: float = 0.8,
    bright_patch: bool = False,
    noise: float = 0.0,
    seed: int = 0,
) -> TextPage:
    """Render a page of text and say where each `letter` stands.

    The page is light ink on dark paper, like a blackboard: then a letter answers a filter of its own shape with a
    large sum, which a bright patch exceeds. (On light paper the empty paper would answer most.)

    Parameters
    ----------
    text : lines are separated by line breaks
    letter : one character; its capital is another letter
    font_size : pixels
    paper, ink : brightness in [0, 1]; ink must be the lighter
    bright_patch : True lets a lamp shine on the empty lower right: brightest there, and letters around it fade
    noise : standard deviation of the noise on every pixel
    seed : of the noise

    Returns
    -------
    TextPage with `.image` (H, W), `.template` (h, w) and `.boxes` (K, 4)
    """
    if len(letter) != 1 or letter.isspace():
        raise ValueError(f"letter is a single visible character; you gave {letter!r}.")
    if not 0 <= paper < ink <= 1:
        raise ValueError(f"0 ≤ paper < ink ≤ 1 is needed, light ink on darker paper; you gave {paper=}, {ink=}.")
    if not text.strip():
        raise ValueError("text is empty: there is nothing to render.")
    font = _font(font_size)
    letter_ink = _render([(0, 0, letter)], font, 2 * font_size, 2 * font_size)
    rows, columns = (letter_ink.amax(axis).nonzero() for axis in (1, 0))  # where there is any ink
    (top, bottom), (left, right) = ((int(at[0]), int(at[-1]) + 1) for at in (rows, columns))
    margin, line_height = font_size, round(1.5 * font_size)

    places, glyphs, width = [], [], 0  # of the letter: (row, column); of everything: (x, y, character)
    for line_number, line in enumerate(text.split("\n")):
        x, y = margin, margin + line_number * line_height
        for character in line:
            glyphs.append((x, y, character))
            if character == letter:
                places.append((y + top, x + left, y + bottom, x + right))
            x += round(font.getlength(character))  # whole pixels: every "a" is drawn alike
        width = max(width, x)
    height = 2 * margin + line_height * len(text.split("\n"))

    strength = _render(glyphs, font, height, width + margin)  # 0 paper … 1 ink
    image = paper + (ink - paper) * strength
    template = paper + (ink - paper) * letter_ink[top:bottom, left:right]
    if bright_patch:
        image = image + _lamp(*image.shape) * (1 - image)
    if noise:
        image = image + noise * torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
    boxes = torch.tensor(places, dtype=torch.int64).reshape(-1, 4)
    return TextPage(image.clamp(0, 1), template, boxes, letter, text)


def _font(size: int):
    """DejaVu Sans, which matplotlib brings along: the same page on every machine."""
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    # The basic layout engine draws each character on its own, without ligatures, wherever Pillow was built.
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _render(glyphs, font, height: int, width: int) -> torch.Tensor:
    """How much ink lies on every pixel, float32 (height, width) in [0, 1]."""
    import numpy as np
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    for x, y, character in glyphs:
        draw.text((x, y), character, fill=255, font=font)
    return torch.from_numpy(np.array(canvas)).float() / 255


def _lamp(height: int, width: int) -> torch.Tensor:
    """The light of a lamp on the lower right of a page, (height, width) in [0, 0.9]."""
    row = (torch.arange(height)[:, None] - 0.78 * height) / (0.2 * height)
    column = (torch.arange(width) - 0.82 * width) / (0.18 * width)
    return 0.9 * torch.exp(-0.5 * (row**2 + column**2))
