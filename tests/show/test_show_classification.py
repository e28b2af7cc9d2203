"""Galleries, confusion matrices and mistakes: what is shown is what was counted, in colours that can be read."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from utils import data, show
from utils.show import classification
from utils.show.tiles import pixels as as_pixels

CLASSES = ("cat", "dog", "ship")
LOGITS = torch.tensor([[2.0, 1, 0], [0, 3, 1], [9, 0, 0], [0, 0.1, 0], [1, 0, 4], [3, 0, 0]])
Y = torch.tensor([0, 1, 1, 2, 2, 1])  # mistakes: dog taken for cat (twice), ship for dog
X = torch.stack([torch.full((3, 8, 8), 40 * i, dtype=torch.uint8) for i in range(6)])


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def greys(picture):
    """Which of the pictures of X are to be seen."""
    found = pixels(picture)
    flat = found[(found == found[..., :1]).all(-1)][:, 0]
    return {i for i in range(1, 6) if (flat == 40 * i).sum() > 1000}


# --- gallery


def test_a_gallery_counts_its_classes_in_its_alt_text():
    shapes = data.shapes10(12, seed=3, labels=torch.arange(12) % 3)
    picture = show.gallery(shapes.x, shapes.y, shapes.classes, columns=6)
    assert picture.alt == "12 pictures of 32×32 pixels in a grid: 4 circle, 4 square, 4 triangle."


def test_every_picture_is_in_the_grid_whatever_its_kind():
    assert greys(show.gallery(X, Y, CLASSES)) == greys(show.gallery(X / 255)) == {1, 2, 3, 4, 5}
    assert greys(show.gallery(X[:, :1], columns=2)) == {1, 2, 3, 4, 5}


def test_rows_columns_and_captions_make_room():
    height, width, _ = pixels(show.gallery(X, columns=3)).shape
    high, wide, _ = pixels(show.gallery(X, columns=2, captions=["a caption that is long"] * 6)).shape
    assert high > 1.4 * height and wide > width / 1.5
    assert "6 the same" in show.gallery(X, captions=["the same"] * 6).alt


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((X[0],), r"\(N, C, H, W\) with 1 or 3 channels"),
        ((X[:, :2],), r"\(6, 2, 8, 8\)"),
        ((X[:0],), "0 pictures: a grid takes 1 to 400"),
        ((X.repeat(100, 1, 1, 1),), r"600 pictures: .* x\[:20\]"),
        ((X, Y[:3], CLASSES), "3 captions or labels for 6 pictures"),
        ((X, Y + 1, CLASSES), "label 3 has no name: 3 classes are numbered 0 to 2"),
    ],
)
def test_a_gallery_refuses_what_it_cannot_show(given, words):
    with pytest.raises(ValueError, match=words):
        show.gallery(*given)


def test_pixels_are_clipped_and_turned_the_right_way():
    one = torch.zeros(3, 2, 5)
    one[0, 0, 4], one[1, 1, 0] = 2.0, -1.0
    found = as_pixels(one)
    assert found.shape == (2, 5, 3) and found[0, 4].tolist() == [255, 0, 0] and found.sum() == 255


# --- confusion matrix


def test_the_matrix_names_its_worst_mistakes_in_its_alt_text():
    matrix = torch.tensor([[900, 90, 10], [120, 880, 0], [0, 5, 995]])
    assert show.confusion(matrix, CLASSES).alt == (
        "Confusion matrix of 3 classes: 2,775 of 3,000 are right. Most frequent mistakes: "
        "dog taken for cat (120), cat taken for dog (90), cat taken for ship (10)."
    )
    assert show.confusion(torch.eye(3, dtype=torch.int64), CLASSES).alt.endswith("There are no mistakes.")
    with pytest.raises(ValueError, match=r"3×3 for 3 classes expected; you gave shape \(2, 2\)"):
        show.confusion(matrix[:2, :2], CLASSES)


def test_right_is_blue_wrong_is_orange_each_on_its_own_scale():
    colours = classification.cell_colours([[900, 40, 0], [0, 450, 0], [0, 0, 900]])
    assert colours[0, 0, 2] > colours[0, 0, 0] and colours[0, 1, 0] > colours[0, 1, 2]
    assert np.ptp(colours[0, 1]) > 0.7 and (colours[1, 0] == 1).all()  # 40 mistakes stand out beside 900 right
    assert colours[1, 1].mean() > colours[0, 0].mean()
    assert (classification.cell_colours(np.zeros((2, 2))) == 1).all()


@pytest.mark.parametrize("matrix", [np.diag([10, 7, 5, 2]), np.arange(16).reshape(4, 4)])
def test_black_letters_have_contrast_on_every_cell(matrix):
    """At least 4.5:1, as WCAG 2 asks for."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return np.dot(linear, (0.2126, 0.7152, 0.0722))

    for colour in classification.cell_colours(matrix).reshape(-1, 3):
        assert (luminance(colour) + 0.05) / 0.05 > 4.5


# --- mistakes


def test_mistakes_show_the_surest_first_with_two_guesses():
    picture = show.mistakes(X, Y, LOGITS, CLASSES)
    assert "The 3 most confident mistakes" in picture.alt
    assert "The first: dog taken for cat 99.9%; dog taken for cat 91%; ship taken for dog 36%." in picture.alt
    assert greys(picture) == {2, 3, 5}
    assert greys(show.mistakes(X, Y, LOGITS, CLASSES, n=1)) == {2}


def test_without_mistakes_it_says_so():
    assert "All 6 pictures are right" in show.mistakes(X, LOGITS.argmax(1), LOGITS, CLASSES).alt


def test_a_cell_shows_its_pictures_and_no_others():
    cell = show.confused(X, Y, LOGITS, CLASSES, "dog", "cat")
    assert cell.alt == (
        "Pictures of class dog, taken for cat: all 2, the most confident first. "
        "The first: cat 99.9%, then dog under 1%."
    )
    assert greys(cell) == {2, 5} and show.confused(X, Y, LOGITS, CLASSES, 1, 0).png == cell.png
    part = show.confused(X, Y, LOGITS, CLASSES, 1, 0, n=1)
    assert "1 of 2" in part.alt and greys(part) == {2}
    assert "class ship, recognised: all 1" in show.confused(X, Y, LOGITS, CLASSES, 2, 2).alt


def test_an_empty_cell_and_an_unknown_class_are_said_in_words():
    with pytest.raises(ValueError, match="No picture of class cat is taken for ship"):
        show.confused(X, Y, LOGITS, CLASSES, "cat", "ship")
    with pytest.raises(ValueError, match="no class is called 'frog'; there are: cat, dog, ship"):
        show.confused(X, Y, LOGITS, CLASSES, "frog", "ship")
    with pytest.raises(ValueError, match="label 3 has no name"):
        show.confused(X, Y, LOGITS, CLASSES, 0, 3)
    for draw in (show.mistakes, lambda *given: show.confused(*given, 1, 0)):
        with pytest.raises(ValueError, match="5 pictures, 6 labels and 6 logits"):
            draw(X[:5], Y, LOGITS, CLASSES)


@pytest.mark.parametrize(
    ("probability", "words"), [(0.99995, "99.9%"), (0.994, "99.4%"), (0.97, "97%"), (0.011, "1%"), (1e-9, "under 1%")]
)
def test_near_certainty_is_not_written_as_certainty(probability, words):
    assert classification.guess("cat", probability, True).text == f"✓ cat {words}"
