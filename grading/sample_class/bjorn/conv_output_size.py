import sys
import warnings

def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    warnings.warn("this is my second attempt")
    print("called with", n, kernel_size, file=sys.stderr)
    free = n + 2 * padding - dilation * (kernel_size - 1) - 1
    if free < 0:
        raise ValueError(f"a kernel of {kernel_size} does not fit")
    return free // stride + 1

conv_output_size(7, 3)
