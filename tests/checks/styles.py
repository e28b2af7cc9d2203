"""Right answers in many styles: none may be refused. (Solutions: tests are not part of what learners get.)"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


class Layer(nn.Module):
    """Construction, padding and sizes, which all styles share; `convolve(x)` differs."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        self.kernel_size, self.stride, self.padding, self.dilation = map(pair, (kernel_size, stride, padding, dilation))
        bound = 1 / math.sqrt(in_channels * self.kernel_size[0] * self.kernel_size[1])
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x):
        ph, pw = self.padding
        x = F.pad(x, (pw, pw, ph, ph))
        y = self.convolve(x, *self.size(x))
        return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)

    def size(self, x):
        return tuple(
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True)
        )

    def window(self, x, i, j):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        top, left = i * sh, j * sw
        return x[..., top : top + dh * (kh - 1) + 1 : dh, left : left + dw * (kw - 1) + 1 : dw]


class Loops(Layer):
    """Seven loops, one product at a time."""

    def convolve(self, x, height, width):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        y = x.new_zeros(len(x), len(self.weight), height, width)
        for b in range(len(x)):
            for o in range(len(self.weight)):
                for i in range(height):
                    for j in range(width):
                        total = 0
                        for c in range(x.shape[1]):
                            for k in range(kh):
                                for m in range(kw):
                                    total = total + x[b, c, i * sh + k * dh, j * sw + m * dw] * self.weight[o, c, k, m]
                        y[b, o, i, j] = total
        return y


class Windows(Layer):
    """Two loops over positions, the rest by broadcasting."""

    def convolve(self, x, height, width):
        rows = [
            torch.stack([(self.window(x, i, j)[:, None] * self.weight).sum((2, 3, 4)) for j in range(width)], dim=-1)
            for i in range(height)
        ]
        return torch.stack(rows, dim=-2)


class Unfold(Layer):
    """im2col and a matrix product."""

    def convolve(self, x, height, width):
        columns = F.unfold(x, self.kernel_size, self.dilation, 0, self.stride)  # (B, C·kh·kw, L)
        return (self.weight.flatten(1) @ columns).view(len(x), -1, height, width)


class Einsum(Layer):
    """Tensor.unfold twice and einsum, for any dilation by indexing."""

    def convolve(self, x, height, width):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        rows = torch.arange(height)[:, None] * sh + torch.arange(kh) * dh
        columns = torch.arange(width)[:, None] * sw + torch.arange(kw) * dw
        patches = x[:, :, rows[:, None, :, None], columns[None, :, None, :]]  # (B, C, H, W, kh, kw)
        return torch.einsum("bchwij,ocij->bohw", patches, self.weight)


class AsStrided(Layer):
    """A view of overlapping windows, and tensordot."""

    def convolve(self, x, height, width):
        x = x.contiguous()
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        b, c, h, w = x.stride()
        windows = x.as_strided((x.shape[0], x.shape[1], height, width, kh, kw), (b, c, h * sh, w * sw, h * dh, w * dw))
        return torch.tensordot(windows, self.weight, dims=([1, 4, 5], [1, 2, 3])).permute(0, 3, 1, 2)


class Fourier(Layer):
    """A product in the Fourier domain."""

    def convolve(self, x, height, width):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        spread = self.weight.new_zeros(*self.weight.shape[:2], dh * (kh - 1) + 1, dw * (kw - 1) + 1)
        spread[:, :, ::dh, ::dw] = self.weight
        size = x.shape[2:]
        product = torch.einsum("bchw,ochw->bohw", torch.fft.rfft2(x, size), torch.fft.rfft2(spread, size).conj())
        y = torch.fft.irfft2(product, size)
        return y[:, :, : sh * height : sh, : sw * width : sw][:, :, :height, :width]


class ShiftAndAdd(Layer):
    """One loop over the kernel's taps; each adds a shifted picture."""

    def convolve(self, x, height, width):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        y = 0
        for k in range(kh):
            for m in range(kw):
                shifted = x[
                    :, :, k * dh : k * dh + sh * (height - 1) + 1 : sh, m * dw : m * dw + sw * (width - 1) + 1 : sw
                ]
                y = y + torch.einsum("bchw,oc->bohw", shifted, self.weight[:, :, k, m])
        return y


class Matrix(Layer):
    """The convolution's matrix, built from the identity, times the flattened picture."""

    def convolve(self, x, height, width):
        c, h, w = x.shape[1:]
        identity = torch.eye(c * h * w, dtype=x.dtype).view(-1, c, h, w)
        columns = torch.stack(
            [
                torch.stack(
                    [(self.window(identity, i, j)[:, None] * self.weight).sum((2, 3, 4)) for j in range(width)], -1
                )
                for i in range(height)
            ],
            -2,
        )  # (C·H·W, out, height, width)
        return (x.flatten(1) @ columns.flatten(1)).view(len(x), -1, height, width)


class Vmap(Layer):
    """One picture and one filter at a time, and torch.vmap for the rest."""

    def convolve(self, x, height, width):
        def one(picture, kernel):
            return torch.stack(
                [
                    torch.stack([(self.window(picture, i, j) * kernel).sum() for j in range(width)])
                    for i in range(height)
                ]
            )

        return torch.vmap(torch.vmap(one, (None, 0)), (0, None))(x, self.weight)


