"""Batches by rows: arithmetic, the bound, and how full they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.batching import batch_by_rows


def sizes(n_tokens, rows, *limits):
    batches = batch_by_rows(np.array(n_tokens), np.array(rows), *limits)
    return [batch.stop - batch.start for batch in batches]


def test_a_conflict_takes_the_room_of_a_sample():
    assert sizes([5] * 6, [1] * 6, 20) == [4, 2]
    assert sizes([5] * 6, [1, 2, 1, 1, 1, 1], 20) == [3, 3]


def test_larger_batches_hold_a_multiple():
    assert sizes([1] * 21, [1] * 21, 11, None, 8) == [8, 8, 5]
    assert sizes([1] * 7, [1] * 7, 3, None, 8) == [3, 3, 1]


samples = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 2)), max_size=80)


@given(samples, st.integers(40, 400), st.sampled_from([None, 1, 5]), st.sampled_from([1, 8]))
def test_all_are_in_order_and_as_many_together_as_fit(samples, max_tokens, max_sentences, multiple):
    n_tokens, rows = (np.array([s[i] for s in samples], dtype=np.int64) for i in (0, 1))

    def fits(batch):
        size = batch.stop - batch.start
        too_many = max_sentences is not None and size > max_sentences
        return not too_many and rows[batch].sum() * n_tokens[batch].max() <= max_tokens

    batches = batch_by_rows(n_tokens, rows, max_tokens, max_sentences, multiple)
    assert [i for batch in batches for i in range(len(samples))[batch]] == [*range(len(samples))]
    for batch in batches:
        size, is_last = batch.stop - batch.start, batch.stop == len(samples)
        assert size == 1 or fits(batch)
        assert size <= multiple or size % multiple == 0 or is_last
        assert multiple > 1 or is_last or not fits(slice(batch.start, batch.stop + 1))


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 1.0])
def test_batches_are_full_whatever_the_share_of_conflicts(rate):
    chooser = np.random.default_rng(1)
    n_tokens = np.sort(chooser.integers(5, 50, 20000))
    rows = 1 + (chooser.random(20000) < rate)
    batches = batch_by_rows(n_tokens, rows, 3072)
    filled = [rows[batch].sum() * n_tokens[batch].max() / 3072 for batch in batches]
    assert np.mean(filled) > 0.97
