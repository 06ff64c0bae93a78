"""Random numbers by seed, epoch and place."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.draws import four_numbers, numbers_at, stable_hash

seeds, epochs, places = st.integers(0, 2**32), st.integers(1, 1000), st.integers(0, 10**9)


@given(seed=seeds, epoch=epochs, first=places, count=st.integers(1, 20), data=st.data())
def test_the_numbers_of_a_place_are_those_it_has_among_others(seed, epoch, first, count, data):
    together = four_numbers("test", seed, epoch, first, count)
    assert together.shape == (count, 4) and (0 <= together).all() and (together < 1).all()
    n = data.draw(st.integers(0, count - 1))
    assert four_numbers("test", seed, epoch, first + n, 1)[0].tolist() == together[n].tolist()


def test_each_purpose_seed_epoch_place_and_item_has_numbers_of_its_own():
    own = ("test", 1, 2, 3, 4)
    others = [("text", 1, 2, 3, 4), *(("test", *(n + (i == k) for i, n in enumerate(own[1:])))
                                      for k in range(4))]  # fmt: skip
    drawn = [tuple(numbers_at(*arguments).random(5)) for arguments in (own, own, *others)]
    assert drawn[0] == drawn[1] and len(set(drawn)) == 6


def test_they_are_uniform():
    """Mean 1/2, variance 1/12 of 40,000 numbers; standard errors .0014 and .0004."""
    for drawn in (four_numbers("test", 1, 1, 0, 10000), numbers_at("test", 1, 1, 0).random(40000)):
        assert drawn.mean() == pytest.approx(1 / 2, abs=0.007)
        assert drawn.var() == pytest.approx(1 / 12, abs=0.002)


def test_the_hash_is_the_same_in_any_process():
    assert stable_hash("größe") == zlib.crc32("größe".encode())
