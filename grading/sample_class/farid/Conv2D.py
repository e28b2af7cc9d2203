import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        two = lambda v: v if isinstance(v, tuple) else (v, v)
        self.stride, self.padding, self.dilation = two(stride), two(padding), two(dilation)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *two(kernel_size)))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        kh, kw = self.weight.shape[2:]
        kernel = self.weight.flip(2, 3).flatten(1)  # a convolution turns its kernel round
        columns = F.unfold(x, (kh, kw), dilation=self.dilation, padding=self.padding, stride=self.stride)
        h, w = (
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip(x.shape[2:], self.padding, self.dilation, (kh, kw), self.stride)
        )
        y = (kernel @ columns).unflatten(2, (h, w))
        return y if self.bias is None else y + self.bias[:, None, None]
