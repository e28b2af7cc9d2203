"""A sliding window: what it is trained on, and that one pass over the whole picture answers the same."""

import pytest
import torch
from torch import nn

from utils import data
from utils.applications import windows
from utils.checks import answers


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return windows.WindowNet().eval()


def test_windows_are_cut_row_by_row():
    picture = torch.rand(3, 40, 36)
    pieces = windows.cut(picture, stride=4)
    assert pieces.shape == (6, 3, 32, 32) and windows.places(40, 36) == (3, 2)
    assert torch.equal(pieces[1], picture[:, :32, 4:]) and torch.equal(pieces[4], picture[:, 8:, :32])
    with pytest.raises(ValueError, match="32×32 pixels does not fit into a picture of 31×40"):
        windows.places(31, 40)


@pytest.mark.parametrize("size", [(32, 32), (40, 64), (36, 52)])
def test_the_whole_picture_at_once_gives_every_windows_answer(net, size):
    picture = torch.rand(3, *size)
    whole = windows.fully_convolutional(net, answers.find("as_convolution").reference)
    with torch.no_grad():
        assert torch.allclose(whole(picture[None])[0], windows.slide(net, picture), atol=1e-5)


def test_slide_asks_about_each_window_in_its_place(net):
    picture = torch.rand(3, 40, 48)
    found = windows.slide(net, picture, stride=8)
    with torch.no_grad():
        assert torch.allclose(found[:, 1, 2], net(picture[None, :, 8:40, 16:48])[0], atol=1e-5)
    assert found.shape == (5, 2, 3)


def test_windows_to_learn_from_are_on_shapes_or_away_from_them():
    scenes = data.scenes(12, size=96, objects=(4, 6), noise=0.0)
    x, y = windows.crops(scenes)
    assert x.shape[1:] == (3, 32, 32) and len(x) == len(y) and 0 <= x.min() <= x.max() <= 1
    shares = [(y == c).double().mean() for c in range(5)]
    assert 0.3 < shares[0] < 0.75 and all(share > 0 for share in shares)
    again = windows.crops(scenes)
    assert torch.equal(x, again[0]) and torch.equal(y, again[1])
    one = data.scenes(30, size=64, objects=1, classes=("star",), noise=0.0)
    x, y = windows.crops(one, near=0)
    changes = x.amax((2, 3)) - x.amin((2, 3))  # a star on plain ground differs more from it than blotches do
    assert changes[y == 1].mean() > changes[y == 0].mean() + 0.05


def test_learning_makes_the_loss_smaller():
    torch.manual_seed(0)
    net = windows.WindowNet(hidden=16)
    x, y = windows.crops(data.scenes(12, size=96, objects=(4, 6)))
    history = windows.learn(net, x, y, epochs=4)
    assert len(history) == 4 and history[-1] < history[0] and not net.training


def test_found_windows_are_the_sure_ones_the_surest_first():
    answers = torch.zeros(3, 2, 3)
    answers[1, 0, 2], answers[2, 1, 0] = 3.0, 9.0
    boxes, scores, kinds = windows.found(answers, 0.8, step=4)
    assert boxes.tolist() == [[0, 4, 32, 36], [8, 0, 40, 32]] and kinds.tolist() == [1, 0]
    assert scores[0] > scores[1] > 0.8
    assert not len(windows.found(answers, 0.9999)[0])


def test_no_convolution_is_padded(net):
    assert all(part.padding == (0, 0) for part in net.modules() if isinstance(part, nn.Conv2d))


def test_how_near_a_window_is_to_a_shape():
    scenes = data.scenes(15, size=96, objects=5)
    row, column = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    places = torch.stack([column, row, row * 0]).to(torch.uint8).expand(15, -1, -1, -1)  # every pixel says where it is
    middles = (scenes.boxes[..., :2] + scenes.boxes[..., 2:]) / 2
    for i in range(15):
        one = data.Scenes(
            places[i : i + 1], scenes.boxes[i : i + 1], scenes.y[i : i + 1], scenes.masks[:1], scenes.classes
        )
        x, y = windows.crops(one, near=2, far=8, seed=i)
        at = (x[:, :2, 0, 0] * 255).round() + 16
        nearest = (at[:, None] - middles[i]).abs().amax(-1).amin(1)
        assert (nearest[y == 0] >= 8).all() and (nearest[y > 0] <= 2.5).all()
