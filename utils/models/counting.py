"""How large a network is."""

from __future__ import annotations

from collections.abc import Sequence

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
