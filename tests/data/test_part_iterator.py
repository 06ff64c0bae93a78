"""Epochs of several parts: every sample once, the same for any workers, shards and resumes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.epoch_part import EpochPart, Lengths
from fairseq_instr.data.part_iterator import PartBatches, PartIterator, to_count
from tests.data.conftest import iterator

MIXTURE = ["--mixture", "parallel:2,task:1"]
CONFLICTS = ["--conflict-axes", "all", "--conflict-rate", 0.5]


def epoch_of(task, dataset, epoch=1, **options):
    """The places that each batch holds."""
    batches = iterator(task, dataset, epoch, **options).next_epoch_itr()
    return [batch["id"].tolist() for batch in batches if batch]


# -- epochs -----------------------------------------------------------------------------


def test_an_epoch_is_the_same_samples_as_in_one_part(load_parts):
    task, dataset = load_parts(*MIXTURE)
    other, whole = load_parts(*MIXTURE, part_samples=1000)
    assert (dataset.n_parts, whole.n_parts, len(dataset), len(whole)) == (4, 1, 60, 60)
    assert isinstance(iterator(task, dataset), PartIterator)
    assert not isinstance(iterator(other, whole), PartIterator)
    for epoch in (1, 2, 3):
        seen = []
        for one in (dataset, whole):
            one.set_epoch(epoch)
            seen.append(Counter(one[place]["origin"] for place in range(len(one))))
        assert seen[0] == seen[1]
        places = [place for batch in epoch_of(task, dataset, epoch) for place in batch]
        assert sorted(places) == list(range(60))


def test_every_part_has_the_ratio(load_parts):
    """60 samples at 2:1 in 4 parts: 10 and 5 each."""
    _, dataset = load_parts(*MIXTURE)
    for part in map(dataset.part, range(4)):
        assert (np.sum(part.corpus_of == 0), np.sum(part.corpus_of > 0)) == (10, 5)


def test_without_a_mixture_large_data_are_seen_once_an_epoch(load_parts, monkeypatch):
    from fairseq_instr.tasks import translation_with_instructions

    monkeypatch.setattr(translation_with_instructions, "PART_SAMPLES", 16)
    task, dataset = load_parts()
    assert dataset.n_parts == 4
    epochs = [epoch_of(task, dataset, epoch) for epoch in (1, 2)]
    for epoch in epochs:
        assert sorted(place for batch in epoch for place in batch) == list(range(60))
    dataset.set_epoch(2)
    assert len({dataset[place]["origin"] for place in range(60)}) == 40  # groups share lines
    assert epochs[0] != epochs[1]


def test_batches_are_bounded_and_of_like_length(load_parts):
    task, dataset = load_parts(*MIXTURE, *CONFLICTS)
    for batch in iterator(task, dataset).next_epoch_itr():
        rows = len(batch["id"]) + len(batch.get("conflicts", {"positive": []})["positive"])
        width = max(batch["net_input"]["src_tokens"].size(1), batch["target"].size(1))
        assert rows * width <= 60 or len(batch["id"]) == 1
    unshuffled = iterator(task, dataset).next_epoch_itr(shuffle=False)
    lengths = [batch["net_input"]["src_tokens"].size(1) for batch in unshuffled]
    per_part = len(lengths) // 4
    for start in range(0, len(lengths), per_part):
        assert lengths[start : start + per_part] == sorted(lengths[start : start + per_part])


def test_samples_that_are_too_long_are_left_out(load_parts):
    task, dataset = load_parts(*MIXTURE)
    kept = [p for p in range(60) if max(dataset.size(p)) <= 7]
    batches = epoch_of(task, dataset, max_positions=(7, 7), ignore_invalid_inputs=True)
    assert 0 < len(kept) < 60
    assert sorted(place for batch in batches for place in batch) == kept


@pytest.mark.parametrize("part_samples", [16, 1000])
def test_source_and_target_that_are_too_long_together(load_parts, part_samples):
    """A decoder-only model reads both in the same positions; training would end at such a pair."""
    task, dataset = load_parts(*MIXTURE, part_samples=part_samples)
    together = sorted(sum(dataset.size(place)) for place in range(60))[30]
    task._longest_together = together
    kept = [place for place in range(60) if sum(dataset.size(place)) <= together]
    batches = epoch_of(task, dataset, max_positions=(99, 99), ignore_invalid_inputs=True)
    assert 0 < len(kept) < 60
    assert sorted(place for batch in batches for place in batch) == kept
    dataset.shuffle = False  # a line is translated, however long its reference
    assert sum(map(len, epoch_of(task, dataset, max_positions=(99, 99)))) == 60


# -- lengths ----------------------------------------------------------------------------


def part_of_lengths(sizes) -> EpochPart:
    """A part of one corpus whose sources and targets have these lengths: `(2, n)`."""
    n = len(sizes[0])
    part = EpochPart(0, {"g": [range(n)]}, {"g": np.arange(n)}, lambda _, i: None)
    part.lengths = Lengths(*np.asarray(sizes, np.int32), np.zeros(n, bool))
    return part


def test_rough_lengths_are_those_of_a_sort_up_to_64_tokens():
    """By source; by target within one, upwards and downwards in turn."""
    sizes = np.random.default_rng(1).integers(1, 65, (2, 500))
    order = part_of_lengths(sizes).by_rough_length()
    expected = sorted(zip(*sizes.tolist()), key=lambda pair: (pair[0], pair[1] * (-1) ** pair[0]))
    assert [tuple(pair) for pair in sizes[:, order].T.tolist()] == expected


def test_long_sentences_are_sorted_to_within_a_twentieth():
    sizes = np.random.default_rng(1).integers(1, 800, 3000)
    by_length = sizes[part_of_lengths([sizes, np.ones_like(sizes)]).by_rough_length()]
    assert (np.maximum.accumulate(by_length) <= by_length * 1.05 + 1).all()
    longer = [5000, 10000, 1]
    assert part_of_lengths([longer, longer]).by_rough_length().tolist()[0] == 2


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100, 4096, (1 << 18) + 1])
def test_equals_are_scattered_and_every_sample_is_there(n):
    order = part_of_lengths(np.full((2, n), 7)).by_rough_length()
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(n))
    if n >= 100:  # any tenth in a row is of all ten tenths
        tenths = order * 10 // n
        assert all(len(set(part.tolist())) == 10 for part in np.array_split(tenths, 5))


# -- the number of batches --------------------------------------------------------------


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(1, 60))
def test_the_count_is_reached_and_nothing_lost(sizes, count):
    places = np.arange(sum(sizes))
    batches = np.split(places, np.cumsum(sizes)[:-1])
    changed = to_count(batches, count)
    assert len(changed) == count
    assert np.concatenate(changed).tolist() == places.tolist()
    if len(sizes) <= count <= len(places):
        assert all(len(batch) for batch in changed)


def test_batches_are_split_evenly_and_keep_the_multiple():
    batches = to_count([np.arange(24)] * 4, 6, multiple=8)
    assert [len(batch) for batch in batches] == [8, 16, 24, 8, 16, 24]


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(0, 30))
def test_a_slice_of_the_batches_is_that_of_a_list(n_parts, per_part, n_shards, start):
    made = [[[part, place] for place in range(per_part)] for part in range(n_parts)]
    batches = PartBatches(made.__getitem__, per_part, n_parts * per_part)
    flat = [batch for part in made for batch in part]
    assert list(batches) == flat and len(batches) == len(flat)
    for shard in range(n_shards):
        expected = flat[shard::n_shards]
        expected += [[]] * (-(-len(flat) // n_shards) - len(expected))
        assert list(batches.shard(n_shards, shard)[start:]) == expected[start:]
