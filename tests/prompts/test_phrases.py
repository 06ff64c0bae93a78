"""Where the words of phrases stand, and that they can be read again."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.instructions import Instruction
from fairseq_instr.instructions.asking import Asked, argument_of, phrase_of
from fairseq_instr.instructions.phrasing import PhrasedInventory
from fairseq_instr.prompts import PLACEMENTS, PhrasePrompt, TokenPrompt, appended_tokens_prompt

INVENTORY = PhrasedInventory(
    [
        Instruction("formal", "formality", ("use a formal tone", "formal")),
        Instruction("informal", "formality", ("use an informal tone",)),
        Instruction("begin-with", "opening", ("begin with this",), argument="text"),
        Instruction("bold", "emphasis"),
    ]
)
# words: use a formal tone an informal begin with this bold
USE, A, FORMAL, TONE, AN, INFORMAL, BEGIN, WITH, THIS, BOLD = range(102, 112)
END, EDGE = 100, 101
SOURCE = torch.tensor([10, 11, 2])  # two words and eos


@pytest.mark.parametrize(
    "placement, rendered",
    [
        ("source-prefix", [USE, A, FORMAL, TONE, END, BOLD, END, 10, 11, 2]),
        ("source-suffix", [10, 11, USE, A, FORMAL, TONE, END, BOLD, END, 2]),
        ("decoder-prefix", [10, 11, 2]),
    ],
)
def test_placements(placement, rendered):
    prompt = PhrasePrompt(INVENTORY, 100, placement)
    assert prompt.render_source(SOURCE, (0, 3)).tolist() == rendered
    assert prompt.ids((0, 3)).tolist() == [USE, A, FORMAL, TONE, END, BOLD, END]
    assert prompt.in_front().render_source(SOURCE, (3,)).tolist() == [BOLD, END, 10, 11, 2]
    assert prompt.render_source(SOURCE, ()) is SOURCE


def test_the_phrase_that_was_asked_for_is_the_one_that_is_spelled():
    prompt = PhrasePrompt(INVENTORY, 100)
    assert prompt.ids((Asked(0, phrase="A formal tone"),)).tolist() == [A, FORMAL, TONE, END]


def test_an_argument_stands_inside_its_phrase():
    prompt = PhrasePrompt(INVENTORY, 100, spell=lambda text: [ord(c) for c in text])
    assert prompt.ids((Asked(2, "ab"), 3)).tolist() == [
        *(BEGIN, WITH, THIS, EDGE, 97, 98, EDGE, END),
        *(BOLD, END),
    ]


def test_the_inventory_says_which_prompt_it_takes():
    assert isinstance(appended_tokens_prompt(INVENTORY, 100, PLACEMENTS[0]), PhrasePrompt)
    plain = appended_tokens_prompt(INVENTORY.__class__.__base__(INVENTORY), 100, PLACEMENTS[0])
    assert type(plain) is TokenPrompt


PHRASES = {
    0: ("use a formal tone", "formal", "a formal tone", "formal formal"),
    1: ("use an informal tone", "an informal"),
    3: ("bold",),
}
asked_for = st.fixed_dictionaries(
    {},
    optional={
        0: st.sampled_from(PHRASES[0]),
        2: st.lists(st.integers(4, 99), max_size=4).map(tuple),
        3: st.none(),
    },
)


def positions_of(asked):
    return [
        Asked(position, what) if position == 2 else Asked(position, phrase=what)
        for position, what in sorted(asked.items())
    ]


@given(
    source=st.lists(st.integers(4, 99), max_size=5),
    asked=asked_for,
    placement=st.sampled_from(["source-prefix", "source-suffix"]),
)
def test_what_is_rendered_can_be_read(source, asked, placement):
    source = torch.tensor([*source, 2])
    prompt, positions = PhrasePrompt(INVENTORY, 100, placement), positions_of(asked)
    rendered = prompt.render_source(source, positions)
    read_source, read = prompt.read(rendered)
    assert read_source.tolist() == source.tolist()
    assert list(read) == positions
    assert list(map(argument_of, read)) == list(map(argument_of, positions))
    spelled = [phrase_of(position) or INVENTORY.phrases(position)[0] for position in positions]
    assert list(map(phrase_of, read)) == spelled
    assert prompt.render_source(source, read).tolist() == rendered.tolist()


@given(asked=asked_for, placement=st.sampled_from(PLACEMENTS))
def test_lengths_are_bounds_of_what_is_rendered(asked, placement):
    prompt, positions = PhrasePrompt(INVENTORY, 100, placement), positions_of(asked)
    # as a corpus counts: an argument is its tokens and one more; a phrase asked for, its words
    n = len(positions)
    n += sum(1 + len(argument_of(p)) for p in positions if argument_of(p) is not None)
    n += sum(len((phrase_of(p) or "").split()) for p in positions)
    bound = prompt.n_source(n) + prompt.n_target(n)
    assert len(prompt.ids(positions)) <= bound
    assert (prompt.n_source(n) > 0) == (bool(positions) and not prompt.on_decoder)
    several = np.array([0, n])
    assert (prompt.n_source(several) + prompt.n_target(several)).tolist() == [0, bound]


def test_the_bound_is_the_longest_phrase_of_each_axis():
    """Phrases of 4, 3 (and 2 edges) and 1 words on three axes, an end each."""
    prompt = PhrasePrompt(INVENTORY, 100)
    assert [prompt.n_source(n) for n in range(4)] == [0, 1 + 4, 2 + 4 + 4, 3 + 4 + 4 + 1]
    # 1 for the instruction, 1 and 2 for its argument, and room for all axes
    assert prompt.n_source(4) == 4 + 9 >= len(prompt.ids((Asked(2, (7, 8)),)))
