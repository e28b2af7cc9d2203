def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    stride = kernel_size if stride is None else stride
    rest = n + 2 * padding - kernel_size
    size = rest // stride + 1
    if ceil_mode and rest % stride and size * stride < n + padding:
        size += 1
    return size
