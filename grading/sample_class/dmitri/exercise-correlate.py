import torch

def cross_correlate2d(image, kernel):
    (H, W), (kh, kw) = image.shape, kernel.shape
    spectrum = torch.fft.rfft2(image) * torch.fft.rfft2(kernel, s=(H, W)).conj()
    return torch.fft.irfft2(spectrum, s=(H, W))[: H - kh + 1, : W - kw + 1]
