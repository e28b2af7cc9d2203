"""Chapter 08's checks: right answers in several styles pass, what is wrong otherwise is said."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from graded import graded, widened
from torch import nn

from utils.checks import answers, judged


def loops(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """Every product alone."""
    B, C, H, W = x.shape
    _, out, kH, kW = weight.shape
    height, width = ((n - 1) * stride - 2 * padding + k + output_padding for n, k in ((H, kH), (W, kW)))
    y = torch.zeros(B, out, height, width, dtype=x.dtype)
    for b, c, o, i, j, k, m in np.ndindex(B, C, out, H, W, kH, kW):
        row, column = i * stride + k - padding, j * stride + m - padding
        if 0 <= row < height and 0 <= column < width:
            y[b, o, row, column] += x[b, c, i, j] * weight[c, o, k, m]
    if bias is not None:
        for o in range(out):
            y[:, o] += bias[o]
    return y


def zeros_between(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """Spread the pixels, surround them with zeros, gather with the kernel turned round."""
    B, C, H, W = x.shape
    kH, kW = weight.shape[2:]
    spread = x.new_zeros(B, C, (H - 1) * stride + 1, (W - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = x
    spread = F.pad(spread, (kW - 1, kW - 1 + output_padding, kH - 1, kH - 1 + output_padding))
    windows = spread.unfold(2, kH, 1).unfold(3, kW, 1)  # (B, C, H', W', kH, kW)
    y = torch.einsum("bchwkl,cokl->bohw", windows, weight.flip(2, 3))
    y = y[:, :, padding : y.shape[2] - padding, padding : y.shape[3] - padding]
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def by_fold(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """im2col backwards."""
    (_, _, H, W), (_, _, kH, kW) = x.shape, weight.shape
    size = [(n - 1) * stride - 2 * padding + k + output_padding for n, k in ((H, kH), (W, kW))]
    columns = torch.einsum("cokl,bchw->boklhw", weight, x).flatten(4).flatten(1, 3)
    y = F.fold(columns, size, (kH, kW), padding=padding, stride=stride)
    return y if bias is None else y + bias.view(-1, 1, 1)


def arrays(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """NumPy, starting from the bias."""
    x, weight = x.numpy(), weight.numpy()
    (B, _, H, W), (_, out, kH, kW) = x.shape, weight.shape
    full = np.zeros((B, out, (H - 1) * stride + kH + output_padding, (W - 1) * stride + kW + output_padding))
    full += 0 if bias is None else bias.numpy()[:, None, None]
    for i, j in np.ndindex(H, W):
        place = (..., slice(i * stride, i * stride + kH), slice(j * stride, j * stride + kW))
        full[place] += np.tensordot(x[:, :, i, j], weight, 1)
    end = [n - padding for n in full.shape[2:]]
    return full[:, :, padding : end[0], padding : end[1]]


def overlaps_in_a_list(n, kernel_size, stride):
    size = (n - 1) * stride + kernel_size
    return [sum(0 <= place - i * stride < kernel_size for i in range(n)) for place in range(size)]


def overlaps_as_ints(n, kernel_size, stride):
    return torch.tensor(overlaps_in_a_list(n, kernel_size, stride))


def overlaps_by_convolution(n, kernel_size, stride):
    return F.conv_transpose2d(torch.ones(1, 1, 1, n), torch.ones(1, 1, 1, kernel_size), stride=(1, stride)).flatten()


def psnr_one_by_one(x, y, peak=1.0):
    found = []
    for a, b in zip(x.double(), y.double(), strict=True):
        mse = ((a - b) ** 2).mean().item()
        found.append(math.inf if mse == 0 else 10 * math.log10(peak**2 / mse))
    return torch.tensor(found)


def psnr_by_the_root(x, y, peak=1.0):
    rmse = F.mse_loss(x.double(), y.double(), reduction="none").flatten(1).mean(1).sqrt()
    return 20 * torch.log10(peak / rmse)


def psnr_in_differences(x, y, peak=1.0):
    mse = (x.numpy().astype(float) - y.numpy().astype(float)).__pow__(2).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return 20 * np.log10(peak) - 10 * np.log10(mse)


class Plain(nn.Module):
    def __init__(self, in_shape=(1, 28, 28), code=16):
        super().__init__()
        c, h, w = in_shape
        self.encoder = nn.Sequential(
            *(nn.Conv2d(c, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(4 * (h // 2) * (w // 2), code)),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(code, h * w), nn.Unflatten(1, (4, h // 2, w // 2))),
            *(nn.ConvTranspose2d(4, 8, 3, stride=2, padding=1, output_padding=1), nn.ReLU()),
            nn.Conv2d(8, c, 3, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Resized(Plain):
    """Upsampling by repetition, a sigmoid at the end, a deeper encoder."""

    def __init__(self, in_shape, code):
        super().__init__(in_shape, code)
        c, h, w = in_shape
        maps = nn.Unflatten(1, (4, h // 2, w // 2))
        convolution = nn.Conv2d(4, c, 3, padding=1)
        self.decoder = nn.Sequential(
            nn.Linear(code, h * w), maps, nn.Upsample(scale_factor=2), convolution, nn.Sigmoid()
        )


class Half(nn.Module):
    """Encoder and decoder as modules of their own, with functions between the layers."""

    def __init__(self, c, h, w, code, back):
        super().__init__()
        self.back, self.shape = back, (4, h // 2, w // 2)
        self.conv = nn.ConvTranspose2d(4, c, 2, stride=2) if back else nn.Conv2d(c, 4, 2, stride=2)
        self.dense = nn.Linear(code, h * w) if back else nn.Linear(h * w, code)

    def forward(self, x):
        return (
            self.conv(self.dense(x).view(-1, *self.shape)) if self.back else self.dense(self.conv(x).relu().flatten(1))
        )


class Halves(nn.Module):
    def __init__(self, in_shape, code):
        super().__init__()
        self.encoder, self.decoder = (Half(*in_shape, code, back) for back in (False, True))

    def forward(self, x):
        return self.decoder(self.encoder(x))


STYLES = {
    "conv_transpose2d": [loops, zeros_between, by_fold, arrays],
    "overlaps": [overlaps_in_a_list, overlaps_as_ints, overlaps_by_convolution],
    "psnr": [psnr_one_by_one, psnr_by_the_root, psnr_in_differences],
    "conv_autoencoder": [Plain, Resized, Halves],
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


def overwriting_loops(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """As somebody writes it who forgets the plus."""
    (B, _, H, W), (_, out, kH, kW) = x.shape, weight.shape
    full = x.new_zeros(B, out, (H - 1) * stride + kH + output_padding, (W - 1) * stride + kW + output_padding)
    for i in range(H):
        for j in range(W):
            here = full[:, :, i * stride : i * stride + kH, j * stride : j * stride + kW]
            here[:] = torch.einsum("bc,cokl->bokl", x[:, :, i, j], weight)
    full = full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding]
    return full if bias is None else full + bias.view(-1, 1, 1)


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("conv_transpose2d", F.conv_transpose2d, "torch's own"),
        ("conv_transpose2d", overwriting_loops, "yours overwrites what was there"),
        ("conv_transpose2d", lambda x, w, *rest: by_fold(x, w.flip(2), *rest), "wrong values"),
        ("conv_transpose2d", lambda x, w, *rest: by_fold(x, w, *rest).tolist(), "not a tensor"),
        ("conv_transpose2d", lambda x, w, *rest: by_fold(x.mul_(2), w, *rest), "the input is changed in place"),
        ("overlaps", lambda n, kernel_size, stride: 2, "not a tensor"),
        ("overlaps", lambda n, kernel_size, stride: torch.ones(n), "shape"),
        ("psnr", lambda x, y, peak=1.0: psnr_by_the_root(x, y, peak).mean(), "you average the pictures' PSNR"),
        ("psnr", lambda x, y, peak=1.0: psnr_by_the_root(x, y, peak)[:, None], "shape"),
        ("psnr", lambda x, y, peak=1.0: 20 * torch.log10(peak / (x - y).square().mean((1, 2, 3)).sqrt()), "bytes"),
        ("conv_autoencoder", lambda in_shape, code: nn.Flatten(), "needs an nn.Module self.encoder"),
        ("conv_autoencoder", lambda in_shape, code: Plain((1, 28, 28), code), "other sizes"),
    ],
)
def test_what_is_wrong_is_said(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text, report.text


def test_there_are_as_many_mistakes_as_promised():
    assert sum(len(answers.find(name).mistakes) for name in STYLES) >= 30
