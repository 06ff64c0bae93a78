"""Batches of an epoch too large to be ordered as a whole, made part by part.

fairseq's iterator holds all batches of an epoch in memory, which takes minutes and gigabytes at
10^8 samples; but it only ever asks them for their number, one of them, or what follows one.
So batches are made when their part of the epoch is reached. What remains is their number, which
fairseq wants to know before the first: every part is brought to the same number of batches.
That of the first part and a margin for the others is enough, and batches are split in two to
reach it; so a batch is found by division, an epoch is resumed anywhere at once, and no sample
is lost.
"""

from __future__ import annotations

import logging
import math
import operator
from typing import Any, Callable, Iterator, List, Mapping, Optional

import numpy as np
from fairseq.data import data_utils
from fairseq.data.iterators import EpochBatchIterator

from fairseq_instr.data.prompted_dataset import PromptedDataset

logger = logging.getLogger(__name__)

_PASSED_ON = """
    seed epoch num_shards shard_id num_workers skip_remainder_batch grouped_shuffling
""".split()
_LIMITS = ("max_tokens", "max_sentences", "required_batch_size_multiple")
_DEVIATIONS = 6  # of the difference of two parts: a part in 10^9 needs more batches than that


class PartBatches:
    """What fairseq does with a list of batches, without the list.

    Args:
        make: number of a part -> its batches, always `per_part` of them.
        total: batches of all parts.
        numbers: those that are held, in order; a number that is not below `total` is an empty
            batch, with which fairseq fills up the worker that gets one batch less.
    """

    def __init__(
        self,
        make: Callable[[int], List],
        per_part: int,
        total: int,
        numbers: Optional[range] = None,
    ):
        self._make = make
        self._per_part = per_part
        self._total = total
        self._numbers = range(total) if numbers is None else numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return PartBatches(self._make, self._per_part, self._total, self._numbers[index])
        number = self._numbers[index]
        if number >= self._total:
            return []
        part, place = divmod(number, self._per_part)
        return self._make(part)[place]

    def __iter__(self) -> Iterator:
        numbers = self._numbers
        while numbers and numbers[0] < self._total:
            part, first = divmod(numbers[0], self._per_part)
            places = range(first, self._per_part, numbers.step)[: len(numbers)]
            yield from map(self._make(part).__getitem__, places)
            numbers = numbers[len(places) :]
        yield from ([] for _ in numbers)

    def shard(self, n_shards: int, shard: int) -> PartBatches:
        """Every `n_shards`-th batch from number `shard` on; as many for each shard."""
        stop = math.ceil(self._total / n_shards) * n_shards
        numbers = range(shard, stop, n_shards)
        return PartBatches(self._make, self._per_part, self._total, numbers)


