def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    full = stride * (n - 1) + (dilation * (kernel_size - 1) + 1)
    return full - 2 * padding + output_padding
