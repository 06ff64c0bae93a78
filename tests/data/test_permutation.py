"""The endless stream of permutations that the mixture reads from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.permutation import FeistelPermutation, stream_slice

sizes = st.integers(1, 40)
counts = st.integers(0, 100)
keys = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


@given(sizes, st.lists(counts, max_size=6), keys)
def test_a_stream_is_the_same_however_it_is_cut(n_items, cuts, key):
    parts, start = [], 0
    for count in cuts:
        parts.append(stream_slice(n_items, start, count, key))
        start += count
    whole = stream_slice(n_items, 0, start, key)
    assert np.array_equal(np.concatenate([[], *parts]), whole)


@given(sizes, st.integers(0, 5), keys)
def test_every_pass_holds_every_item_once(n_items, which, key):
    items = stream_slice(n_items, which * n_items, n_items, key)
    assert sorted(items.tolist()) == list(range(n_items))


def test_passes_are_shuffled_anew_and_the_key_decides():
    first, second = stream_slice(50, 0, 100, (1, 2)).reshape(2, 50)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, stream_slice(50, 0, 50, (1, 2)))
    assert not np.array_equal(first, stream_slice(50, 0, 50, (1, 3)))


@given(st.integers(1, 3000), keys)
def test_a_large_set_is_permuted_place_by_place(n_items, key):
    """A bijection, of which any places are computed alone."""
    permutation = FeistelPermutation(n_items, key)
    whole = permutation(np.arange(n_items))
    assert sorted(whole.tolist()) == list(range(n_items))
    some = np.arange(0, n_items, 7)
    assert np.array_equal(permutation(some), whole[::7])


def test_a_stream_of_a_large_set_is_the_same_however_it_is_cut(monkeypatch):
    monkeypatch.setattr("fairseq_instr.data.permutation.SHUFFLED_IN_MEMORY", 10)
    whole = stream_slice(1000, 0, 3000, (1, 2))
    assert np.array_equal(np.sort(whole.reshape(3, 1000)), np.tile(np.arange(1000), (3, 1)))
    assert not np.array_equal(whole[:1000], whole[1000:2000])
    assert np.array_equal(stream_slice(1000, 950, 1100, (1, 2)), whole[950:2050])
    assert not np.array_equal(stream_slice(1000, 0, 1000, (1, 3)), whole[:1000])


def test_neighbours_of_a_large_set_land_anywhere():
    """Differences of neighbours, modulo n, spread evenly: chi-square of 20 classes, 19 degrees."""
    n_items = 10**8
    items = FeistelPermutation(n_items, (1,))(np.arange(10**5))
    differences = np.diff(items) % n_items
    for values in (items, differences):
        counts = np.bincount(values * 20 // n_items, minlength=20)
        expected = len(values) / 20
        assert ((counts - expected) ** 2 / expected).sum() < 50  # p = 0.0001
