def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    last = (n - 1) * stride + dilation * (kernel_size - 1)  # where the last entry of the last kernel lands
    return last + 1 - 2 * padding + output_padding
