"""Four-bit weights, unpacked: into floats, into bytes, and single columns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nlp.fourbits import BLOCK, columns, row_scales, turned, unpacked, whole_numbers

ROWS, BLOCKS = 5, 3

levels_ = arrays.arrays(np.uint8, (ROWS, BLOCKS, BLOCK // 2))
scales_ = arrays.arrays(
    np.float16, (ROWS, BLOCKS), elements=st.floats(-2, 2, width=16, allow_subnormal=False)
)


def test_the_first_half_of_a_block_lies_in_the_low_halves() -> None:
    levels = np.zeros((1, 2, BLOCK // 2), dtype=np.uint8)
    levels[0, 1, 0] = 10 + (15 << 4)
    weights = unpacked(levels, np.array([[0.5, 0.25]], dtype=np.float16))
    assert weights.shape == (1, 2 * BLOCK)
    assert (weights[0, :BLOCK] == -4).all()
    assert weights[0, BLOCK] == 0.5
    assert weights[0, BLOCK + BLOCK // 2] == 1.75


@given(levels=levels_, scales=scales_)
def test_bytes_stand_for_the_weights(levels: np.ndarray, scales: np.ndarray) -> None:
    weights = unpacked(levels, scales)
    levels, scales = turned(levels, scales)
    whole, rows = whole_numbers(levels, scales), row_scales(scales)
    assert whole.shape == weights.T.shape
    # Pairs of products have to fit into sixteen bits: 2 * 255 * 63 does.
    assert np.abs(whole.astype(int)).max() <= 63
    # Half a step of rounding, and as much for the scale that was rounded before.
    assert (np.abs(whole * rows - weights.T) <= 0.53 * rows).all()


@given(levels=levels_, scales=scales_, which=st.lists(st.integers(0, BLOCKS * BLOCK - 1)))
def test_single_columns_are_those_of_the_whole(
    levels: np.ndarray, scales: np.ndarray, which: list[int]
) -> None:
    chosen = np.array(which, dtype=np.int64)
    found = columns(*turned(levels, scales), chosen)
    np.testing.assert_array_equal(found, unpacked(levels, scales).T[chosen])
