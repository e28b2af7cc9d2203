def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    positions = range(0, n + 2 * padding - dilation * (kernel_size - 1), stride)  # where the kernel may start
    if len(positions) == 0:
        raise ValueError("the kernel is larger than the padded input")
    return len(positions)