class PartIterator(EpochBatchIterator):
    """fairseq's iterator over a dataset whose epoch has several parts.

    Args:
        max_sizes: longest source and target, or None; longer samples are left out.
        limits: options of `PromptedDataset.batch_by_size`.
    """

    @classmethod
    def of(cls, dataset: PromptedDataset, options: Mapping[str, Any]) -> PartIterator:
        """The iterator that a task is asked for, by the names that its parent's options have."""
        return cls(
            dataset,
            options.get("max_positions"),
            {name: options[name] for name in _LIMITS if name in options},
            buffer_size=options.get("data_buffer_size", 0),
            **{name: options[name] for name in _PASSED_ON if name in options},
        )

    def __init__(self, dataset: PromptedDataset, max_sizes, limits: Mapping[str, Any], **options):
        super().__init__(dataset, dataset.collater, batch_sampler=[], **options)
        self._max_sizes, self._limits = max_sizes, limits
        self._made: tuple = (None, None)  # the part made last, and its batches
        self._per_part: tuple = (None, None)  # an epoch, and the batches of each of its parts
        self._first: tuple = (None, None)  # an epoch, and its first part's own batches

    @property
    def frozen_batches(self) -> PartBatches:
        """All batches of the epoch, as they are ordered without shuffling."""
        return self._batches(self.epoch, shuffle=False)

    def ordered_batches(self, epoch: int, fix_batches_to_gpus: bool, shuffle: bool) -> PartBatches:
        """Those of this shard; called by the parent for each epoch."""
        return self._batches(epoch, shuffle).shard(self.num_shards, self.shard_id)

    def _batches(self, epoch: int, shuffle: bool) -> PartBatches:
        self.dataset.set_epoch(epoch)
        if self._per_part[0] != epoch:
            self._per_part = (epoch, self._count())
        per_part = self._per_part[1]

        def make(part: int) -> List[np.ndarray]:
            key = (epoch, shuffle, part)
            if self._made[0] != key:
                self._made = (key, self._make(epoch, shuffle, part, per_part))
            return self._made[1]

        return PartBatches(make, per_part, per_part * self.dataset.n_parts)

    def _batches_by_size(self, epoch: int, part: int) -> List[np.ndarray]:
        self.dataset.set_epoch(epoch)
        return self.dataset.batch_by_size(self._indices(part), **self._limits)

    def _indices(self, part: int) -> np.ndarray:
        indices = self.dataset.ordered_part(part)
        longest, together = self.dataset.part(part).longest, self.dataset.longest_together
        fits = self._max_sizes is None or all(map(operator.le, longest, self._max_sizes))
        if fits and (together is None or sum(longest) <= together):
            return indices
        indices, ignored = self.dataset.filter_indices_by_size(indices, self._max_sizes)
        if ignored:
            logger.warning(
                f"{len(ignored)} samples of part {part + 1} of {self.dataset.n_parts} of the "
                f"epoch are longer than {self._max_sizes} and left out"
            )
        return indices

    def _count(self) -> int:
        """Batches that suffice for any part of the epoch.

        As many as the first part has, and a margin by how the sum of the lengths of that many
        samples varies from part to part.
        """
        epoch = self.dataset.epoch
        batches = self._batches_by_size(epoch, 0)
        self._first = (epoch, batches)
        indices, n_batches = np.concatenate([np.empty(0, np.int64), *batches]), len(batches)
        lengths = self.dataset.num_tokens_vec(indices)
        deviation = lengths.std() / max(lengths.mean(), 1) * math.sqrt(2 / max(len(indices), 1))
        margin = 2 + math.ceil(_DEVIATIONS * deviation * n_batches)
        # never more than samples: of batches of one there are as many
        count = min(n_batches + margin, len(self.dataset.part(0)) + 1)
        if self.grouped_shuffling:
            count = math.ceil(count / self.num_shards) * self.num_shards
        return count

    def _make(self, epoch: int, shuffle: bool, part: int, count: int) -> List[np.ndarray]:
        if part == 0 and self._first[0] == epoch:
            batches = self._first[1]
        else:
            batches = self._batches_by_size(epoch, part)
        if len(batches) > count:
            logger.warning(
                f"part {part + 1} of the epoch needs {len(batches)} batches where {count} were "
                "expected: the smallest are joined, some exceed --max-tokens"
            )
        batches = to_count(batches, count, self._limits.get("required_batch_size_multiple", 1))
        if shuffle:
            size = self.num_shards if self.grouped_shuffling else 1
            groups = [batches[i : i + size] for i in range(0, len(batches), size)]
            with data_utils.numpy_seed(self.seed, epoch, part, 1):
                groups = [groups[i] for i in np.random.permutation(len(groups))]
            batches = [batch for group in groups for batch in group]
        return batches


def to_count(batches: List, count: int, multiple: int = 1) -> List[np.ndarray]:
    """The same samples in a given number of batches.

    Where there were fewer, some are split in two, evenly spread, the first half a multiple if
    possible; empty ones are added where all are of one sample. Where there were more, the
    smallest neighbours are joined.

    Example: 2 batches of 4 samples in 3 are batches of 2, 2 and 4.
    """
    batches = list(map(np.asarray, batches))
    while len(batches) > count:
        pairs = [len(one) + len(next_) for one, next_ in zip(batches, batches[1:])]
        at = int(np.argmin(pairs))
        batches[at : at + 2] = [np.concatenate(batches[at : at + 2])]
    while len(batches) < count:
        divisible = [number for number, batch in enumerate(batches) if len(batch) > 1]
        if not divisible:
            return batches + [np.empty(0, np.int64)] * (count - len(batches))
        missing = min(count - len(batches), len(divisible))
        chosen = {divisible[i * len(divisible) // missing] for i in range(missing)}
        split = []
        for number, batch in enumerate(batches):
            if number in chosen:
                half = len(batch) // 2 // multiple * multiple or len(batch) // 2
                split += [batch[:half], batch[half:]]
            else:
                split.append(batch)
        batches = split
    return batches
