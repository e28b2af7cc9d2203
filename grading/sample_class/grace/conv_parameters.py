def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return out_channels * (in_channels // groups * kernel_size * kernel_size + int(bias))
