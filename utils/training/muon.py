"""Muon: an optimiser that gives every direction of a convolution's weights a step of the same length."""

from __future__ import annotations

import torch
from torch import nn


class Muon(torch.optim.Optimizer):
    """Steepest descent for convolutions, in the spectral norm; everything else learns by SGD with Nesterov's momentum.

    A gradient, seen as a matrix (out, in·kh·kw), has a few strong directions and many weak ones. Muon replaces it by
    the nearest matrix whose directions are all equally strong: rare features learn as fast as common ones. The weights
    keep their norm, since batch norm would undo any other, so `lr` says by which part of it they turn in a step.

    Parameters
    ----------
    model : nn.Module; kernels (4-D) get Muon, what is frozen nothing
    lr, momentum : of the kernels
    bias_lr, classifier_lr : of batch norm's and other biases, and of the last layer's matrix

    Source: Keller Jordan, Muon: an optimizer for hidden layers, 2024, and cifar10-airbench. torch.optim.Muon takes
    matrices only.
    """

    def __init__(
        self,
        model: nn.Module,
        lr: float = 0.08,
        momentum: float = 0.6,
        bias_lr: float = 1.0,
        classifier_lr: float = 0.04,
    ):
        learning = [p for p in model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in learning if p.ndim == 4], "lr": lr, "momentum": momentum, "turns": True},
            {"params": [p for p in learning if p.ndim == 1], "lr": bias_lr, "momentum": 0.85, "turns": False},
            {"params": [p for p in learning if p.ndim == 2], "lr": classifier_lr, "momentum": 0.85, "turns": False},
        ]
        super().__init__([group for group in groups if group["params"]], {})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """One step of every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if not self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
                past = self.state[p]["momentum"]
                past.mul_(group["momentum"]).add_(p.grad)
                change = p.grad.add(past, alpha=group["momentum"])  # Nesterov: look one step ahead
                if group["turns"]:
                    p.mul_(len(p) ** 0.5 / p.norm())  # all kernels together: norm 1 for each output map, on average
                    change = change.permute(0, 2, 3, 1)  # as it lies in memory; the columns' order does not matter
                    change = orthogonal(change.flatten(1)).view_as(change).permute(0, 3, 1, 2)
                p.sub_(change, alpha=group["lr"])


def orthogonal(matrix: torch.Tensor, steps: int = 3) -> torch.Tensor:
    """Nearly U Vᵀ of matrix = U S Vᵀ: its directions, each with a strength around 1 (0.7 to 1.2 after 5 steps).

    By Newton-Schulz iteration: an odd polynomial of the matrix is one of its singular values, and this one moves
    those between 0 and 1 towards 1. It needs only products of matrices, and bfloat16 is exact enough.
    """
    x = matrix.bfloat16()
    x = x / (x.norm() + 1e-7)  # no singular value above 1
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        square = x @ x.T
        even = torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315)  # 2.0315 (x xᵀ)² − 4.7750 x xᵀ
        x = torch.addmm(x, even, x, beta=3.4445)  # 3.4445 x + even x
    return (x.T if tall else x).to(matrix.dtype)
