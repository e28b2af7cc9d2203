def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    if stride is None:
        stride = kernel_size
    extra = stride - 1 if ceil_mode else 0
    size = (n + 2 * padding - kernel_size + extra) // stride + 1
    return size - 1 if (size - 1) * stride >= n + padding else size
