def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    per_group = (in_channels // groups) * (out_channels // groups) * kernel_size ** 2
    return groups * per_group + (out_channels if bias else 0)
