import torch

def cross_correlate2d(image, kernel):
    H, W = image.shape
    kh, kw = kernel.shape
    out = torch.zeros(H - kh + 1, W - kw + 1, dtype=image.dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(kh):
                for l in range(kw):
                    out[i, j] += image[i + k, j + l] * kernel[k, l]
    return out
