"""Chapter 10's explorers of trust redraw when a control changes."""

import pytest
import torch

from utils import explore, models, show

CLASSES = tuple("abcdefghij")


@pytest.fixture(scope="module")
def nets():
    torch.manual_seed(0)
    x = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    small = {"widths": (4, 6, 8), "convolutions": (1, 1, 1)}
    return {"one": models.FastCNN(x, **small).eval(), "two": models.FastCNN(x, **small).eval()}, x


def test_attributions_follow_picture_network_and_class(nets):
    nets, x = nets
    explorer = explore.attributions(nets, x, CLASSES, depth=0)
    explorer.widget  # noqa: B018  the controls are wired when the widget is first asked for
    pictures = [explorer.picture]
    for control, value in (("picture", 3), ("network", "two"), ("about", 7)):
        explorer.controls[control].value = value
        pictures.append(explorer.picture)
    assert all(isinstance(picture, show.Picture) for picture in pictures) and len(set(pictures)) == 4
    assert "asked about: h " in explorer.picture.alt
    layer = nets["two"].features[0]
    assert explorer.picture == show.attributions(nets["two"], x[3:], CLASSES, labels=torch.tensor([7]), layer=layer)


def test_one_picture_is_enough(nets):
    nets, x = nets
    explorer = explore.attributions(nets, x[:1], CLASSES)
    explorer.widget  # noqa: B018
    explorer.controls["picture"].value = 1  # a slider needs two ends
    assert isinstance(explorer.picture, show.Picture)


def test_the_diagram_follows_the_temperature():
    logits, y = torch.tensor([[3.0, 0.0], [0.0, 2.0], [1.0, 0.0]]), torch.tensor([0, 1, 1])
    explorer = explore.temperature(logits, y)
    explorer.widget  # noqa: B018
    assert "T = 1.00: mean confidence 85.5%, accuracy 66.7%, over-confident" in explorer.picture.alt
    explorer.controls["temperature"].value = 10.0
    assert "T = 10.00: mean confidence 55.0%, accuracy 66.7%, under-confident" in explorer.picture.alt
