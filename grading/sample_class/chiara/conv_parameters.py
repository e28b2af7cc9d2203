def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    weights = out_channels * in_channels * kernel_size**2 // groups
    return weights + out_channels if bias else weights
