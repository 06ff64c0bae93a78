"""The mixture: exact ratio in every epoch, every sample once per pass."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.mixture import Mixture, parse_mixture
from fairseq_instr.errors import InputError

group_sizes = st.dictionaries(
    st.sampled_from(["parallel", "task", "denoise", "general"]), st.integers(1, 60), min_size=1
)
weight = st.fractions(min_value=Fraction(1, 20), max_value=20, max_denominator=20)


@st.composite
def mixtures(draw):
    sizes = draw(group_sizes)
    weights = {name: draw(weight) for name in sizes}
    epoch_samples = draw(st.none() | st.integers(1, 100))
    return Mixture(sizes, weights, draw(st.integers(0, 2**31)), epoch_samples)


def test_fractions_even_out():
    """10 samples at 2:1 are 6.67 and 3.33: over three epochs exactly 20 and 10."""
    mixture = Mixture({"a": 100, "b": 100}, parse_mixture("a:2,b:1"), epoch_samples=10)
    counts = [mixture.counts(epoch) for epoch in (1, 2, 3)]
    assert [count["a"] for count in counts] == [6, 7, 7]
    assert [count["b"] for count in counts] == [3, 3, 4]


@given(group_sizes, st.data(), st.integers(1, 30))
def test_the_ratio_is_exact(sizes, data, epochs):
    """After any number of epochs every group has its share, rounded down to whole samples."""
    weights = {name: data.draw(weight) for name in sizes}
    epoch_samples = data.draw(st.none() | st.integers(1, 100))
    mixture = Mixture(sizes, weights, 1, epoch_samples)
    scale = (
        Fraction(epoch_samples) / sum(weights.values())
        if epoch_samples
        else min(Fraction(sizes[name]) / weights[name] for name in sizes)
    )
    for name in sizes:
        drawn = sum(mixture.counts(epoch)[name] for epoch in range(1, epochs + 1))
        assert drawn == scale * weights[name] * epochs // 1


@given(mixtures(), st.integers(1, 12))
def test_draws_are_slices_of_whole_passes(mixture, epochs):
    """Also where epochs and passes don't end together, a sample is never a pass ahead."""
    for name, size in mixture.sizes.items():
        seen = np.concatenate([mixture.draw(epoch)[name] for epoch in range(1, epochs + 1)])
        times = np.bincount(seen, minlength=size)
        assert times.max() - times.min() <= 1
        for start in range(0, len(seen) - size + 1, size):
            assert sorted(seen[start : start + size].tolist()) == list(range(size))


def test_epochs_are_shuffled_and_the_seed_decides():
    weights = parse_mixture("a:1,b:1")
    mixture = Mixture({"a": 50, "b": 50}, weights, seed=1)
    first, second = mixture.draw(1), mixture.draw(2)
    assert not np.array_equal(first["a"], second["a"])
    assert not np.array_equal(first["a"], first["b"])  # groups are shuffled apart
    assert np.array_equal(first["a"], Mixture({"a": 50, "b": 50}, weights, seed=1).draw(1)["a"])
    assert not np.array_equal(first["a"], Mixture({"a": 50, "b": 50}, weights, 2).draw(1)["a"])


def test_a_group_draws_the_same_beside_others():
    alone = Mixture({"task": 30}, parse_mixture("task:1"), epoch_samples=10)
    beside = Mixture({"a": 90, "task": 30}, parse_mixture("a:2,task:1"), epoch_samples=30)
    assert np.array_equal(alone.draw(2)["task"], beside.draw(2)["task"])


def test_without_weights_every_epoch_holds_everything():
    mixture = Mixture({"a": 3, "b": 5, "empty": 0})
    assert mixture.counts(4) == {"a": 3, "b": 5}


@pytest.mark.parametrize(
    "text",
    ["a:0", "a:-1", "a", "a:", ":2", "a:x", "a:1/0", "a:nan", "a:inf", "a:1,a:2", "", "a:1,"],
)
def test_a_bad_mixture_is_refused(text):
    with pytest.raises(InputError, match="--mixture .*GROUP:WEIGHT with a weight above zero"):
        parse_mixture(text)


def test_weights_may_be_any_positive_numbers():
    assert parse_mixture(" parallel : 2 , task:0.5,x:1/3") == {
        "parallel": 2,
        "task": Fraction(1, 2),
        "x": Fraction(1, 3),
    }


@pytest.mark.parametrize("sizes", [{"a": 4}, {"a": 4, "b": 0}])
def test_a_weighted_group_without_data_is_refused(sizes):
    with pytest.raises(InputError, match="'b', which has no training data; groups with data: a"):
        Mixture(sizes, parse_mixture("a:1,b:1"))
