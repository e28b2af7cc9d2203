import math

def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    s = stride or kernel_size
    steps = (n + 2 * padding - kernel_size) / s
    out = (math.ceil(steps) if ceil_mode else math.floor(steps)) + 1
    if (out - 1) * s >= n + padding:
        out -= 1
    return out
