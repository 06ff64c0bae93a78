"""The samples that an epoch draws, or a part of an epoch too large to be held as a whole."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from fairseq_instr.data.corpora import Corpus

_LONGEST_KEY = np.iinfo(np.uint16).max


class Lengths(NamedTuple):
    """What batches are made by: an array entry a sample.

    Attributes:
        src_sizes: int32, tokens of the source, its prompt included.
        tgt_sizes: int32, those of the target; 0 without targets.
        may_conflict: bool, whether a conflict can be drawn.
    """

    src_sizes: np.ndarray
    tgt_sizes: np.ndarray
    may_conflict: np.ndarray


Measured = Tuple[ArrayLike, ArrayLike, ArrayLike]
"""The entries of `Lengths`; a number stands for as many."""


class EpochPart:
    """Samples by their places in the epoch, `first` to `first + len(self)`.

    Args:
        first: place of its first sample.
        groups: corpora of each group.
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
        """Note the samples of one group, whose first corpus has a number."""
        here = slice(places.start, places.stop)
        if len(corpora) == 1:  # nothing to look for
            self.corpus_of[here], self.index_in[here] = number, drawn
            self._runs.append((corpora[0], here))
            return
        firsts = np.cumsum([0, *map(len, corpora)])
        if self._ascending:  # each corpus has its samples together
            bounds = np.searchsorted(drawn, firsts)
            for n, (start, stop) in enumerate(zip(bounds, bounds[1:])):
                here = slice(places.start + start, places.start + stop)
                self.corpus_of[here] = number + n
                np.subtract(drawn[start:stop], firsts[n], out=self.index_in[here])
                self._runs.append((corpora[n], here))
            return
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

    def mixed(self) -> np.ndarray:
        """Offsets into the part, 0 to n - 1, its groups mixed evenly.

        Which samples there are is random already, so that strides will do for their order: each
        goes through all of the part in about the square root of n steps.
        """
        n = len(self)
        step = math.isqrt(n) + 1
        return np.concatenate([np.arange(start, n, step) for start in range(step)])

    def by_length(self, order: np.ndarray) -> np.ndarray:
        """Sort by source length, then by target length; equals stay in the given order.

        Args:
            order: int64 array of offsets into the part, 0 to n - 1.
        """
        for sizes in (self.lengths.tgt_sizes, self.lengths.src_sizes):
            # numpy sorts 16 bits by radix, in linear time
            keys = np.minimum(sizes, _LONGEST_KEY).astype(np.uint16)
            order = order[np.argsort(keys[order], kind="stable")]
        return order

    def by_rough_length(self, order: np.ndarray) -> np.ndarray:
        """As `by_length` in one pass, for batches of little padding.

        Long sentences are told apart by 8 tokens only. Targets get shorter under every second
        source length, so that a batch with two of these has less padding.

        Args:
            order: int64 array of offsets into the part, 0 to n - 1.
        """
        source, target = map(_in_8_bits, self.lengths[:2])
        target ^= np.uint16(0xFF) * (source & np.uint16(1))
        keys = source << np.uint16(8) | target
        return order[np.argsort(keys[order], kind="stable")]


def _in_8_bits(sizes: np.ndarray) -> np.ndarray:
    """Lengths as they are up to 128, in steps of 8 up to 1,144, equal above: uint16, 0 to 255."""
    return np.minimum(np.minimum(sizes, 128 + (sizes - 128 >> 3)), 255).astype(np.uint16)


def sort_ascending(drawn: np.ndarray) -> np.ndarray:
    """Sort int64 numbers above zero; in 32 bits where they fit, which takes half the time."""
    small = len(drawn) and drawn.max() <= np.iinfo(np.int32).max
    return np.sort(drawn.astype(np.int32) if small else drawn)
