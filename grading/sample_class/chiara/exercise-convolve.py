def convolve2d(image, kernel):
    return cross_correlate2d(image, kernel.rot90(2))
