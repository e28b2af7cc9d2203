import torch
import torch.nn.functional as F
from torch import nn

class Pool2d(nn.Module):
    def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
        super().__init__()
        two = lambda v: v if isinstance(v, tuple) else (v, v)
        self.kernel_size = two(kernel_size)
        self.stride = self.kernel_size if stride is None else two(stride)
        self.padding = two(padding)
        self.mode = mode
        self.p = p

    def forward(self, x):
        (kh, kw), (sh, sw), (ph, pw) = self.kernel_size, self.stride, self.padding
        x = F.pad(x, (pw, pw, ph, ph), value=-torch.inf if self.mode == "max" else 0)
        B, C, H, W = x.shape
        columns = F.unfold(x, (kh, kw), stride=(sh, sw)).reshape(B, C, kh * kw, -1)
        if self.mode == "max":
            y = columns.amax(2)
        elif self.mode == "mean":
            y = columns.mean(2)
        else:
            y = columns.abs().pow(self.p).sum(2).pow(1 / self.p)
        return y.reshape(B, C, (H - kh) // sh + 1, (W - kw) // sw + 1)
