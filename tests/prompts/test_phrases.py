"""Where the words of phrases stand, and how many they may be."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.instructions import Instruction
from fairseq_instr.instructions.asking import Request
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
    rendering = prompt.render((Request(0), Request(3)))
    assert rendering.around(SOURCE).tolist() == rendered
    on_decoder = (USE, A, FORMAL, TONE, END, BOLD, END) if prompt.on_decoder else ()
    assert rendering.decoder == on_decoder
    assert prompt.render(()).around(SOURCE) is SOURCE


def test_the_phrase_that_was_asked_for_is_the_one_that_is_spelled():
    prompt = PhrasePrompt(INVENTORY, 100)
    assert prompt.render((Request(0, phrase="A formal tone"),)).before == (A, FORMAL, TONE, END)


def test_an_argument_stands_inside_its_phrase():
    prompt = PhrasePrompt(INVENTORY, 100, spell=lambda text: [ord(c) for c in text])
    assert prompt.render((Request(2, "ab"), Request(3))).before == (
        *(BEGIN, WITH, THIS, EDGE, 97, 98, EDGE, END),
        *(BOLD, END),
    )


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


def requests_of(asked):
    return [
        Request(position, what) if position == 2 else Request(position, phrase=what)
        for position, what in sorted(asked.items())
    ]


@given(asked=asked_for, placement=st.sampled_from(PLACEMENTS))
def test_lengths_are_bounds_of_what_is_rendered(asked, placement):
    prompt, requests = PhrasePrompt(INVENTORY, 100, placement), requests_of(asked)
    # as a corpus counts: an argument is its tokens and one more; a phrase asked for, its words
    n = len(requests)
    n += sum(1 + len(r.argument) for r in requests if r.argument is not None)
    n += sum(len((r.phrase or "").split()) for r in requests)
    bound = prompt.n_source(n) + prompt.n_target(n)
    assert sum(map(len, prompt.render(requests)[:3])) <= bound
    assert (prompt.n_source(n) > 0) == (bool(requests) and not prompt.on_decoder)
    several = np.array([0, n])
    assert (prompt.n_source(several) + prompt.n_target(several)).tolist() == [0, bound]


def test_the_bound_is_the_longest_phrase_of_each_axis():
    """Phrases of 4, 3 (and 2 edges) and 1 words on three axes, an end each."""
    prompt = PhrasePrompt(INVENTORY, 100)
    assert [prompt.n_source(n) for n in range(4)] == [0, 1 + 4, 2 + 4 + 4, 3 + 4 + 4 + 1]
    # 1 for the instruction, 1 and 2 for its argument, and room for all axes
    assert prompt.n_source(4) == 4 + 9 >= len(prompt.render((Request(2, (7, 8)),)).before)
