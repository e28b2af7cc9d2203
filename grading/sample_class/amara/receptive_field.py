def receptive_field(layers):
    low, high = 0, 0
    for k, s, d in reversed(layers):  # from one output back to the input it sees
        low, high = low * s, high * s + (k - 1) * d
    return high - low + 1