class HandWritten(Layer):
    """A torch.autograd.Function with its own backward pass."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, columns, weight):
            ctx.save_for_backward(columns, weight)
            return weight @ columns

        @staticmethod
        def backward(ctx, gradient):
            columns, weight = ctx.saved_tensors
            return weight.T @ gradient, (gradient @ columns.transpose(1, 2)).sum(0)

    def convolve(self, x, height, width):
        columns = F.unfold(x, self.kernel_size, self.dilation, 0, self.stride)
        return self.Product.apply(columns, self.weight.flatten(1)).view(len(x), -1, height, width)


CONV2D = (Loops, Windows, Unfold, Einsum, AsStrided, Fourier, ShiftAndAdd, Matrix, Vmap, HandWritten)


class Pool(nn.Module):
    """Construction and padding, which all pooling styles share."""

    def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
        super().__init__()
        self.kernel_size, self.padding = pair(kernel_size), pair(padding)
        self.stride = self.kernel_size if stride is None else pair(stride)
        self.mode, self.p = mode, p

    def padded(self, x):
        ph, pw = self.padding
        return F.pad(x, (pw, pw, ph, ph), value=-math.inf if self.mode == "max" else 0.0)

    def reduce(self, windows, dims):
        if self.mode == "max":
            return windows.amax(dims)
        if self.mode == "mean":
            return windows.mean(dims)
        return (windows**self.p).sum(dims) ** (1 / self.p)


class PoolLoops(Pool):
    def forward(self, x):
        x = self.padded(x)
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        height, width = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
        y = x.new_empty(*x.shape[:2], height, width)
        for i in range(height):
            for j in range(width):
                y[:, :, i, j] = self.reduce(x[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw], (2, 3))
        return y


class PoolUnfold(Pool):
    def forward(self, x):
        windows = self.padded(x).unfold(2, self.kernel_size[0], self.stride[0])
        windows = windows.unfold(3, self.kernel_size[1], self.stride[1])  # (B, C, H, W, kh, kw)
        return self.reduce(windows.flatten(4), -1)


POOL2D = (PoolLoops, PoolUnfold)


def correlate_loops(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = torch.zeros(height, width, dtype=image.dtype)
    for i in range(height):
        for j in range(width):
            result[i, j] = (image[i : i + kernel.shape[0], j : j + kernel.shape[1]] * kernel).sum()
    return result


def correlate_numpy(image, kernel):
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def correlate_unfold(image, kernel):
    windows = image.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return torch.einsum("ijkl,kl->ij", windows, kernel)


def correlate_fourier(image, kernel):
    size = image.shape
    product = torch.fft.fft2(image) * torch.fft.fft2(kernel, size).conj()
    return torch.fft.ifft2(product).real[: size[0] - kernel.shape[0] + 1, : size[1] - kernel.shape[1] + 1]


CORRELATE = (correlate_loops, correlate_numpy, correlate_unfold, correlate_fourier)


def convolve_flip(image, kernel):
    return correlate_loops(image, kernel.flip((0, 1)))


def convolve_numpy(image, kernel):
    return correlate_numpy(image, kernel[::-1, ::-1])


def convolve_shift_and_add(image, kernel):
    kh, kw = kernel.shape
    height, width = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    return sum(
        kernel[kh - 1 - k, kw - 1 - m] * image[k : k + height, m : m + width] for k in range(kh) for m in range(kw)
    )


CONVOLVE = (convolve_flip, convolve_numpy, convolve_shift_and_add)


def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    span = dilation * (kernel_size - 1) + 1
    if span > n + 2 * padding:
        raise ValueError("too large")
    return math.floor((n + 2 * padding - span) / stride) + 1


def conv_output_size_counted(n, kernel_size, stride=1, padding=0, dilation=1):
    starts = range(0, n + 2 * padding - dilation * (kernel_size - 1), stride)
    if not len(starts):
        raise ValueError("too large")
    return len(starts)


def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    stride = stride or kernel_size
    rounding = math.ceil if ceil_mode else math.floor
    size = rounding((n + 2 * padding - kernel_size) / stride) + 1
    return size - 1 if ceil_mode and (size - 1) * stride >= n + padding else size


def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    return (n - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1


def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return out_channels * (in_channels // groups * kernel_size**2 + int(bias))


def receptive_field(layers):
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * step
        step *= stride
    return size


def receptive_field_backwards(layers):
    size = 1
    for kernel_size, stride, dilation in reversed(layers):
        size = (size - 1) * stride + dilation * (kernel_size - 1) + 1
    return size


RIGHT = {
    "practice": (lambda image: 255 - image, lambda image: -image + 255),
    "cross_correlate2d": CORRELATE,
    "convolve2d": CONVOLVE,
    "conv_output_size": (conv_output_size, conv_output_size_counted),
    "pool_output_size": (pool_output_size,),
    "conv_transpose_output_size": (conv_transpose_output_size,),
    "conv_parameters": (conv_parameters,),
    "receptive_field": (receptive_field, receptive_field_backwards),
    "conv2d": CONV2D,
    "pool2d": POOL2D,
}
