def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    return in_channels * out_channels * kernel_size**2 + bias * out_channels
