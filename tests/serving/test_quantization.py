"""Int8 weights: the arithmetic, the bound on neighbours, and how near they stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fairseq_instr.serving.quantization import quantize_rows

MATRICES = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 7)),
    elements=st.floats(-1e4, 1e4, width=32),
)


def test_opposite_neighbours_take_the_whole_range_and_equal_ones_half():
    weight, scale = quantize_rows(np.array([[1, -1], [1, 1], [0, 0], [3, 0]], np.float32))
    assert weight.tolist() == [[127, -127], [64, 64], [0, 0], [127, 0]]
    assert scale.tolist() == [127, 63.5, 1, pytest.approx(127 / 3)]


@given(MATRICES)
def test_two_products_never_leave_16_bits(matrix):
    weight, _ = quantize_rows(matrix)
    padded = np.pad(weight, ((0, 0), (0, weight.shape[1] % 2))).astype(np.int64)
    first, second = padded[:, ::2], padded[:, 1::2]
    # the input is shifted to 0..255: the extremes of the sum are where each is 0 or 255
    for low, high in ((0, 0), (0, 255), (255, 0), (255, 255)):
        total = low * first + high * second
        assert total.max(initial=0) < 2**15 and total.min(initial=0) >= -(2**15)


@given(MATRICES)
def test_values_come_back_within_half_a_step(matrix):
    weight, scale = quantize_rows(matrix)
    assert np.isfinite(scale).all() and (scale > 0).all()
    assert (np.abs(weight - matrix * scale[:, None]) <= 0.5 + 1e-4).all()


def test_the_range_of_int8_overflows_where_this_does_not():
    """Why: rows scaled to 127 lose what two large neighbours of one sign add up to."""
    matrix = np.full((1, 2), 0.7, np.float32)
    naive = np.rint(matrix * 127 / 0.7).astype(np.int64)
    own, _ = quantize_rows(matrix)
    assert 255 * naive.sum() >= 2**15 > 255 * own.astype(np.int64).sum()
