"""`to:LANGUAGE` in a pretrained model's own tokens."""

import pytest
import torch

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts import TokenPrompt
from fairseq_instr.prompts.language_tokens import PRESETS, STYLES
from fairseq_instr.prompts.native import NativePrompt

from .test_templates import DIRECTIONS as INVENTORY

EOS, EN, DE, FR, FIRST = 2, 10, 11, 12, 20
FORMAL = FIRST + INVENTORY.position("formal")
SOURCE = torch.tensor([5, 6, EOS])
TARGET = torch.tensor([7, 8, EOS])


def prompt(preset, placement="source-prefix"):
    style = STYLES[PRESETS[preset].style]
    symbols = [*"0123456789", *(style.format(code) for code in ("en", "de", "fr"))]
    others = TokenPrompt(FIRST, placement)
    return NativePrompt(others, PRESETS[preset], INVENTORY, symbols, EOS, "en", "de")


def rendered(preset, names, placement="source-prefix", language=None):
    requests = [Request(INVENTORY.position(name)) for name in names]
    found = prompt(preset, placement).render(requests, language)
    return found.around(SOURCE).tolist(), found.previous(TARGET).tolist()


@pytest.mark.parametrize(
    "preset, source, previous",
    [
        ("m2m", [EN, 5, 6, EOS], [EOS, FR, 7, 8]),
        ("mbart50", [EN, 5, 6, EOS], [EOS, FR, 7, 8]),
        ("mbart25", [5, 6, EOS, EN], [FR, 7, 8]),
        ("tgt", [FR, 5, 6, EOS], [EOS, 7, 8]),
        ("marian", [FR, 5, 6, EOS], [EOS, 7, 8]),
        ("tgt-for-eos", [5, 6, FR], [EOS, 7, 8]),
    ],
)
def test_each_recipe_has_its_tokens_where_it_was_trained(preset, source, previous):
    assert rendered(preset, ["to:fr"]) == (source, previous)


def test_other_instructions_stand_inside():
    assert rendered("m2m", ["formal", "to:fr"]) == ([EN, FORMAL, 5, 6, EOS], [EOS, FR, 7, 8])
    source, previous = rendered("m2m", ["formal"], placement="decoder-prefix")
    assert (source, previous) == ([EN, 5, 6, EOS], [EOS, DE, FORMAL, 7, 8])
    assert rendered("mbart25", ["formal"]) == ([FORMAL, 5, 6, EOS, EN], [DE, 7, 8])


def test_without_a_direction_it_is_the_task_s():
    assert rendered("m2m", []) == ([EN, 5, 6, EOS], [EOS, DE, 7, 8])
    assert rendered("m2m", [], language="fr") == ([FR, 5, 6, EOS], [EOS, DE, 7, 8])


def test_lengths_are_those_that_are_added():
    for preset in PRESETS:
        for placement in ("source-prefix", "decoder-prefix"):
            source, previous = rendered(preset, ["formal", "to:fr"], placement)
            made = prompt(preset, placement)
            assert len(SOURCE) + made.n_source(2) >= len(source)
            assert len(TARGET) + made.n_target(2) >= len(previous)


def test_what_a_swapped_direction_changes():
    """Where the source's own token stands in it, a conflict needs no other encoder run."""
    assert prompt("tgt").on_encoder and not prompt("tgt").on_decoder
    assert prompt("m2m").on_encoder and prompt("m2m").on_decoder
    assert not prompt("m2m", "decoder-prefix").on_encoder


def test_a_language_without_a_token_is_refused():
    with pytest.raises(InputError, match="'nl'"):
        NativePrompt(TokenPrompt(FIRST), PRESETS["m2m"], INVENTORY, ["__en__"], EOS, "en", "nl")
    with pytest.raises(InputError, match="'it'"):
        prompt("m2m").render([], "it")
