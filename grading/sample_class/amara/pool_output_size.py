def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    if stride is None:
        stride = kernel_size
    count = 0
    start = -padding
    while start + kernel_size <= n + padding:
        count += 1
        start += stride
    # one more window that hangs over the edge, if it begins on the picture or in the padding before it
    if ceil_mode and start - stride + kernel_size < n + padding and start < n:
        count += 1
    return count
