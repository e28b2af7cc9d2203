def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    slices = in_channels // groups * out_channels
    return slices * (kernel_size**2 + 1) if bias else slices * kernel_size**2
