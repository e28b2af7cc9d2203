"""The planted shortcut is there, in the promised share, and nothing but the colour changes."""

import pytest
import torch

from utils.failure import shortcuts
from utils.failure.shortcuts import COLOURS

X = torch.randint(0, 256, (200, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(200) % 10


def made(name, **choices):
    return shortcuts.shapes(200, **choices) if name == "shapes" else shortcuts.framed(X, Y, **choices)


@pytest.fixture(params=["shapes", "frames"])
def planted(request):
    return made(request.param, size=24)


def test_the_colour_is_the_classs_own_in_the_promised_share(planted):
    assert planted.x.shape == (200, 3, 24, 24) and planted.x.dtype == torch.uint8
    assert planted.against.sum() == 10 and planted.against.dtype == torch.int64
    assert ((planted.colour == planted.y) == (planted.against == 0)).all()
    assert planted.against.view(-1)[planted.y == planted.y[0]].sum() == 1  # of every class its share
    assert "200 pictures of 10 classes, 10 against the shortcut" in repr(planted)


def test_at_a_tenth_the_colour_says_nothing(planted):
    even = shortcuts.hints(torch.arange(20_000) % 10, 0.1, seed=1)
    table = torch.zeros(10, 10).index_put_((torch.arange(20_000) % 10, even), torch.ones(20_000), accumulate=True)
    assert (table / 2000 - 0.1).abs().max() < 0.03


def test_repainting_changes_the_ground_and_nothing_else(planted):
    ground = planted.ground()  # (200, 1, 24, 24)
    red, blue = planted.repaint(0), planted.repaint(torch.full((200,), 2))
    assert torch.equal(planted.x, planted.repaint(planted.colour))
    changed = (red != blue).any(dim=1, keepdim=True)
    assert changed[ground].all() and 0.3 < ground.double().mean() < 0.95
    core = ~torch.nn.functional.max_pool2d(ground.float(), 5, 1, 2).bool()  # two pixels away from any ground
    assert core.any() and changed[core].double().mean() < 0.01  # dark blotches hide a colour here and there
    assert red[:, 0].double()[ground[:, 0]].mean() > red[:, 2].double()[ground[:, 0]].mean()


def test_the_frame_is_an_eighth_wide_and_has_its_colour():
    planted = shortcuts.framed(X, Y, share=1.0)
    assert torch.equal(planted.x[:, :, 4:-4, 4:-4], X[:, :, 4:-4, 4:-4])
    assert torch.equal(planted.x[:, :, 0, 17], (255 * COLOURS[Y]).round().to(torch.uint8))
    assert planted.ground().double().mean() == 1 - (24 / 32) ** 2


def test_every_two_colours_can_be_told_apart():
    distances = torch.cdist(COLOURS, COLOURS) + torch.eye(10)
    assert distances.min() > 0.2 and COLOURS.max() < 0.7  # darker than any shape


@pytest.mark.parametrize("name", ["shapes", "frames"])
def test_the_seed_decides(name):
    assert torch.equal(made(name, seed=3).x, made(name, seed=3).x)
    assert not torch.equal(made(name, seed=3).colour, made(name, seed=4).colour)


def test_another_seed_draws_other_shapes():
    y = [made("shapes", seed=seed).y for seed in (3, 4)]
    assert not torch.equal(*y)
    first = [
        made("shapes", seed=seed).repaint(0)[each.argsort(stable=True)] for seed, each in zip((3, 4), y, strict=True)
    ]
    assert (first[0] != first[1]).flatten(1).any(1).all()  # sorted by class, in one colour: other places, turns, sizes


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"share is the part .* from 0 to 1; you gave 95"):
        shortcuts.framed(X, Y, share=95)
    with pytest.raises(ValueError, match="from 0 to 9"):
        shortcuts.framed(X, Y + 5)
    with pytest.raises(ValueError, match="labels are int64"):
        shortcuts.framed(X, Y.float())
