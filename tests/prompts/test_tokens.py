"""Where the symbols of the instructions stand."""

import numpy as np
import pytest
import torch

from fairseq_instr.instructions.asking import Request
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
    rendering = prompt.render((Request(1), Request(3)))
    assert rendering.around(SOURCE).tolist() == rendered
    assert prompt.on_decoder == (placement == "decoder-prefix")
    assert rendering.decoder == ((101, 103) if prompt.on_decoder else ())
    assert SOURCE.tolist() == [10, 11, 2]


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("source", [SOURCE, SOURCE[2:]], ids=["words", "blank"])
def test_lengths_are_those_of_what_is_rendered(placement, source):
    prompt = TokenPrompt(100, placement)
    rendered = prompt.render(tuple(map(Request, range(3)))).around(source)
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
    asked = (Request(1), Request(3, (10, 11)), Request(4))
    assert prompt.render(asked).before == (101, 103, 10, 11, 103, 104)
    spelled = TokenPrompt(100, spell=lambda text: [ord(c) for c in text])
    assert spelled.render((Request(3, "ab"), Request(4))).before == (103, 97, 98, 103, 104)
    with pytest.raises(ValueError, match="'ab' is text; give the prompt `spell`"):
        prompt.render((Request(3, "ab"),))
