"""A class's fingerprint changes when its code does, or that of a block, function or number it uses; not otherwise."""

import pytest
from drafts import BASELINE, HELPERS, SETUP, write

from utils.assignment.fingerprint import fingerprint

BLOCK = """
WIDTH = 12

class Block(nn.Linear):
    '''A block.'''
    def forward(self, x):
        return super().forward(x)

class Baseline(nn.Module):
    def __init__(self, outputs=10):
        super().__init__()
        self.layers = nn.Sequential(pooled(2), Block(WIDTH, outputs))

    def forward(self, x):
        '''(B, 3, H, W) to logits'''
        return self.layers(x) if x.ndim in {4, 5} else None
"""


def of(*cells, name="Baseline"):
    names = {"__name__": "__main__"}
    write(names, SETUP, *cells)
    return fingerprint(names[name])


def test_the_same_code_has_the_same():
    assert of(HELPERS, BLOCK) == of(HELPERS, BLOCK)
    assert of(HELPERS, BLOCK) != of(HELPERS, BASELINE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pooled(2)", "pooled(4)"),
        ("WIDTH = 12", "WIDTH = 13"),
        ("return super().forward(x)", "return super().forward(x) * 2"),
        ("outputs=10", "outputs=11"),
        ("class Block(nn.Linear)", "class Block(nn.Bilinear)"),
        ("{4, 5}", "{4, 6}"),
    ],
)
def test_a_change_of_code_is_seen(old, new):
    assert old in BLOCK
    assert of(HELPERS, BLOCK.replace(old, new)) != of(HELPERS, BLOCK)


def test_a_change_in_a_function_it_uses_is_seen():
    assert of(HELPERS.replace("Avg", "Max"), BLOCK) != of(HELPERS, BLOCK)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\nclass Block", "\n# a remark\n\nclass Block"),
        ("'''A block.'''", "'''Another word.'''"),
        ("'''(B, 3, H, W) to logits'''", "'''Logits.'''"),
    ],
)
def test_remarks_do_not_count(old, new):
    assert old in BLOCK
    assert of(HELPERS, BLOCK.replace(old, new)) == of(HELPERS, BLOCK)


def test_a_base_class_counts():
    child = "class Child(Baseline):\n    pass\n"
    assert of(HELPERS, BLOCK, child, name="Child") != of(
        HELPERS, BLOCK.replace("pooled(2)", "pooled(4)"), child, name="Child"
    )


def test_partial_and_lists_count():
    text = "from functools import partial\nnorm = partial(nn.BatchNorm2d, momentum={})\nWIDTHS = [1, {}]\n"
    net = "class Baseline(nn.Module):\n    def __init__(self):\n        super().__init__()\n        norm(WIDTHS[0])\n"
    assert len({of(text.format(a, b), net) for a, b in ((0.1, 2), (0.2, 2), (0.1, 3))}) == 3
