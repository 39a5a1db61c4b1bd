"""Four-bit weights: how they lie in a file, and the bytes into which they are unpacked.

What lives here: the two ways of unpacking. What must not: rounding (``nlp/training/coarse.py``)
and the graph that multiplies them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "MATRICES", "columns", "row_scales", "turned", "unpacked", "whole_numbers"]

MATRICES = "matrices.npz"
"""Beside ``encoder.onnx`` where the encoder's matrices are in four bits."""
BLOCK = 32
"""Neighbouring weights that share a scale."""

_FARTHEST = 8
"""Level of the farthest weight of a block, whatever its sign."""
_MOST = 63
"""Of a weight as a byte: seven of the eight bits, so that processors without VNNI do not
overflow and every machine gives the same codes."""
_SHIFT = 8


def unpacked(levels: np.ndarray, scales: np.ndarray) -> npt.NDArray[np.float32]:
    """Give weights as they were rounded.

    Args:
        levels: Two a byte, each plus 8, the first half of a block in the low halves: uint8,
            shape (rows, blocks, BLOCK / 2).
        scales: float16, shape (rows, blocks).

    Returns:
        Shape (rows, blocks * BLOCK).
    """
    level = np.concatenate([levels & 15, levels >> 4], axis=-1).astype(np.float32)
    scaled = (level - _FARTHEST) * scales[..., None].astype(np.float32)
    result: npt.NDArray[np.float32] = scaled.reshape(len(levels), -1)
    return result


def turned(levels: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give a packed matrix with its rows along the last axis, as it is multiplied.

    Returns:
        Levels of shape (blocks, BLOCK / 2, rows) and scales of shape (blocks, rows).
    """
    return np.ascontiguousarray(levels.transpose(1, 2, 0)), np.ascontiguousarray(scales.T)


def row_scales(scales: np.ndarray) -> npt.NDArray[np.float32]:
    """Give what one of ``whole_numbers`` is worth in each row, shape (rows,).

    Args:
        scales: Of ``turned``.
    """
    farthest = _FARTHEST * np.abs(scales.astype(np.float32)).max(axis=0)
    result: npt.NDArray[np.float32] = np.where(farthest == 0, 1, farthest / _MOST)
    return result.astype(np.float32)


def whole_numbers(levels: np.ndarray, scales: np.ndarray) -> npt.NDArray[np.int8]:
    """Give weights as bytes from -63 to 63, with one scale a row.

    Args:
        levels: Of ``turned``.
        scales: Of ``turned``.

    Returns:
        Shape (blocks * BLOCK, rows).
    """
    # In whole numbers throughout, which is several times as fast as floats.
    share = scales.astype(np.float32) / row_scales(scales)
    steps = np.rint(share * (1 << _SHIFT)).astype(np.int16)
    level = np.concatenate([levels & 15, levels >> 4], axis=1).astype(np.int16)
    level -= _FARTHEST
    level *= steps[:, None]
    level += 1 << (_SHIFT - 1)
    level >>= _SHIFT
    result: npt.NDArray[np.int8] = level.astype(np.int8).reshape(-1, levels.shape[-1])
    return result


def columns(levels: np.ndarray, scales: np.ndarray, which: np.ndarray) -> npt.NDArray[np.float32]:
    """Give some columns of a matrix as they were rounded, shape (columns, rows).

    Args:
        levels: Of ``turned``.
        scales: Of ``turned``.
        which: Their numbers.
    """
    block, place = which // BLOCK, which % BLOCK
    both = levels[block, place % (BLOCK // 2)]
    level = np.where((place < BLOCK // 2)[:, None], both & 15, both >> 4).astype(np.float32)
    result: npt.NDArray[np.float32] = (level - _FARTHEST) * scales[block].astype(np.float32)
    return result
