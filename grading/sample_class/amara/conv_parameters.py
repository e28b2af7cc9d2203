def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    total = 0
    for _ in range(out_channels):
        total += (in_channels // groups) * kernel_size**2
        if bias:
            total += 1
    return total
