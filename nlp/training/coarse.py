"""Four-bit weights: how they are rounded, packed, and learnt with.

What lives here: one rule of rounding, by which the network learns with the weights that it
will have and the export packs them, so that nothing is lost in between. Needs the extra
``commonpulse[train]``.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nlp.fourbits import BLOCK

__all__ = ["coarse", "packed", "roughly"]


def _levels(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Give levels from -8 to 7 and scales, a row a block."""
    rows = weights.reshape(-1, BLOCK)
    high, low = rows.amax(1, keepdim=True), rows.amin(1, keepdim=True)
    # The farthest weight lies on level -8 exactly, whatever its sign.
    scales = (torch.where(high > -low, high, low) / -8).half().float()
    levels = torch.where(scales == 0, 0.0, rows / scales).round_().clamp_(-8, 7)
    return levels, scales


def coarse(weights: Tensor) -> Tensor:
    """Give weights as four bits and a scale a block can hold them; the last axis is blocked."""
    levels, scales = _levels(weights)
    return (levels * scales).reshape(weights.shape)


def packed(weights: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Pack weights of shape (rows, width).

    Returns:
        Levels and scales, as ``nlp.fourbits.unpacked`` takes them.
    """
    levels, scales = _levels(weights.float())
    codes = (levels + 8).to(torch.uint8).numpy()
    rows, blocks = weights.shape[0], weights.shape[1] // BLOCK
    both = codes[:, : BLOCK // 2] | (codes[:, BLOCK // 2 :] << 4)
    return (
        both.reshape(rows, blocks, BLOCK // 2),
        scales.numpy().astype(np.float16).reshape(rows, blocks),
    )


class _Roughly(torch.autograd.Function):
    """Rounds on the way forth and lets the gradient through as if it had not."""

    @staticmethod
    def forward(context: object, weights: Tensor) -> Tensor:
        return coarse(weights)

    @staticmethod
    def backward(context: object, *gradients: Tensor) -> Tensor:
        return gradients[0]


def roughly(weights: Tensor) -> Tensor:
    """Give the rounded weights; what is learnt goes to the fine ones behind them."""
    result: Tensor = _Roughly.apply(weights)
    return result
