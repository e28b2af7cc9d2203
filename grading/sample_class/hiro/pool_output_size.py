from math import ceil, floor

def pool_output_size(n, kernel_size, stride=None, padding=0, ceil_mode=False):
    stride = kernel_size if stride is None else stride
    steps = (n + 2 * padding - kernel_size) / stride
    return (ceil(steps) if ceil_mode else floor(steps)) + 1
