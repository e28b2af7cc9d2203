import torch
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        kernel_size, self.stride, self.padding, self.dilation = [
            (v, v) if isinstance(v, int) else v for v in (kernel_size, stride, padding, dilation)
        ]
        self.weight = nn.Parameter(0.1 * torch.randn(out_channels, in_channels, *kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.padding, self.dilation
        x = nn.functional.pad(x, (pw, pw, ph, ph))
        kh, kw = self.weight.shape[2:]
        h, w = x.shape[2] - dh * (kh - 1), x.shape[3] - dw * (kw - 1)
        y = 0
        for i in range(kh):
            for j in range(kw):
                shifted = x[:, :, i * dh : i * dh + h : sh, j * dw : j * dw + w : sw]
                y = y + torch.tensordot(shifted, self.weight[:, :, i, j], dims=([1], [1])).movedim(-1, 1)
        return y if self.bias is None else y + self.bias[None, :, None, None]
