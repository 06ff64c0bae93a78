"""Words of phrases, what a phrase means, and which are held out of training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import compose
from fairseq_instr.instructions.phrasing import (
    MARKS,
    PhrasedInventory,
    hold_out,
    untrained_words,
    words_of,
)

FORMAL = Instruction(
    "formal", "formality", ("formal", "in a formal tone", "use a formal tone", "speak politely")
)
INFORMAL = Instruction("informal", "formality", ("in an informal tone", "use an informal tone"))
UPPER = Instruction("uppercase", "case", ("in upper case", "use capital letters", "ALL CAPS"))
PLAIN = Instruction("html-bold", "emphasis")
OPENING = Instruction("begin-with", "opening", ("begin with these words",), argument="text")
SMALL = PhrasedInventory([FORMAL, INFORMAL, UPPER, PLAIN, OPENING])
FORMAL_AT, INFORMAL_AT, UPPER_AT, PLAIN_AT, OPENING_AT = range(5)
WHOLE = PhrasedInventory([look_up("to:de"), look_up("to:fr"), *catalogue().values()])


def test_a_symbol_for_each_word_in_the_order_of_their_first_phrase():
    expected = "formal in a tone use speak politely an informal upper case capital letters all caps"
    assert SMALL.words == tuple(f"{expected} html-bold begin with these words".split())
    assert SMALL.symbols[:2] == MARKS
    assert len(SMALL.symbols) == len(set(SMALL.symbols)) == 2 + len(SMALL.words)
    assert SMALL.numbers("A formal  TONE") == [2, 0, 3]
    assert PhrasedInventory().symbols == ()


def test_new_instructions_at_the_end_move_no_word():
    grown = PhrasedInventory([*SMALL, look_up("digits")])
    grown.check_extends(SMALL, "tuned.pt")
    assert grown.symbols[: len(SMALL.symbols)] == SMALL.symbols
    with pytest.raises(InputError, match="tuned.pt was trained with: its symbol 3 is .*<.* speak>"):
        PhrasedInventory(
            [Instruction("formal", "formality", ("speak politely",)), *list(SMALL)[1:]]
        ).check_extends(SMALL, "tuned.pt")
    # a phrase of known words changes nothing
    more = Instruction("formal", "formality", (*FORMAL.phrases, "a formal tone"))
    with_more = PhrasedInventory([more, *list(SMALL)[1:]])
    with_more.check_extends(SMALL, "tuned.pt")


def test_what_was_trained_in_symbols_does_not_go_on_in_phrases():
    for own, trained in ((SMALL, Inventory(SMALL)), (Inventory(SMALL), SMALL)):
        with pytest.raises(InputError, match=f"give --prompt-rendering {trained.rendering}"):
            own.check_extends(trained, "tuned.pt")
        own.check_extends(type(trained)(), "tuned.pt")  # without instructions there is no way


@pytest.mark.parametrize(
    "text, position, phrase",
    [
        ("formal", FORMAL_AT, None),  # a name
        ("html-bold", PLAIN_AT, None),
        ("Use a  formal tone", FORMAL_AT, "Use a  formal tone"),
        ("all caps", UPPER_AT, "all caps"),
        ("a formal tone", FORMAL_AT, "a formal tone"),  # listed nowhere
        ("formal and in", None, None),
        ("in capital letters", UPPER_AT, "in capital letters"),
    ],
)
def test_what_is_asked_for(text, position, phrase):
    if position is None:
        with pytest.raises(InputError, match="the word 'and', which is in no phrase"):
            SMALL.find(text)
        return
    (asked,) = compose([text], SMALL)
    assert asked == Request(position, None, phrase)


def test_order_says_nothing_and_axes_exclude_each_other():
    one = compose(["a formal tone", "in capital letters", "begin with these words=x"], SMALL)
    other = compose(["begin with these words=x", "in capital letters", "a formal tone"], SMALL)
    assert one == other
    assert [request.position for request in one] == [FORMAL_AT, UPPER_AT, OPENING_AT]
    with pytest.raises(InputError, match="axis formality"):
        compose(["a formal tone", "use an informal tone"], SMALL)
    with pytest.raises(InputError, match="needs an argument"):
        compose(["with these words"], SMALL)


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "use a formall tone",
            r"'formall', which .* \(formal, informal, all are\); the nearest known",
        ),
        ("use tone", "near to no phrase, or to those of several .* tone' or 'use an informal tone"),
        ("uppercas", "the word 'uppercas', .* known: 'uppercase'"),
        ("use", "to those of several instructions"),
        (" ", "unknown instruction ' '"),
        ("formal " * 33, "has 33 words; at most 32"),
    ],
)
def test_what_the_model_cannot_know_is_refused_with_the_nearest_known(text, message):
    with pytest.raises(InputError, match=message) as caught:
        SMALL.find(text)
    assert "\n" not in str(caught.value)


def test_every_listed_phrase_asks_for_its_instruction():
    for position, instruction in enumerate(WHOLE):
        assert len(instruction.phrases) >= 6
        assert WHOLE.phrases(position) == instruction.phrases
        for phrase in instruction.phrases:
            assert WHOLE.find(phrase) == position


@given(words=st.lists(st.sampled_from(WHOLE.words), max_size=6))
def test_any_words_are_understood_or_refused_in_one_sentence(words):
    text = " ".join(words)
    try:
        position = WHOLE.find(text)
    except InputError as error:
        assert "\n" not in str(error) and "; the nearest known: " in str(error)
        return
    said = {word for phrase in WHOLE.phrases(position) for word in words_of(phrase)}
    assert text == WHOLE[position].name or said & set(words)


def test_a_phrase_means_one_instruction():
    for other in (
        Instruction("polite", "courtesy", ("Speak  politely",)),
        Instruction("courteous", "courtesy", ("formal",)),  # a name
    ):
        with pytest.raises(InputError, match="phrase .* also stands for 'formal'"):
            PhrasedInventory([FORMAL, other])


def test_phrases_without_words_and_twice_the_same_are_left_out():
    inventory = PhrasedInventory(
        [Instruction("a", "x", (" ", "Say it", "say  it")), Instruction("b", "y", ("",))]
    )
    assert inventory.phrases(0) == ("Say it",)
    assert inventory.phrases(1) == ("b",)
    assert inventory.words == ("say", "it", "b")


@pytest.mark.parametrize("count", [1, 2, 9])
def test_held_out_phrases_are_never_the_first_and_the_same_for_a_seed(count):
    held_out = hold_out(WHOLE, count, seed=1)
    assert held_out == hold_out(PhrasedInventory(WHOLE), count, seed=1)
    assert held_out != hold_out(WHOLE, count, seed=2) or count == 9
    inventory = PhrasedInventory(WHOLE, held_out)
    for position, instruction in enumerate(WHOLE):
        left = held_out[instruction.name]
        assert len(left) == min(count, 5)
        assert set(left).isdisjoint(inventory.trained_phrases(position))
        assert inventory.trained_phrases(position)[0] == instruction.phrases[0]
        assert {*left, *inventory.trained_phrases(position)} == set(instruction.phrases)
    assert inventory.symbols == WHOLE.symbols  # their words stay


def test_phrases_of_words_that_others_have_are_held_out_first():
    """Of FORMAL, "speak politely" has words of its own; the other two do not."""
    for seed in range(5):
        held_out = hold_out(SMALL, 1, seed)
        assert held_out["formal"][0] in FORMAL.phrases[1:3]
        assert "speak" not in untrained_words(PhrasedInventory(SMALL, held_out))
    assert "html-bold" not in hold_out(SMALL, 1, 1)  # it has its name alone
    assert {"speak", "politely"} <= untrained_words(PhrasedInventory(SMALL, hold_out(SMALL, 3, 1)))


def test_what_can_not_be_held_out():
    assert hold_out(SMALL, 0, 1) == {}
    with pytest.raises(InputError, match="--held-out-phrases -1: give 0"):
        hold_out(SMALL, -1, 1)
    with pytest.raises(InputError, match="no instruction of the inventory has a second phrase"):
        hold_out(PhrasedInventory([PLAIN]), 1, 1)
