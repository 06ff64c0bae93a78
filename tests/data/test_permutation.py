"""The endless stream of permutations that the mixture reads from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data import permutation
from fairseq_instr.data.permutation import FeistelPermutation, stream_slice

keys = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


@pytest.mark.parametrize("in_memory", [0, 1 << 18])
@given(n_items=st.integers(1, 40), cuts=st.lists(st.integers(0, 100), max_size=6), key=keys)
def test_a_stream_is_the_same_however_it_is_cut(in_memory, n_items, cuts, key):
    """And every pass holds every item once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(permutation, "SHUFFLED_IN_MEMORY", in_memory)
        whole = stream_slice(n_items, 0, sum(cuts), key)
        ends = np.cumsum([0, *cuts])
        parts = [stream_slice(n_items, end, count, key) for end, count in zip(ends, cuts)]
    assert np.array_equal(np.concatenate([[], *parts]), whole)
    for start in range(0, len(whole) - n_items + 1, n_items):
        assert sorted(whole[start : start + n_items].tolist()) == list(range(n_items))


@pytest.mark.parametrize("in_memory", [0, 1 << 18])
def test_passes_are_shuffled_anew_and_the_key_decides(monkeypatch, in_memory):
    monkeypatch.setattr(permutation, "SHUFFLED_IN_MEMORY", in_memory)
    first, second = stream_slice(50, 0, 100, (1, 2)).reshape(2, 50)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, stream_slice(50, 0, 50, (1, 3)))


@given(st.integers(1, 3000), keys)
def test_a_large_set_is_permuted_place_by_place(n_items, key):
    """A bijection, of which any places are computed alone."""
    permuted = FeistelPermutation(n_items, key)
    whole = permuted(np.arange(n_items))
    assert sorted(whole.tolist()) == list(range(n_items))
    some = np.arange(0, n_items, 7)
    assert np.array_equal(permuted(some), whole[::7])


def test_neighbours_of_a_large_set_land_anywhere():
    """Differences of neighbours, modulo n, spread evenly: chi-square of 20 classes, 19 degrees."""
    n_items = 10**8
    items = FeistelPermutation(n_items, (1,))(np.arange(10**5))
    differences = np.diff(items) % n_items
    for values in (items, differences):
        counts = np.bincount(values * 20 // n_items, minlength=20)
        expected = len(values) / 20
        assert ((counts - expected) ** 2 / expected).sum() < 50  # p = 0.0001
