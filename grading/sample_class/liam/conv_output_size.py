def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    span = 1 + dilation * (kernel_size - 1)
    room = n + 2 * padding
    if room < span:
        raise ValueError(f"{span} pixels are needed, there are {room}")
    return 1 + (room - span) // stride
