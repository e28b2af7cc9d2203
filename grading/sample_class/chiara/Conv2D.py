import torch
import torch.nn.functional as F
from torch import nn

class Conv2D(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        self.stride, self.padding, self.dilation = both(stride), both(padding), both(dilation)
        self.weight = nn.Parameter(torch.rand(out_channels, in_channels, *both(kernel_size)) - 0.5)
        self.bias = nn.Parameter(torch.rand(out_channels) - 0.5) if bias else None

    def forward(self, x):
        ph, pw = self.padding
        windows = F.pad(x, (pw, pw, ph, ph))
        for dim in (0, 1):
            span = self.dilation[dim] * (self.weight.shape[dim + 2] - 1) + 1
            windows = windows.unfold(dim + 2, span, self.stride[dim])[..., ::self.dilation[dim]]
        y = torch.einsum("bchwij,ocij->bohw", windows, self.weight)
        return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)
