def convolve2d(image, kernel):
    kernel[:] = kernel.flip(0, 1)
    return cross_correlate2d(image, kernel)
