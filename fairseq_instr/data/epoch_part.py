"""The samples that an epoch draws, or a part of an epoch too large to be held as a whole."""

from __future__ import annotations

from functools import cached_property
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from fairseq_instr.data.corpora import Corpus

_LONGEST_KEY = np.iinfo(np.uint16).max
_LEVEL_BITS = 7  # with them a part of 2^18 samples is sorted as numbers of 32 bits
_LAST_LEVEL = np.uint8((1 << _LEVEL_BITS) - 1)
_SCATTER = 0x9E3779B1  # odd, so that it has an inverse; the golden ratio's fraction of 2^32


def _levels() -> np.ndarray:
    """Lengths as they are up to 64, then in steps of about 4 %, equal above 883: uint8."""
    exact = 64
    lengths = np.arange(1024)
    above = exact + 24 * np.log(np.maximum(lengths, exact) / exact)
    return np.minimum(np.where(lengths < exact, lengths, above), _LAST_LEVEL).astype(np.uint8)


_LEVELS = _levels()


class Lengths(NamedTuple):
    """What batches are made by: an array entry a sample."""

    src_sizes: np.ndarray  # int32, tokens of the source, its prompt included
    tgt_sizes: np.ndarray  # int32, those of the target; 0 without targets
    may_conflict: np.ndarray  # bool, whether a conflict can be drawn


Measured = Tuple[ArrayLike, ArrayLike, ArrayLike]
"""The entries of `Lengths`; a number stands for as many."""


class EpochPart:
    """Samples by their places in the epoch, `first` to `first + len(self)`.

    Args:
        draws: int64 arrays of indices into each group, its corpora one after the other.
        measure: `(corpus, int64 indices in it) -> Measured` of these samples.
        ascending: whether the draws are sorted, so that files are read in their order.

    Attributes:
        corpus_of: int32 array `(n,)`, number of each sample's corpus, counted through the groups.
        index_in: int64 array `(n,)`, its index there.
    """

    def __init__(
        self,
        first: int,
        groups: Mapping[str, Sequence[Corpus]],
        draws: Dict[str, np.ndarray],
        measure: Callable[[Corpus, np.ndarray], Measured],
        ascending: bool = False,
    ):
        self.first = first
        self._ascending = ascending
        self._measure = measure
        n = sum(map(len, draws.values()))
        self.corpus_of = np.empty(n, dtype=np.int32)
        self.index_in = np.empty(n, dtype=np.int64)
        # corpora, and where their samples are: a slice, or offsets
        self._runs: List[Tuple[Corpus, Union[slice, np.ndarray]]] = []
        number = start = 0
        for group, corpora in groups.items():
            drawn = draws.get(group, ())
            stop = start + len(drawn)
            if len(drawn):
                self._place(range(start, stop), corpora, number, drawn)
            number, start = number + len(corpora), stop

    def _place(self, places: range, corpora: Sequence[Corpus], number: int, drawn) -> None:
        firsts = np.cumsum([0, *map(len, corpora)])
        if self._ascending:  # each corpus has its samples together
            bounds = np.searchsorted(drawn, firsts)
            for n, (start, stop) in enumerate(zip(bounds, bounds[1:])):
                here = slice(places.start + start, places.start + stop)
                self.corpus_of[here] = number + n
                np.subtract(drawn[start:stop], firsts[n], out=self.index_in[here])
                self._runs.append((corpora[n], here))
            return
        here = slice(places.start, places.stop)
        which = np.searchsorted(firsts, drawn, side="right") - 1
        self.corpus_of[here], self.index_in[here] = number + which, drawn - firsts[which]
        for n, corpus in enumerate(corpora):
            self._runs.append((corpus, places.start + np.flatnonzero(which == n)))

    def __len__(self) -> int:
        return len(self.index_in)

    @cached_property
    def lengths(self) -> Lengths:
        """Those of all samples."""
        n = len(self)
        lengths = Lengths(np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, bool))
        for corpus, here in self._runs:
            for array, values in zip(lengths, self._measure(corpus, self.index_in[here])):
                array[here] = values
        return lengths

    @cached_property
    def n_tokens(self) -> np.ndarray:
        """The longer of source and target of each sample: int32."""
        return np.maximum(self.lengths.src_sizes, self.lengths.tgt_sizes)

    @cached_property
    def longest(self) -> Tuple[int, int]:
        """Tokens of the longest source and of the longest target."""
        source, target, _ = self.lengths
        return int(source.max(initial=0)), int(target.max(initial=0))

    def by_length(self, order: np.ndarray) -> np.ndarray:
        """Sort by source length, then by target length; equals stay in the given order."""
        for sizes in (self.lengths.tgt_sizes, self.lengths.src_sizes):
            # numpy sorts 16 bits by radix, in linear time
            keys = np.minimum(sizes, _LONGEST_KEY).astype(np.uint16)
            order = order[np.argsort(keys[order], kind="stable")]
        return order

    def by_rough_length(self) -> np.ndarray:
        """As `by_length` in one pass, for batches of little padding: int64 offsets into the part.

        Long sentences are told apart by about 4 % of their length only. Targets get shorter
        under every second source length, so that a batch with two of these has less padding.
        A multiplication scatters equals over all samples, which are in random order already.
        """
        source, target = (_LEVELS.take(sizes, mode="clip") for sizes in self.lengths[:2])
        target ^= _LAST_LEVEL * (source & 1)
        bits = max(len(self) - 1, 1).bit_length()
        # plain numbers, key and place in one, are sorted in a third of an `argsort`'s time
        n_bits = 2 * _LEVEL_BITS + bits
        dtype: type = np.uint32 if n_bits <= 32 else np.uint64
        numbers: np.ndarray = np.arange(len(self), dtype=dtype)
        numbers *= dtype(_SCATTER)
        numbers &= dtype((1 << bits) - 1)
        numbers |= (source.astype(dtype) << dtype(_LEVEL_BITS) | target) << dtype(bits)
        numbers.sort()
        numbers *= dtype(pow(_SCATTER, -1, 1 << bits))
        numbers &= dtype((1 << bits) - 1)
        return numbers.astype(np.int64)


def sort_ascending(drawn: np.ndarray) -> np.ndarray:
    """Sort int64 numbers above zero; in 32 bits where they fit, which takes half the time."""
    small = len(drawn) and drawn.max() <= np.iinfo(np.int32).max
    return np.sort(drawn.astype(np.int32) if small else drawn)
