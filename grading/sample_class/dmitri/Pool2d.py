import torch
from torch import nn

class Pool2d(nn.Module):
    """Every shift of the picture inside the window is one slice; the slices are pooled."""

    def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
        super().__init__()
        as_pair = lambda v: (v, v) if isinstance(v, int) else v
        self.kernel, self.padding = as_pair(kernel_size), as_pair(padding)
        self.stride = as_pair(stride) if stride is not None else self.kernel
        self.mode, self.p = mode, p

    def forward(self, x):
        (kh, kw), (sh, sw), (ph, pw) = self.kernel, self.stride, self.padding
        x = nn.functional.pad(x, (pw, pw, ph, ph), value=-float("inf") if self.mode == "max" else 0.0)
        h, w = x.shape[2] - kh + 1, x.shape[3] - kw + 1
        slices = torch.stack([x[:, :, i : i + h : sh, j : j + w : sw] for i in range(kh) for j in range(kw)])
        if self.mode == "max":
            return slices.max(0).values
        if self.mode == "mean":
            return slices.sum(0) / (kh * kw)
        return torch.linalg.vector_norm(slices, ord=self.p, dim=0)
