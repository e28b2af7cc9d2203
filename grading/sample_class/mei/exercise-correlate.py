def cross_correlate2d(image, kernel):
    kh, kw = kernel.shape
    H, W = image.shape
    return sum(kernel[k, l] * image[k : H - kh + 1 + k, l : W - kw + 1 + l] for k in range(kh) for l in range(kw))
