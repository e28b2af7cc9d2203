import torch.nn.functional as F
from torch import nn

def both(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)

class Pool2d(nn.Module):
    def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
        super().__init__()
        self.k, self.pad = both(kernel_size), both(padding)
        self.s = self.k if stride is None else both(stride)
        self.mode, self.p = mode, p

    def forward(self, x):
        fill = float("-inf") if self.mode == "max" else 0.0
        x = F.pad(x, (self.pad[1], self.pad[1], self.pad[0], self.pad[0]), value=fill)
        w = x.unfold(2, self.k[0], self.s[0]).unfold(3, self.k[1], self.s[1])  # (B, C, oh, ow, kh, kw)
        if self.mode == "max":
            return w.amax(dim=(-2, -1))
        if self.mode == "mean":
            return w.mean(dim=(-2, -1))
        return (w.abs() ** self.p).sum(dim=(-2, -1)) ** (1 / self.p)
