"""Where the symbols of the instructions stand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.instructions.asking import Asked, argument_of
from fairseq_instr.prompts import PLACEMENTS, TokenPrompt

SOURCE = torch.tensor([10, 11, 2])  # two words and eos


@pytest.mark.parametrize(
    "placement, rendered",
    [
        ("source-prefix", [101, 103, 10, 11, 2]),
        ("source-suffix", [10, 11, 101, 103, 2]),
        ("decoder-prefix", [10, 11, 2]),
    ],
)
def test_placements(placement, rendered):
    prompt = TokenPrompt(100, placement)
    assert prompt.render_source(SOURCE, (1, 3)).tolist() == rendered
    assert prompt.ids((1, 3)).tolist() == [101, 103]
    assert prompt.on_decoder == (placement == "decoder-prefix")
    assert SOURCE.tolist() == [10, 11, 2]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_without_instructions_the_source_is_what_it_was(placement):
    assert TokenPrompt(100, placement).render_source(SOURCE, ()) is SOURCE


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("source", [SOURCE, SOURCE[2:]], ids=["words", "blank"])
def test_lengths_are_those_of_what_is_rendered(placement, source):
    prompt = TokenPrompt(100, placement)
    rendered = prompt.render_source(source, (0, 1, 2))
    assert len(rendered) == len(source) + prompt.n_source(3)
    assert rendered[-1] == 2
    assert rendered.dtype == torch.long
    assert prompt.n_source(3) + prompt.n_target(3) == 3
    several = np.array([0, 2])
    assert (prompt.n_source(several) + prompt.n_target(several)).tolist() == [0, 2]


def test_another_placement_is_refused():
    with pytest.raises(ValueError, match="'middle'; accepted: source-prefix, source-suffix"):
        TokenPrompt(100, "middle")


def test_an_argument_stands_between_its_symbol_and_the_same_again():
    prompt = TokenPrompt(100)
    asked = (1, Asked(3, (10, 11)), 4)
    assert prompt.render_source(SOURCE, asked).tolist() == [101, 103, 10, 11, 103, 104, 10, 11, 2]
    spelled = TokenPrompt(100, spell=lambda text: [ord(c) for c in text])
    assert spelled.ids((Asked(3, "ab"), 4)).tolist() == [103, 97, 98, 103, 104]
    with pytest.raises(ValueError, match="'ab' is text; give the prompt `spell`"):
        prompt.ids((Asked(3, "ab"),))


@given(
    source=st.lists(st.integers(4, 99), max_size=5),
    asked=st.dictionaries(
        st.integers(0, 20), st.none() | st.lists(st.integers(4, 99), min_size=1, max_size=4)
    ),
    placement=st.sampled_from(["source-prefix", "source-suffix"]),
)
def test_what_is_rendered_can_be_read(source, asked, placement):
    source = torch.tensor([*source, 2])
    positions = [i if a is None else Asked(i, tuple(a)) for i, a in sorted(asked.items())]
    prompt = TokenPrompt(100, placement)
    read_source, read = prompt.read(prompt.render_source(source, positions))
    assert read_source.tolist() == source.tolist()
    assert list(read) == positions
    assert list(map(argument_of, read)) == list(map(argument_of, positions))
