def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    if dilation * (kernel_size - 1) + 1 > n + 2 * padding:
        raise ValueError("does not fit")
    return int((n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)
