import torch

def convolve2d(image, kernel):
    kh, kw = kernel.shape
    H, W = image.shape
    out = torch.zeros(H - kh + 1, W - kw + 1, dtype=image.dtype)
    for i in range(H - kh + 1):
        for j in range(W - kw + 1):
            for k in range(kh):
                for l in range(kw):
                    out[i, j] += image[i + k, j + l] * kernel[kh - 1 - k, kw - 1 - l]
    return out
