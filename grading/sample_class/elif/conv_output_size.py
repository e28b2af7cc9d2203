import torch

def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    line = torch.arange(n + 2 * padding)
    starts = line[: max(0, len(line) - dilation * (kernel_size - 1)) : stride]
    if starts.numel() == 0:
        raise ValueError("no room for the kernel")
    return starts.numel()
