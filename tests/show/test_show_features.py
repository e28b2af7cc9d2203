"""Filters, feature maps and embeddings: every class to be told apart, every number in the alt text from the data."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from utils import show
from utils.models import CifarCNN, Standardise
from utils.show import features

CLASSES = tuple("abcdefghij")


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


@pytest.fixture
def net():
    torch.manual_seed(0)
    convolutions = [Standardise(), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return nn.Sequential(*convolutions, nn.Dropout2d(0.1), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(6, 2))


PICTURE = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))


# --- filters


def test_filters_for_colour_and_for_brightness_are_counted():
    weight = torch.zeros(3, 3, 2, 2)
    weight[0, 0], weight[0, 1] = 1.0, -1.0  # red against green
    weight[1:, :, :, 0], weight[1:, :, :, 1] = 1.0, -1.0  # an edge, the same in all channels
    picture = show.learned_filters(weight)
    assert picture.alt == (
        "3 filters of 2×2 weights as colour pictures: 1 look mostly for differences of colour, 2 mostly for brightness."
    )
    found = {tuple(colour) for colour in pixels(picture).reshape(-1, 3)}
    assert {(255, 0, 128), (255, 255, 255), (0, 0, 0)} <= found


def test_filters_of_a_grey_layer_are_signed_maps():
    weight = torch.tensor([[[[-2.0, 0.0], [1.0, 2.0]]]])
    picture = show.learned_filters(weight)
    assert "signed maps, white at zero: weights from −2 to 2" in picture.alt
    wide = pixels(show.learned_filters(weight.repeat(4, 1, 1, 1)))
    assert wide.shape[1] > 2 * pixels(picture).shape[1]
    assert pixels(show.learned_filters(weight.repeat(4, 1, 1, 1), columns=2)).shape[0] > 1.5 * wide.shape[0]


def test_a_network_of_zeros_can_be_looked_at_and_deeper_layers_cannot():
    assert show.learned_filters(torch.zeros(2, 3, 3, 3)).png
    with pytest.raises(ValueError, match=r"you gave \(6, 4, 3, 3\)"):
        show.learned_filters(torch.zeros(6, 4, 3, 3))
    with pytest.raises(TypeError, match=r"layer's \.weight"):
        show.learned_filters(nn.Conv2d(3, 4, 3))


# --- feature maps


def test_layers_are_shown_after_their_relu_and_after_pooling(net):
    alt = show.feature_maps(net, PICTURE).alt
    assert "3 4×6×6, " in alt and "4 4×3×3, " in alt and "6 6×1×1, 0% zeros" in alt
    assert not any(f"{skipped} 4×" in alt for skipped in ("1", "2", "5")) and "0 3×8×8" not in alt
    zeros = (net.eval()[:4](PICTURE[None]) == 0).float().mean().item()
    assert f"3 4×6×6, {zeros:.0%} zeros" in alt and 0.1 < zeros < 0.9


def test_layers_can_be_chosen_and_unknown_ones_are_answered_with_those_there_are(net):
    assert show.feature_maps(net, PICTURE, ["2"], n=3).alt.startswith("A picture and the 3 strongest maps of each")
    with pytest.raises(ValueError, match="no layer '7' answers with maps; those that do: 0, 1, 2"):
        show.feature_maps(net, PICTURE, ["7"])
    with pytest.raises(ValueError, match="no layer of this network answers with maps"):
        show.feature_maps(nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), PICTURE)


def test_the_strongest_maps_come_first_signed_ones_in_colour(net):
    maps = torch.zeros(3, 2, 2)
    maps[1], maps[2, 0, 0] = 1.0, 1.0

    def drawn(maps):
        sheet = features.Sheet(300, 100)
        features.draw_maps(sheet, maps, 2, 2, 0, 0, 72, 8)
        return pixels(sheet.picture("two maps side by side"))

    found = drawn(maps)
    assert (found[40, 40] == 255).all() and (found[60, 60 + 80] == 0).all() and (found[20, 20 + 80] == 255).all()
    assert np.ptp(drawn(-maps)[40, 40].astype(int)) > 50  # orange: below zero


def test_the_tutorials_network_is_shown_in_nine_steps():
    alt = show.feature_maps(CifarCNN(), torch.zeros(3, 32, 32, dtype=torch.uint8)).alt
    assert alt.count("zeros") == 9 and "features.4 64×32×32" in alt and "features.18 256×4×4" in alt


# --- embedding


def clouds(classes=10, n=6):
    """Features in which class 0 lies far from all others, and 1 and 2 close together."""
    generator = torch.Generator().manual_seed(0)
    middles = 4.0 * torch.eye(classes, 12)
    middles[0] *= 20
    middles[2] = middles[1] + 0.1
    y = torch.arange(classes).repeat(n)
    return middles[y] + 0.1 * torch.randn(len(y), 12, generator=generator), y


def test_the_alt_text_says_which_classes_are_close():
    alt = show.embedding(*clouds(), CLASSES).alt
    assert alt.startswith("60 pictures as points, by the two directions of greatest variance (")
    assert "most by itself is a." in alt


def test_tsne_is_repeatable_and_finds_the_groups():
    values, y = clouds()
    first, again = (show.embedding(values, y, CLASSES, method="tsne") for _ in range(2))
    assert first.png == again.png and "by t-SNE: closest are b and c" in first.alt
    points, _ = features.project(values, "tsne", 0)
    assert np.linalg.norm(points[y == 3] - points[y == 3].mean(0), axis=1).max() < np.ptp(points)


def test_pictures_are_shown_where_there_is_room():
    values, y = clouds()
    red = torch.zeros(60, 3, 8, 8)
    red[:, 0] = 1

    def count(picture):
        return (pixels(picture) == (255, 0, 0)).all(-1).sum()

    assert count(show.embedding(values, y, CLASSES, red)) > 1000 > count(show.embedding(values, y, CLASSES))


def test_ten_classes_differ_in_colour_and_in_marker():
    assert len(set(features.COLOURS)) == len(set(features.MARKERS)) == 10


def test_classes_that_do_not_occur_and_grey_pictures_are_no_problem():
    values, y = clouds(3)
    assert "classes a and b" in show.embedding(values[y < 2], y[y < 2], CLASSES, torch.rand(12, 1, 8, 8)).alt


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": torch.zeros(3, dtype=torch.int64)}, "3 labels for 60 answers"),
        ({"classes": CLASSES[:9]}, "9 classes are numbered 0 to 8"),
        ({"classes": (*CLASSES, "k")}, "only 10 can be told apart"),
        ({"pictures": torch.zeros(5, 3, 8, 8)}, "5 pictures for the features of 60"),
        ({"method": "umap"}, '"pca" or "tsne"'),
        ({"features": torch.zeros(60, 1)}, "at least 3 pictures and 2 features"),
    ],
)
def test_what_does_not_fit_together_is_named(change, words):
    values, y = clouds()
    with pytest.raises(ValueError, match=words):
        show.embedding(**({"features": values, "y": y, "classes": CLASSES} | change))
