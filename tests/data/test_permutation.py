"""The endless stream of permutations that the mixture reads from."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.permutation import stable_hash, stream_slice

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


def test_the_hash_is_the_same_in_another_process():
    program = "import zlib; print(zlib.crc32('größe'.encode()))"  # what it promises to be
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE).stdout
    assert stable_hash("größe") == int(told)
    assert stable_hash("parallel") != stable_hash("task")
