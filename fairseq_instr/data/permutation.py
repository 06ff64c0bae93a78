"""An endless stream of seeded permutations, of which each epoch reads its slice.

Every item comes once before any comes twice, however the stream is cut into epochs, and any
slice can be computed without the ones before it: that is what makes a ratio exact, coverage
full and resuming simple.
"""

from __future__ import annotations

import zlib

import numpy as np


def stable_hash(name: str) -> int:
    """A number in 0..2^32-1 that is the same in every process (`hash` is not)."""
    return zlib.crc32(name.encode("utf-8"))


def stream_slice(n_items: int, start: int, count: int, key) -> np.ndarray:
    """Items at places `start` to `start + count` of the stream.

    Args:
        n_items: size of the set that is permuted.
        start: first place.
        count: number of places.
        key: ints that seed the stream; pass p is permuted by `RandomState([*key, p])`.

    Returns:
        int64 array `(count,)` of items in 0..n_items-1.

    Example: with 3 items, places 0 to 6 hold a permutation of (0, 1, 2), then another.
    """
    if count == 0:
        return np.empty(0, dtype=np.int64)
    parts = []
    stop = start + count
    for pass_number in range(start // n_items, (stop - 1) // n_items + 1):
        order = np.random.RandomState([*key, pass_number]).permutation(n_items)
        first = pass_number * n_items
        parts.append(order[max(start - first, 0) : max(stop - first, 0)])
    return np.concatenate(parts)
