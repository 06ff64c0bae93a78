"""An endless stream of seeded permutations, of which each epoch reads its slice.

Every item comes once before any comes twice, however the stream is cut into epochs, and any
slice can be computed without the ones before it: that is what makes a ratio exact, coverage
full and resuming simple. Of a large set, a slice costs what its own items cost: the permutation
is a cipher on the places (a Feistel network), and nothing as long as the set is ever made.
"""

from __future__ import annotations

import math

import numpy as np

SHUFFLED_IN_MEMORY = 1 << 18
"""Sets up to this size are shuffled; larger ones are permuted place by place."""

_ROUNDS = 4  # Luby & Rackoff (1988): four make a network a strong pseudorandom permutation
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)  # odd, half of their bits set
_CHUNK = 1 << 14  # places at a time: what a round works on stays in the processor's cache


def stream_slice(n_items: int, start: int, count: int, key) -> np.ndarray:
    """Items at places `start` to `start + count` of the stream: int64 `(count,)`, 0 to n_items - 1.

    Args:
        key: ints that seed the stream; pass p is permuted by `[*key, p]`.

    Example: with 3 items, places 0 to 6 hold a permutation of (0, 1, 2), then another.
    """
    if count == 0:
        return np.empty(0, dtype=np.int64)
    parts = []
    stop = start + count
    for pass_number in range(start // n_items, (stop - 1) // n_items + 1):
        first = pass_number * n_items
        places = np.arange(max(start - first, 0), min(stop - first, n_items), dtype=np.int64)
        if n_items <= SHUFFLED_IN_MEMORY:
            order = np.random.RandomState([*key, pass_number]).permutation(n_items)
            parts.append(order[places])
        else:
            parts.append(FeistelPermutation(n_items, [*key, pass_number])(places))
    return np.concatenate(parts)


class FeistelPermutation:
    """A pseudorandom permutation of 0..n-1, computed for any places without the others.

    A number x is written as (x // b, x % b) on a rectangle of a x b >= n, and either half is
    shifted in turn by a hash of the other; what falls outside 0..n-1 goes through again (Black
    and Rogaway, 2002, sections 4 and 5). The rectangle holds less than a row more than n.
    """

    def __init__(self, n: int, key):
        self.n = n
        n_rows = math.isqrt(n - 1) + 1
        self.sides = (n_rows, -(-n // n_rows))  # sizes of the left and the right half
        # half the bits are enough for a hash times a side; numpy is twice as fast on 32
        self._dtype: type = np.uint32 if n_rows < 1 << 16 else np.uint64
        bits = 4 * np.dtype(self._dtype).itemsize
        self._half_word = self._dtype(bits)
        self._multipliers = [self._dtype(m % (1 << 2 * bits)) for m in _MULTIPLIERS]
        self._keys = np.random.SeedSequence([*key]).generate_state(_ROUNDS, self._dtype)

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """Items at the places: int64 array in 0..n-1 -> int64 array of the same shape."""
        items = np.empty(len(places), dtype=np.int64)
        for start in range(0, len(places), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            items[chunk] = self._once(places[chunk])
        while True:
            outside = np.flatnonzero(items >= self.n)
            if not len(outside):
                return items
            items[outside] = self._once(items[outside])

    def _once(self, values: np.ndarray) -> np.ndarray:
        sides = tuple(map(self._dtype, self.sides))
        values = values.astype(self._dtype)
        left = values // sides[1]
        halves = [left, values - left * sides[1]]
        with np.errstate(over="ignore"):
            for number, key in enumerate(self._keys):
                side, by = sides[number % 2], halves[1 - number % 2]
                shift = self._hash(by, key)
                # the hash as a fraction of the side: no division
                shift *= side
                shift >>= self._half_word
                shift += halves[number % 2]
                # modulo the side: what is below it wraps around to a number that is larger
                halves[number % 2] = np.minimum(shift, shift - side)
        return halves[0].astype(np.int64) * self.sides[1] + halves[1]

    def _hash(self, values: np.ndarray, key) -> np.ndarray:
        hashed = values + key
        hashed *= self._multipliers[0]
        hashed ^= hashed >> self._half_word
        hashed *= self._multipliers[1]
        hashed >>= self._half_word
        return hashed
