def receptive_field(layers):
    def seen(layers, outputs):
        if not layers:
            return outputs
        *before, (k, s, d) = layers
        return seen(before, (outputs - 1) * s + d * (k - 1) + 1)

    return seen(list(layers), 1)
