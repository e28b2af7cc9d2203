import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        pair = lambda v: v if isinstance(v, tuple) else (v, v)
        self.stride, self.padding, self.dilation = pair(stride), pair(padding), pair(dilation)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *pair(kernel_size)))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.padding, self.dilation
        image = F.pad(x[0], (pw, pw, ph, ph))  # (C, H, W)
        kh, kw = self.weight.shape[2:]
        image = image.unfold(1, dh * (kh - 1) + 1, sh).unfold(2, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
        y = torch.tensordot(self.weight, image, dims=([1, 2, 3], [0, 3, 4]))
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        return y[None]
