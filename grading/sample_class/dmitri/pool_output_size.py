def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    stride = kernel_size if stride is None else stride
    starts = list(range(-padding, n + padding - kernel_size + 1, stride))
    hanging = starts[-1] + stride
    if ceil_mode and starts[-1] + kernel_size < n + padding and hanging < n:
        starts.append(hanging)
    return len(starts)
