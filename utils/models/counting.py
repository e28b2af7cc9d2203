"""How large a network is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def count(model: nn.Module, trainable: bool = False) -> int:
    """The number of parameters of `model`, or only of those that learn. Buffers (running means and such) are none."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)


def summary(model: nn.Module, in_shape: Sequence[int] = (1, 28, 28), batch: int = 1):
    """torchinfo's table of a network: for each layer the output shape, the parameters and the products it computes.

    Parameters
    ----------
    in_shape : (C, H, W) of one picture
    batch : pictures in a batch
    """
    import torchinfo

    was_training = model.training
    try:
        return torchinfo.summary(
            model,
            input_size=(batch, *in_shape),
            col_names=("output_size", "num_params", "mult_adds"),
            device=next((p.device for p in model.parameters()), "cpu"),
            verbose=0,
        )
    finally:
        model.train(was_training)


def multiply_adds(model: nn.Module, in_shape: Sequence[int] = (3, 32, 32)) -> int:
    """How many numbers `model` multiplies and adds for one picture: those of convolutions and matrix products.

    Half of what torch's FlopCounterMode finds, which counts a multiplication and an addition as two. A model on torch's
    device "meta" is counted without computing anything.

    Parameters
    ----------
    in_shape : (C, H, W) of the picture
    """
    from torch.utils.flop_counter import FlopCounterMode

    device = next((p.device for p in model.parameters()), "cpu")
    was_training, fast = model.training, torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # attention's quick way is not counted
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model.eval()(torch.zeros(1, *in_shape, device=device))
    finally:
        model.train(was_training)
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops() // 2
