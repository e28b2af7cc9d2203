import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        pair = lambda v: v if isinstance(v, tuple) else (v, v)
        kh, kw = pair(kernel_size)
        self.sw, self.sh = pair(stride)
        self.pw, self.ph = pair(padding)
        self.dw, self.dh = pair(dilation)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kh, kw))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        x = F.pad(x, (self.pw, self.pw, self.ph, self.ph))
        kh, kw = self.weight.shape[2:]
        h = (x.shape[2] - self.dh * (kh - 1) - 1) // self.sh + 1
        w = (x.shape[3] - self.dw * (kw - 1) - 1) // self.sw + 1
        y = torch.zeros(x.shape[0], self.weight.shape[0], h, w, dtype=x.dtype)
        for i in range(kh):
            for j in range(kw):
                top, left = i * self.dh, j * self.dw
                part = x[:, :, top:top + h * self.sh:self.sh, left:left + w * self.sw:self.sw]
                y = y + torch.einsum("bchw,oc->bohw", part, self.weight[:, :, i, j])
        return y if self.bias is None else y + self.bias[:, None, None]
