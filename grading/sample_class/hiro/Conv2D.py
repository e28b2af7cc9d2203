import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        pair = lambda v: v if isinstance(v, tuple) else (v, v)
        self.stride, self.padding, self.dilation = pair(stride)[0], pair(padding), pair(dilation)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *pair(kernel_size)))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        (ph, pw), (dh, dw), (kh, kw) = self.padding, self.dilation, self.weight.shape[2:]
        x = F.pad(x, (pw, pw, ph, ph))
        h, w = x.shape[2] - dh * (kh - 1), x.shape[3] - dw * (kw - 1)
        rows = []
        for top in range(0, h, self.stride):
            columns = []
            for left in range(w):
                window = x[:, None, :, top:top + dh * kh:dh, left:left + dw * kw:dw]
                columns.append((window[..., :kh, :kw] * self.weight).sum(dim=(2, 3, 4)))
            rows.append(torch.stack(columns, dim=-1))
        y = torch.stack(rows, dim=-2)
        return y if self.bias is None else y + self.bias[:, None, None]
