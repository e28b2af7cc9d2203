import torch

def cross_correlate2d(image, kernel):
    kh, kw = kernel.shape
    kernel = torch.flip(kernel, (0, 1))
    rows, cols = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    return torch.stack([torch.stack([(image[i:i + kh, j:j + kw] * kernel).sum() for j in range(cols)]) for i in range(rows)])
