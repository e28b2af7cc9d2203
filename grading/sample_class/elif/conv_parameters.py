def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    one_filter = in_channels * kernel_size * kernel_size // groups
    if bias:
        one_filter += 1
    return one_filter * out_channels
