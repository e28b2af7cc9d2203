import torch

def cross_correlate2d(image, kernel):
    kh, kw = kernel.shape
    out = torch.empty(image.shape[0] - kh + 1, image.shape[1] - kw + 1, dtype=image.dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = torch.sum(image[i : i + kh, j : j + kw] * kernel)
    return out
