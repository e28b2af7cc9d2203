import torch
from torch import nn

def pair(v):
    return v if isinstance(v, tuple) else (v, v)

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        kh, kw = pair(kernel_size)
        self.stride, self.padding, self.dilation = pair(stride), pair(padding), pair(dilation)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kh, kw) * 0.1)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.padding, self.dilation
        B, C, H, W = x.shape
        O, _, kh, kw = self.weight.shape
        big = torch.zeros(B, C, H + 2 * ph, W + 2 * pw, dtype=x.dtype)
        big[:, :, ph:ph + H, pw:pw + W] = x
        rows = range(0, H + 2 * ph - dh * (kh - 1), sh)
        cols = range(0, W + 2 * pw - dw * (kw - 1), sw)
        y = torch.zeros(B, O, len(rows), len(cols), dtype=x.dtype)
        for b in range(B):
            for o in range(O):
                for i, top in enumerate(rows):
                    for j, left in enumerate(cols):
                        window = big[b, :, top:top + dh * (kh - 1) + 1:dh, left:left + dw * (kw - 1) + 1:dw]
                        y[b, o, i, j] = (window * self.weight[o]).sum()
                if self.bias is not None:
                    y[b, o] += self.bias[o]
        return y
