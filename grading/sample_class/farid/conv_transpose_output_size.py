def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    spread = (n - 1) * stride + 1  # the input with stride - 1 zeros between its pixels
    return spread + dilation * (kernel_size - 1) - 2 * padding + output_padding
