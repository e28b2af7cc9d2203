def receptive_field(layers):
    pixels = {0}
    for kernel_size, stride, dilation in reversed(layers):
        pixels = {p * stride + k * dilation for p in (min(pixels), max(pixels)) for k in range(kernel_size)}
    return max(pixels) - min(pixels) + 1
