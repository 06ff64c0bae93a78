"""Which phrases training draws."""

import pickle
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.phrasings import PhraseSampler
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.phrasing import PhrasedInventory

PHRASES = ("use a formal tone", "formal", "politely", "in a formal tone")
INSTRUCTIONS = [
    Instruction("formal", "formality", PHRASES),
    Instruction("uppercase", "case", ("in capitals", "all caps", "in upper case")),
    Instruction("begin-with", "opening", ("begin with this", "start with this"), argument="text"),
]
INVENTORY = PhrasedInventory(INSTRUCTIONS)


def phrases(sampler, epoch, place, positions):
    """Phrases drawn for instructions by their positions."""
    drawn = sampler.draw(epoch, place, tuple(map(Request, positions)))
    assert [request.position for request in drawn] == list(positions)
    return [request.phrase for request in drawn]


def test_all_trained_phrases_are_equally_likely_and_held_out_ones_never_drawn():
    """Three of four phrases, a third each: standard error 0.0086 of 3,000 draws."""
    sampler = PhraseSampler(PhrasedInventory(INSTRUCTIONS, {"formal": ("politely",)}), seed=1)
    drawn = Counter(phrases(sampler, 1, place, (0,))[0] for place in range(3000))
    assert set(drawn) == set(PHRASES) - {"politely"}
    assert all(abs(count / 3000 - 1 / 3) < 0.035 for count in drawn.values())


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@given(seed=st.integers(0, 2**31), epoch=st.integers(1, 100), place=st.integers(0, 10**8))
def test_a_draw_depends_on_seed_epoch_and_place_alone(dropout, seed, epoch, place):
    sampler = PhraseSampler(INVENTORY, seed, dropout)
    again = pickle.loads(pickle.dumps(sampler))  # as a worker gets it
    phrases(again, epoch, place + 1, (0, 1))
    own = phrases(sampler, epoch, place, (0, 1))
    assert own == phrases(again, epoch, place, (0, 1))
    # what is shared with a conflict is said in the same words
    assert phrases(sampler, epoch, place, (1, 2))[0] == own[1]
    (asked,) = sampler.draw(epoch, place, (Request(2, (7, 8)),))
    assert asked.argument == (7, 8)


def test_epochs_and_places_differ():
    drawn = [[phrases(PhraseSampler(INVENTORY), epoch, place, (0,))[0] for place in range(30)]
             for epoch in (1, 2)]  # fmt: skip
    assert drawn[0] != drawn[1] and len(set(drawn[0])) == len(PHRASES)


def phrases_drawn(sampler, position, n_draws=3000):
    return Counter(phrases(sampler, 1, n, (position,))[0] for n in range(n_draws))


def test_words_are_left_out_where_the_others_still_mean_the_instruction():
    """`in capitals` -> `capitals`; never `in`, which stands in phrases of two instructions."""
    whole = phrases_drawn(PhraseSampler(INVENTORY, 1), 1)
    drawn = phrases_drawn(PhraseSampler(INVENTORY, 1, dropout=0.3), 1)
    assert set(whole) == set(INVENTORY.phrases(1))
    assert set(whole) < set(drawn) and "capitals" in drawn and "in" not in drawn
    for phrase in drawn:
        assert INVENTORY.find(phrase) == 1
        assert any(set(phrase.split()) <= set(listed.split()) for listed in whole)


def test_the_share_of_words_left_out():
    """`capitals` is left of `in capitals`, one draw in three, where `in` goes and it stays."""
    drawn = phrases_drawn(PhraseSampler(INVENTORY, 1, dropout=0.25), 1)
    assert drawn["capitals"] / 3000 == pytest.approx(0.25 * 0.75 / 3, abs=0.015)


def test_what_is_left_is_never_a_phrase_that_was_held_out():
    held_out = {"formal": ("formal", "in a formal tone")}
    sampler = PhraseSampler(PhrasedInventory(INSTRUCTIONS, held_out), 1, dropout=0.5)
    drawn = phrases_drawn(sampler, 0)
    assert "a formal tone" in drawn and "use formal" in drawn
    assert not {"formal", "in a formal tone"} & set(drawn)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, float("nan")])
def test_a_word_is_kept_now_and_then(dropout):
    with pytest.raises(InputError, match="--phrase-word-dropout"):
        PhraseSampler(INVENTORY, 1, dropout)
