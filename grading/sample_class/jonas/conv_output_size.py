def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    if n + 2 * padding < dilation * (kernel_size - 1) + 1:
        raise ValueError("kernel does not fit")
    return (n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1
