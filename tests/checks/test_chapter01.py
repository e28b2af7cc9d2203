"""Chapter 01's self-checked exercises: correct styles pass, and the museum's exhibits are told their bugs."""

import re

import pytest
import torch
import torch.nn.functional as F

from utils.checks import answers, judged

NAMES = ("sharpen", "match_template", "conv_matrix", "museum_rows", "museum_stride", "museum_pooling")


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_passes_and_a_blank_is_not_begun(name):
    def blank(*args):
        raise NotImplementedError

    assert judged(name, answers.find(name).reference).verdict.right
    assert not judged(name, blank).verdict.done


def sharpen_by_kernel(image, amount):
    kernel = torch.full((3, 3), -amount / 9, dtype=image.dtype)
    kernel[1, 1] += 1 + amount
    return F.conv2d(F.pad(image[None, None], (1, 1, 1, 1), mode="replicate"), kernel[None, None])[0, 0]


def sharpen_by_shifts(image, amount):
    rows = [max(0, min(i, image.shape[0] - 1)) for i in range(-1, image.shape[0] + 1)]
    columns = [max(0, min(j, image.shape[1] - 1)) for j in range(-1, image.shape[1] + 1)]
    padded, (H, W) = image[rows][:, columns], image.shape
    mean = sum(padded[i : i + H, j : j + W] for i in range(3) for j in range(3)) / 9
    return image + amount * (image - mean)


def match_by_loops(image, template):
    (H, W), (h, w) = image.shape, template.shape
    score = torch.zeros(H - h + 1, W - w + 1, dtype=image.dtype)
    for r in range(H - h + 1):
        for c in range(W - w + 1):
            if image[r : r + h, c : c + w].std() > 0:
                pair = torch.stack([image[r : r + h, c : c + w].flatten(), template.flatten()])
                score[r, c] = torch.corrcoef(pair)[0, 1]
    return score


def match_by_sums(image, template):
    def sums(x, k):
        return F.conv2d(x[None, None], k[None, None])[0, 0]

    ones, n = torch.ones_like(template), template.numel()
    centred = template - template.mean()
    spread = (sums(image**2, ones) - sums(image, ones) ** 2 / n).clamp(min=0).sqrt() * centred.norm()
    return torch.where(spread > 1e-9, sums(image, centred) / spread, 0.0)


def matrix_by_basis(kernel, height, width):
    basis = torch.eye(height * width, dtype=kernel.dtype).reshape(-1, 1, height, width)
    return F.conv2d(basis, kernel[None, None]).flatten(1).T


def matrix_by_index(kernel, height, width):
    (kh, kw), columns = kernel.shape, width - kernel.shape[1] + 1
    matrix = torch.zeros((height - kh + 1) * columns, height * width, dtype=kernel.dtype)
    for n in range(len(matrix)):
        for i in range(kh):
            start = (n // columns + i) * width + n % columns
            matrix[n, start : start + kw] = kernel[i]
    return matrix


def strided_by_views(image, kernel, stride):
    windows = image.unfold(0, len(kernel), stride).unfold(1, len(kernel), stride)
    return (windows * kernel).sum((2, 3))


def pooled_by_views(image, kernel_size, stride):
    return image.unfold(0, kernel_size, stride).unfold(1, kernel_size, stride).amax((2, 3))


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("sharpen", sharpen_by_kernel),
        ("sharpen", sharpen_by_shifts),
        ("match_template", match_by_loops),
        ("match_template", match_by_sums),
        ("conv_matrix", matrix_by_basis),
        ("conv_matrix", matrix_by_index),
        ("museum_rows", strided_by_views),
        ("museum_stride", strided_by_views),
        ("museum_pooling", pooled_by_views),
    ],
)
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


# ── The exhibits, as chapter 01 shows them ───────────────────────────────────────────────────────────────────────────


def exhibit_rows(image, kernel, stride):
    H, W, K = *image.shape, kernel.shape[0]
    out = torch.zeros((H - K) // stride + 1, (W - K) // stride + 1, dtype=image.dtype)
    for r, i in enumerate(range(0, H - K, stride)):
        for c, j in enumerate(range(0, W - K, stride)):
            out[r, c] = (image[i : i + K, j : j + K] * kernel).sum()
    return out


def exhibit_stride(image, kernel, stride):
    H, W, K = *image.shape, kernel.shape[0]
    out = torch.zeros((H - K) // stride + 1, (W - K) // stride + 1, dtype=image.dtype)
    for i in range(0, H - K + 1, stride):
        for j in range(0, W - K + 1, stride):
            out[i][j] = (image[i : i + K, j : j + K] * kernel).sum()
    return out


stride = 2


def exhibit_pooling(image, kernel_size, strides):
    H, W, K = *image.shape, kernel_size
    out = torch.zeros((H - K) // stride + 1, (W - K) // stride + 1, dtype=image.dtype)
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[r, c] = image[r * stride : r * stride + K, c * stride : c * stride + K].max()
    return out


@pytest.mark.parametrize(
    ("name", "exhibit", "words"),
    [
        ("museum_rows", exhibit_rows, "last row and column stay empty"),
        ("museum_stride", exhibit_stride, r"out\[i\]\[j\]"),
        ("museum_pooling", exhibit_pooling, "the name in the body is not the parameter's"),
    ],
)
def test_an_unrepaired_exhibit_is_told_its_bug(name, exhibit, words):
    report = judged(name, exhibit)
    assert not report.verdict.right and report.verdict.certain
    assert re.search(words, report.text)
