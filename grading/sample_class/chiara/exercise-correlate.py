import torch

def cross_correlate2d(image, kernel):
    windows = image.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)  # (oh, ow, kh, kw)
    return torch.einsum("ijkl,kl->ij", windows, kernel)
