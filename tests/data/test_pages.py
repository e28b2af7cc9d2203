"""The page of text: boxes that are exact, and a patch that does to the filters what the chapter says."""

from __future__ import annotations

import pytest
import torch

from utils import data


def responses(page: data.TextPage) -> dict[str, torch.Tensor]:
    """What the plain, the zero-mean and the normalised filter answer at every place, (H − h + 1, W − w + 1)."""
    h, w = page.template.shape
    windows = page.image.unfold(0, h, 1).unfold(1, w, 1)
    centred = windows - windows.mean((-1, -2), keepdim=True)
    template = page.template - page.template.mean()
    zero_mean = (centred * template).sum((-1, -2))
    norm = centred.square().sum((-1, -2)).sqrt() * template.norm()
    return {
        "plain": (windows * page.template).sum((-1, -2)),
        "zero-mean": zero_mean,
        "normalised": zero_mean / (norm + 1e-6),
    }


def at_letters_and_elsewhere(response: torch.Tensor, page: data.TextPage) -> tuple[torch.Tensor, torch.Tensor]:
    """The answers at the letters' exact places, and at all places more than two pixels away from every one."""
    here = torch.zeros(response.shape, dtype=torch.bool)
    here[page.boxes[:, 0], page.boxes[:, 1]] = True
    near = torch.nn.functional.max_pool2d(here[None].float(), 5, 1, 2)[0].bool()
    return response[here], response[~near]


def test_format():
    page = data.page_of_text()
    assert page.image.dtype == page.template.dtype == torch.float32 and page.image.ndim == 2
    assert page.image.min() >= 0 and page.image.max() <= 1
    assert page.boxes.shape == (page.text.count("a"), 4) and page.boxes.dtype == torch.int64
    for look_alike in "oesAC":
        assert look_alike in page.text


@pytest.mark.parametrize("letter", ["a", "e", "A", "g"])
def test_every_box_holds_exactly_the_letter(letter):
    page = data.page_of_text(letter=letter)
    assert len(page.boxes) == page.text.count(letter) > 0
    for top, left, bottom, right in page.boxes.tolist():
        assert torch.equal(page.image[top:bottom, left:right], page.template)


def test_every_box_is_its_own_and_no_letter_is_left_out():
    page = data.page_of_text()
    here, elsewhere = at_letters_and_elsewhere(responses(page)["normalised"], page)
    assert len(here) == len(page.boxes)
    assert here.min() > 0.99 and elsewhere.max() < 0.8


def test_the_template_is_tight():
    ink = data.page_of_text(paper=0, ink=1).template
    for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert edge.max() > 0


def test_a_bright_patch_beats_the_letter_until_the_filter_is_normalised():
    page = data.page_of_text(bright_patch=True)
    response = responses(page)
    here, elsewhere = at_letters_and_elsewhere(response["plain"], page)
    assert elsewhere.max() > here.max()  # the patch answers more than any "a", even those it shines on
    assert elsewhere.max() > 1.3 * here.median()
    here, elsewhere = at_letters_and_elsewhere(response["zero-mean"], page)
    assert here.min() < elsewhere.max()  # a mean of zero is not enough: the patch has faded some letters
    here, elsewhere = at_letters_and_elsewhere(response["normalised"], page)
    assert here.min() > 0.95 and elsewhere.max() < 0.8  # one threshold finds every letter and nothing else


def test_without_the_patch_the_plain_filter_finds_the_letter():
    page = data.page_of_text()
    here, elsewhere = at_letters_and_elsewhere(responses(page)["plain"], page)
    assert here.min() > elsewhere.max()


def test_the_patch_covers_letters_and_leaves_boxes_and_template_alone():
    page, lit = data.page_of_text(), data.page_of_text(bright_patch=True)
    assert torch.equal(page.boxes, lit.boxes) and torch.equal(page.template, lit.template)
    added = torch.stack([(lit.image - page.image)[t:b, l:r].mean() for t, l, b, r in page.boxes.tolist()])
    assert added.max() > 0.3 and added.min() < 0.01


def test_noise_is_seeded():
    first, again, other = (data.page_of_text(noise=0.05, seed=seed).image for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(data.page_of_text().image, data.page_of_text().image)


def test_ones_own_text():
    page = data.page_of_text("banana\n\nBANANA", font_size=40)
    assert len(page.boxes) == 3 and len(data.page_of_text("no such letter here: o", letter="z").boxes) == 0
    assert (page.boxes[:, 0] == page.boxes[0, 0]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"letter": "ab"}, "single visible character; you gave 'ab'"),
        ({"letter": " "}, "single visible character"),
        ({"text": " \n"}, "text is empty"),
        ({"paper": 0.9, "ink": 0.1}, "light ink on darker paper"),
    ],
)
def test_what_cannot_be_rendered_is_explained(arguments, words):
    with pytest.raises(ValueError, match=words):
        data.page_of_text(**arguments)
