"""Chapter 02's self-checked exercises: correct styles pass (the mistakes: test_catalogue)."""

import math

import pytest
import torch
import torch.nn.functional as F

from utils.checks import answers, judged

NAMES = ("slide_bias", "fully_connected_parameters", "im2col", "conv2d_backward")


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_passes_and_a_blank_is_not_begun(name):
    def blank(*args):
        raise NotImplementedError

    assert judged(name, answers.find(name).reference).verdict.right
    assert not judged(name, blank).verdict.done


def bias_by_first_number(x, kernel, printed):
    k = kernel.shape[-1]
    return float(printed[0, 0]) - float((x[:, :k, :k] * kernel).sum())


def dense_by_product(in_shape, out_shape):
    return (math.prod(in_shape) + 1) * math.prod(out_shape)


def columns_by_loops(x, kernel_size):
    H, W = x.shape[-2:]
    places = [(i, j) for i in range(H - kernel_size + 1) for j in range(W - kernel_size + 1)]
    return torch.stack([x[..., i : i + kernel_size, j : j + kernel_size].flatten(1) for i, j in places], dim=2)


def columns_by_views(x, kernel_size):
    every = x.unfold(2, kernel_size, 1).unfold(3, kernel_size, 1)
    return every.permute(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kernel_size**2, -1)


def backward_by_windows(grad_y, x, weight):
    kh, kw = weight.shape[2:]
    grad_x, grad_weight = torch.zeros_like(x), torch.zeros_like(weight)
    for i in range(grad_y.shape[2]):
        for j in range(grad_y.shape[3]):
            g = grad_y[:, :, i, j]
            grad_x[..., i : i + kh, j : j + kw] += torch.einsum("bo,ochw->bchw", g, weight)
            grad_weight += torch.einsum("bo,bchw->ochw", g, x[..., i : i + kh, j : j + kw])
    return grad_x, grad_weight, grad_y.sum((0, 2, 3))


def backward_by_transposed(grad_y, x, weight):
    grad_weight = F.conv2d(x.transpose(0, 1), grad_y.transpose(0, 1)).transpose(0, 1)
    return [F.conv_transpose2d(grad_y, weight), grad_weight, grad_y.sum((0, 2, 3))]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("slide_bias", bias_by_first_number),
        ("fully_connected_parameters", dense_by_product),
        ("im2col", columns_by_loops),
        ("im2col", columns_by_views),
        ("conv2d_backward", backward_by_windows),
        ("conv2d_backward", backward_by_transposed),
    ],
)
def test_correct_styles_pass(name, target):
    assert judged(name, target).verdict.right


def test_a_wrong_number_of_gradients_is_said_so():
    verdict = judged("conv2d_backward", lambda grad_y, x, weight: (grad_y, x)).verdict
    assert "three gradients" in verdict.failures[0].sentence


def test_gradcheck_alone_catches_gradients_that_are_all_zero():
    def zeros(grad_y, x, weight):
        return x * 0, weight * 0, grad_y.sum((0, 2, 3)) * 0

    verdict = judged("conv2d_backward", zeros).verdict
    assert not any(verdict.passed.values())
