import torch
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        as_pair = lambda v: (v, v) if isinstance(v, int) else v
        self.stride, self.padding, self.dilation = map(as_pair, (stride, padding, dilation))
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *as_pair(kernel_size)))
        self.bias = nn.Parameter(torch.randn(out_channels)) if bias else None

    def forward(self, x):
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.padding, self.dilation
        x = nn.functional.pad(x, (pw, pw, ph, ph))
        o, c, kh, kw = self.weight.shape
        kernel = self.weight.new_zeros(o, c, dh * (kh - 1) + 1, dw * (kw - 1) + 1)
        kernel[:, :, ::dh, ::dw] = self.weight
        size = x.shape[2:]
        spectrum = torch.fft.fft2(x)[:, None] * torch.fft.fft2(kernel, s=size).conj()  # (B, O, C, H, W)
        y = torch.fft.ifft2(spectrum.sum(dim=2)).real
        y = y[:, :, : size[0] - kernel.shape[2] + 1 : sh, : size[1] - kernel.shape[3] + 1 : sw]
        if self.bias is not None:
            y = y + self.bias.reshape(-1, 1, 1)
        return y
