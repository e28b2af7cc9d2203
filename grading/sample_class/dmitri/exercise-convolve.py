import torch

def convolve2d(image, kernel):
    (H, W), (kh, kw) = image.shape, kernel.shape
    full = (H + kh - 1, W + kw - 1)
    product = torch.fft.rfft2(image, s=full) * torch.fft.rfft2(kernel, s=full)
    return torch.fft.irfft2(product, s=full)[kh - 1 : H, kw - 1 : W]
