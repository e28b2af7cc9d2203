import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        pair = lambda v: v if isinstance(v, tuple) else (v, v)
        self.kernel_size, self.stride, self.padding, self.dilation = map(pair, (kernel_size, stride, padding, dilation))
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *self.kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        return sum(self.one_channel(x[:, c:c + 1], self.weight[:, c]) for c in range(x.shape[1]))

    def one_channel(self, x, weight):
        columns = F.unfold(x, self.kernel_size, dilation=self.dilation, padding=self.padding, stride=self.stride)
        y = weight.flatten(1) @ columns
        if self.bias is not None:
            y = y + self.bias[:, None]
        span = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size)]
        size = [(n + 2 * p - f) // s + 1 for n, p, f, s in zip(x.shape[2:], self.padding, span, self.stride)]
        return y.unflatten(2, size)
