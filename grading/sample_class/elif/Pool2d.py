import torch
from torch import nn

class Pool2d(nn.Module):
    def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
        super().__init__()
        if stride is None:
            stride = kernel_size
        self.k, self.s, self.pad = [(v, v) if isinstance(v, int) else v for v in (kernel_size, stride, padding)]
        self.mode, self.p = mode, p

    def forward(self, x):
        (kh, kw), (sh, sw), (ph, pw) = self.k, self.s, self.pad
        x = nn.functional.pad(x, (pw, pw, ph, ph), value=float("-inf") if self.mode == "max" else 0.0)
        B, C, H, W = x.shape
        shape = (B, C, (H - kh) // sh + 1, (W - kw) // sw + 1, kh, kw)
        b, c, h, w = x.stride()
        windows = x.as_strided(shape, (b, c, h * sh, w * sw, h, w)).flatten(-2)
        if self.mode == "max":
            return windows.amax(-1)
        if self.mode == "mean":
            return windows.mean(-1)
        return windows.pow(self.p).sum(-1).pow(1 / self.p)
