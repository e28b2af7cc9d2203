import torch
from torch import nn

class Pool2d(nn.Module):
    def __init__(self, kernel_size, stride=None, padding=0, mode="max", p=2):
        super().__init__()
        self.kernel = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        stride = self.kernel if stride is None else stride
        self.stride = stride if isinstance(stride, tuple) else (stride, stride)
        self.padding = padding if isinstance(padding, tuple) else (padding, padding)
        self.mode, self.p = mode, p

    def forward(self, x):
        (kh, kw), (sh, sw), (ph, pw) = self.kernel, self.stride, self.padding
        B, C, H, W = x.shape
        big = torch.full((B, C, H + 2 * ph, W + 2 * pw), float("-inf") if self.mode == "max" else 0.0, dtype=x.dtype)
        big[:, :, ph:ph + H, pw:pw + W] = x
        rows = []
        for i in range(0, H + 2 * ph - kh + 1, sh):
            row = []
            for j in range(0, W + 2 * pw - kw + 1, sw):
                row.append(self.one(big[:, :, i:i + kh, j:j + kw].flatten(2)))
            rows.append(torch.stack(row, dim=-1))
        return torch.stack(rows, dim=-2)

    def one(self, window):
        if self.mode == "max":
            return window.max(dim=-1).values
        if self.mode == "mean":
            return window.mean(dim=-1)
        return (window**self.p).sum(dim=-1) ** (1 / self.p)
