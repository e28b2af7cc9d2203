def convolve2d(image, kernel):
    return cross_correlate2d(image, kernel.flip(0).flip(1))
