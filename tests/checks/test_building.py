"""Chapter 04's checks: right answers of other styles pass, wrong ones beyond the catalogue fail, troubles are named."""

import pytest
import torch
import torch.nn.functional as F
from graded import graded
from torch import nn

from utils.checks import judged

RIGHT = {}


def right(name):
    return lambda target: RIGHT.setdefault(name, []).append(target) or target


@right("flat_features")
def by_formula(in_shape, layers):
    c, *size = in_shape
    for kind, *rest in layers:
        if kind == "conv":
            c, k, p = rest
            size = [n + 2 * p - k + 1 for n in size]
        else:
            size = [(n - rest[0]) // rest[0] + 1 for n in size]
    return c * size[0] * size[1]


@right("flat_features")
def by_running(in_shape, layers):
    x = torch.zeros(2, *in_shape)
    for layer in layers:
        x = nn.MaxPool2d(layer[1])(x) if layer[0] == "pool" else nn.LazyConv2d(*layer[1:3], padding=layer[3])(x)
    return x[0].numel()


@right("sparse_parameters")
def weight_by_weight(inputs_of, kernel_size):
    return sum(1 for inputs in inputs_of for _ in range(len(inputs) * kernel_size**2)) + len(inputs_of)


@right("batch_norm")
def norm_over_rows(x, weight, bias, eps):
    rows = x.movedim(1, -1).reshape(-1, x.shape[1])  # (B·H·W, C)
    centred = rows - rows.mean(0)
    rows = centred / torch.sqrt((centred**2).mean(0) + eps) * weight + bias
    return rows.reshape(x.shape[0], *x.shape[2:], x.shape[1]).movedim(-1, 1)


@right("batch_norm")
def norm_channel_by_channel(x, weight, bias, eps):
    y = torch.zeros_like(x)
    for c in range(x.shape[1]):
        m = x[:, c].numel()
        mean = sum(x[:, c].flatten()) / m
        variance = sum((v - mean) ** 2 for v in x[:, c].flatten()) / m
        y[:, c] = weight[c] * (x[:, c] - mean) / (variance + eps) ** 0.5 + bias[c]
    return y


@right("batch_norm")
def norm_as_array(x, weight, bias, eps):
    x, weight, bias = (t.numpy() for t in (x, weight, bias))
    scale = weight / (x.var(axis=(0, 2, 3)) + eps) ** 0.5
    return (x - x.mean(axis=(0, 2, 3))[:, None, None]) * scale[:, None, None] + bias[:, None, None]


class Skeleton(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))


@right("batch_norm2d")
class InPlace(Skeleton):
    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
            m = x.numel() / x.shape[1]
            with torch.no_grad():
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (var * m / (m - 1) - self.running_var)
        scale = self.weight / (var + self.eps).sqrt()
        return x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]


@right("batch_norm2d")
class Lerp(Skeleton):
    def forward(self, x):
        rows = x.transpose(0, 1).flatten(1)
        if self.training:
            self.running_mean = self.running_mean.lerp(rows.mean(1).detach(), self.momentum)
            self.running_var = self.running_var.lerp(rows.var(1).detach(), self.momentum)
            return norm_over_rows(x, self.weight, self.bias, self.eps)
        x = (x.movedim(1, 3) - self.running_mean) / (self.running_var + self.eps) ** 0.5
        return (x * self.weight + self.bias).movedim(3, 1)


@right("dropout")
def by_bernoulli(x, p, training):
    return x if not training else x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p)


@right("dropout")
def by_where(x, p, training):
    if training:
        return torch.where(torch.rand(x.shape) < p, 0.0, x / (1 - p))
    return x.clone()


@right("dropout")
def exactly_that_many(x, p, training):
    mask = torch.ones(x.numel())
    mask[torch.randperm(x.numel())[: round(p * x.numel())]] = 0
    return x * mask.view(x.shape) / (1 - p) if training else x


@right("digit_cnn")
class Explicit(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 6, 3, stride=2), nn.Conv2d(6, 8, 3)
        self.d, self.e = nn.Linear(8 * 9 * 9, 20), nn.Linear(20, 10)

    def forward(self, x):
        x = self.c(self.b(self.a(x).relu()).tanh()).relu()
        return self.e(F.dropout(self.d(x.view(x.shape[0], -1)).sigmoid(), 0.5, self.training))


@right("digit_cnn")
class Stacked(nn.Sequential):
    """Without pooling at the end: an average over each map."""

    def __init__(self):
        block = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.LeakyReLU(), nn.Conv2d(4, 8, 3), nn.ReLU()]
        super().__init__(*block, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 16), nn.GELU(), nn.Linear(16, 10))


STYLES = [(name, target) for name, targets in RIGHT.items() for target in targets]


@pytest.mark.parametrize(("name", "target"), STYLES, ids=[target.__name__ for _, target in STYLES])
def test_right_answer_passes(name, target):
    report = judged(name, target)
    assert report.verdict.right, report.text


def test_every_check_has_a_right_style():
    from utils.checks.questions.building import QUESTIONS

    assert set(RIGHT) == set(QUESTIONS)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("name", "target"), STYLES, ids=[target.__name__ for _, target in STYLES])
def test_right_answer_passes_with_wider_cases(name, target, seed):
    graded(name, target, seed)


# ── wrong in ways that the catalogue does not hold ───────────────────────────────────────────────────────────────────


class KeepsTheGraph(InPlace):
    def forward(self, x):
        y = super().forward(x)
        self.running_mean = self.running_mean + 0 * x.mean((0, 2, 3))
        return y


class NoBuffers(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))


class OneNumber(Explicit):
    def forward(self, x):
        return super().forward(x).argmax(1)


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("batch_norm2d", KeepsTheGraph, "running_mean remembers how it was computed"),
        ("batch_norm2d", NoBuffers, "needs `bias` of shape (channels,); it has none"),
        ("batch_norm", lambda x, w, b, eps: x * 2, "wrong values"),
        ("dropout", lambda x, p, training: None, "nothing comes back"),
        ("dropout", lambda x, p, training: x[:1], "the output"),
        ("digit_cnn", OneNumber, "the output's shape"),
        ("digit_cnn", lambda: nn.Linear(3, 3), "the number of convolutions is 0; expected 3"),
        ("flat_features", lambda in_shape, layers: 7.0, "a float"),
        ("flat_features", lambda in_shape, layers: layers.pop() and 96, "the list of layers is changed"),
    ],
)
def test_what_is_wrong_is_said(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text


def test_a_dropout_that_changes_its_input_is_told_so():
    def in_place(x, p, training):
        return torch.dropout_(x, p, training)

    assert "the input is changed in place" in judged("dropout", in_place).text
