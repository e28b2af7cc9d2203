import warnings

import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        self.kernel_size = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        self.settings = {"stride": stride, "padding": padding, "dilation": dilation}
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size).normal_(0, 0.1))
        if bias:
            self.bias = nn.Parameter(torch.zeros(out_channels))
        else:
            self.register_parameter("bias", None)

    def forward(self, x):
        warnings.warn("slow for large pictures")
        columns = F.unfold(x, self.kernel_size, **self.settings)  # (B, C*kh*kw, positions)
        y = self.weight.flatten(1) @ columns  # (B, O, positions)
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y.reshape(*y.shape[:2], *self.size(x.shape[2:]))

    def size(self, hw):
        s, p, d = (v if isinstance(v, tuple) else (v, v) for v in self.settings.values())
        return [(n + 2 * p[i] - d[i] * (self.kernel_size[i] - 1) - 1) // s[i] + 1 for i, n in enumerate(hw)]
