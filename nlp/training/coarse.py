"""Four-bit weights: how they are rounded, packed, and learnt with.

What lives here: one rule of rounding, by which the network learns with the weights that it
will have and the export packs them, so that nothing is lost in between. Needs the extra
``commonpulse[train]``.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["BLOCK", "coarse", "packed", "roughly", "unpacked"]

BLOCK = 32
"""Neighbouring weights that share a scale."""


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
        Two levels a byte, the first in the low half, each plus 8: uint8, shape
        (rows, width / BLOCK, BLOCK / 2); and scales, float16, shape (rows, width / BLOCK).
    """
    levels, scales = _levels(weights.float())
    codes = (levels + 8).to(torch.uint8).numpy()
    rows, blocks = weights.shape[0], weights.shape[1] // BLOCK
    both = codes[:, 0::2] | (codes[:, 1::2] << 4)
    return (
        both.reshape(rows, blocks, BLOCK // 2),
        scales.numpy().astype(np.float16).reshape(rows, blocks),
    )


def unpacked(levels: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Give back the weights that were packed, rounded.

    Args:
        levels: Two a byte, uint8, of any shape that holds them row by row.
        scales: float16, one for each ``BLOCK``.

    Returns:
        float32, shape (rows, width).
    """
    rows = len(levels)
    codes = levels.reshape(-1, BLOCK // 2)
    both = np.empty((len(codes), BLOCK), dtype=np.float32)
    both[:, 0::2] = codes & 15
    both[:, 1::2] = codes >> 4
    scaled = (both - 8) * scales.reshape(-1, 1).astype(np.float32)
    result: np.ndarray = scaled.reshape(rows, -1)
    return result


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
