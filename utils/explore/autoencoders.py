"""The explorers of chapter 08: stamps, noise, and the plane of codes."""

from __future__ import annotations

import torch
from torch import nn

from utils import show
from utils.explore.explorer import Explorer
from utils.explore.filters import told
from utils.explore.layers import slider
from utils.show import Picture
from utils.show.autoencoders import limits

PIXELS = torch.tensor([[1.0, 2], [3, 4]])


def stamps(x: torch.Tensor = PIXELS) -> Explorer:
    """Change kernel size, stride and paddings of a transposed convolution, and see every stamp and their sum.

    Parameters
    ----------
    x : (H, W), a few pixels; the kernel is all ones, so that a sum shows who wrote there
    """
    controls = {
        "kernel_size": slider("kernel_size", 3, 1, 4),
        "stride": slider("stride", 2, 1, 3),
        "padding": slider("padding", 0, 0, 2),
        "output_padding": slider("output_p.", 0, 0, 2),
    }

    def draw(kernel_size: int, stride: int, padding: int, output_padding: int) -> Picture | str:
        if output_padding >= stride:
            return (
                f"output_padding={output_padding} with stride={stride}: torch wants it smaller than the stride. It "
                f"only says which of the {stride} sizes that a convolution of this stride makes equal is the right one."
            )
        kernel = torch.ones(kernel_size, kernel_size)
        return told(lambda: show.stamps(x, kernel, stride, padding, output_padding, cell=26))

    return Explorer(draw, controls)


def denoised(net: nn.Module, x: torch.Tensor, trained: float, largest: float = 0.8) -> Explorer:
    """Choose a picture and how noisy it is, and see what the network makes of it.

    Parameters
    ----------
    x : float in [0, 1], (N, C, H, W): the pictures to choose from
    trained : the noise with which it learned, where the slider begins
    """
    import ipywidgets

    from utils import rebuilding

    controls = {
        "picture": slider("picture", 0, 0, max(len(x) - 1, 1)),
        "sigma": ipywidgets.FloatSlider(value=trained, min=0, max=largest, step=0.05, description="noise σ"),
    }

    def draw(picture: int, sigma: float) -> Picture | str:
        some = [(picture + i) % len(x) for i in range(min(5, len(x)))]
        noisy = rebuilding.spoilt(x[some], rebuilding.noise(sigma), picture)
        rows = {"original": x[some], f"noise {sigma:.2f}": noisy, "rebuilt": rebuilding.rebuilt(net, noisy)}
        return told(lambda: show.rebuilt(rows, size=84))

    return Explorer(draw, controls)


def codes(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Explorer:
    """Walk through the plane of codes of an autoencoder whose code has two numbers, and see what each place decodes to.

    Parameters
    ----------
    x : float in [0, 1], (N, C, H, W): pictures whose codes are drawn
    y : labels (N,)
    """
    import ipywidgets

    with torch.no_grad():
        z = net.encoder(x)
    if z.ndim != 2 or z.shape[1] != 2:
        raise ValueError(f"a code of two numbers is wanted; this network's have the shape {tuple(z.shape)}.")
    low, high = limits(z)
    middle = z.median(0).values
    controls = {
        name: ipywidgets.FloatSlider(
            value=float(middle[i]),
            min=float(low[i]),
            max=float(high[i]),
            step=float(high[i] - low[i]) / 50,
            description=name,
        )
        for i, name in enumerate(("first", "second"))
    }

    def draw(first: float, second: float) -> Picture | str:
        return told(lambda: show.codes(net.decoder, z, y, (first, second)))

    return Explorer(draw, controls)
