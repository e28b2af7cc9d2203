def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    if kernel_size > n + 2 * padding:
        raise ValueError("kernel too large")
    return (n + 2 * padding - kernel_size) // stride + 1
