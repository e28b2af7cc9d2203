import torch

def cross_correlate2d(image, kernel):
    H, W = image.shape
    kw, kh = kernel.shape
    out = torch.zeros(H - kh + 1, W - kw + 1, dtype=image.dtype)
    for i in range(H - kh + 1):
        for j in range(W - kw + 1):
            out[i, j] = (image[i:i + kh, j:j + kw] * kernel).sum()
    return out
