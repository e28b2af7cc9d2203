"""Chapter 07's checks: right answers in several styles pass, what is wrong otherwise is said."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from graded import graded, widened
from torch import nn

from utils.checks import answers, judged


def by_formula(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1):
    rows, columns = ((n + 2 * padding - kernel_size) // stride + 1 for n in (height, width))
    return rows * columns * out_channels * kernel_size**2 * in_channels // groups


def by_a_real_layer(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1):
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
    places = math.prod(layer(torch.zeros(1, in_channels, height, width)).shape[2:])
    return places * sum(p.numel() for p in layer.parameters())


def by_counting(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1):
    tops, lefts = (range(0, n + 2 * padding - kernel_size + 1, stride) for n in (height, width))
    each = out_channels * (in_channels // groups) * kernel_size * kernel_size
    return np.int64(len(tops) * len(lefts) * each)


class Sequentials(nn.Module):
    def __init__(self, in_channels, n1, n3_reduce, n3, n5_reduce, n5, pool):
        super().__init__()
        relu = nn.ReLU()
        self.one = nn.Sequential(nn.Conv2d(in_channels, n1, 1), relu)
        self.three = nn.Sequential(
            nn.Conv2d(in_channels, n3_reduce, 1), relu, nn.Conv2d(n3_reduce, n3, 3, padding=1), relu
        )
        self.five = nn.Sequential(
            nn.Conv2d(in_channels, n5_reduce, 1), relu, nn.Conv2d(n5_reduce, n5, 5, padding=2), relu
        )
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(in_channels, pool, 1), relu)

    def forward(self, x):
        return torch.cat((self.one(x), self.three(x), self.five(x), self.pooled(x)), dim=1)


class Functions(nn.Module):
    """Layers in another order, functions for what learns nothing, one ReLU for all that ends a branch."""

    def __init__(self, in_channels, *filters):
        super().__init__()
        n1, r3, n3, r5, n5, pool = filters
        self.project = nn.Conv2d(in_channels, pool, kernel_size=1)
        self.layers = nn.ModuleDict(
            {"5": nn.Conv2d(r5, n5, 5, padding="same"), "3": nn.Conv2d(r3, n3, 3, padding="same")}
        )
        self.reduce = nn.ModuleDict({"3": nn.Conv2d(in_channels, r3, 1), "5": nn.Conv2d(in_channels, r5, 1)})
        self.direct = nn.Conv2d(in_channels, n1, 1)

    def forward(self, x):
        found = [self.direct(x), *(self.layers[k](F.relu(self.reduce[k](x))) for k in ("3", "5"))]
        return F.relu(torch.cat([*found, self.project(F.max_pool2d(x, 3, 1, 1))], -3))


class OnePath(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.path = nn.Sequential(
            *(nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()),
            *(nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False), nn.BatchNorm2d(out_channels)),
        )
        self.around = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            layer = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            self.around = nn.Sequential(layer, nn.BatchNorm2d(out_channels))

    def forward(self, x):
        return F.relu(self.path(x) + self.around(x))


class StepByStep(nn.Module):
    """Attributes in another order, the addition in place, a shortcut that may be None."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.fit = self.fit_norm = None
        if (in_channels, stride) != (out_channels, 1):
            self.fit_norm = nn.BatchNorm2d(out_channels)
            self.fit = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
        self.b2, self.b1 = nn.BatchNorm2d(out_channels), nn.BatchNorm2d(out_channels)
        self.c2 = nn.Conv2d(out_channels, out_channels, 3, padding="same", bias=False)
        self.c1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)

    def forward(self, x):
        y = self.b2(self.c2(torch.relu(self.b1(self.c1(x)))))
        y += x if self.fit is None else self.fit_norm(self.fit(x))
        return y.clamp(min=0)


def in_place(net, classes):
    net.requires_grad_(False)
    net.fc = nn.Linear(net.fc.in_features, classes)
    return net


def of_a_copy(net, classes):
    new = copy.deepcopy(net)
    for p in new.parameters():
        p.requires_grad = False
    new.fc = nn.Linear(new.fc.weight.shape[1], classes)
    return new


def thawed(net, classes):
    setattr(net, "fc", torch.nn.Linear(net.fc.in_features, classes))  # noqa: B010
    for name, p in net.named_parameters():
        p.requires_grad_("fc" in name)
    return net.eval()


STYLES = {
    "multiply_adds": [by_formula, by_a_real_layer, by_counting],
    "inception": [Sequentials, Functions],
    "residual_block": [OnePath, StepByStep],
    "new_head": [in_place, of_a_copy, thawed],
}
RIGHT = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), RIGHT)
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


@pytest.mark.parametrize(("name", "style"), RIGHT)
def test_correct_styles_pass_with_wider_cases(name, style):
    assert widened(name) > 0
    graded(name, style)


class InPlace(OnePath):
    def forward(self, x):
        return super().forward(x.relu_())


class Unpadded(Sequentials):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.three[2].padding = 0


def no_return(net, classes):
    in_place(net, classes)


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("multiply_adds", lambda *a, **k: 2 * by_formula(*a, **k), "called FLOPs is sometimes the one"),
        ("multiply_adds", lambda *a, **k: by_formula(*a, **k) / 1, "float"),
        ("inception", Unpadded, "your code stops with an error"),
        ("inception", lambda *sizes: nn.Conv2d(sizes[0], sum(sizes[1:]), 1), "shape"),
        ("residual_block", InPlace, "the input is changed in place"),
        ("residual_block", lambda i, o, stride=1: "block", "is no nn.Module"),
        ("new_head", no_return, "nothing comes back"),
        ("new_head", lambda net, classes: net.fc, "learn"),
        ("new_head", lambda net, classes: 3, "gives a int; the network is wanted"),
    ],
)
def test_what_is_wrong_is_said(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text, report.text


def test_there_are_as_many_mistakes_as_promised():
    assert sum(len(answers.find(name).mistakes) for name in STYLES) >= 30
