"""Renderings of instructions around a source: how a model family is asked."""

from typing import Callable, Optional, Sequence

from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.phrasing import PhrasedInventory
from fairseq_instr.prompts.phrases import PhrasePrompt
from fairseq_instr.prompts.prompt import Prompt, Rendering
from fairseq_instr.prompts.templates import Template, TemplatePrompt
from fairseq_instr.prompts.tokens import PLACEMENTS, TokenPrompt

__all__ = [
    "PLACEMENTS",
    "PhrasePrompt",
    "Prompt",
    "Rendering",
    "Template",
    "TemplatePrompt",
    "TokenPrompt",
    "appended_tokens_prompt",
]


def appended_tokens_prompt(
    inventory: Inventory,
    first_id: int,
    placement: str,
    spell: Optional[Callable[[str], Sequence[int]]] = None,
) -> Prompt:
    """The prompt that says instructions in the symbols of their inventory.

    Args:
        inventory: whose class says how, see `Inventory.rendering`.
        first_id: dictionary id of its first symbol.
        placement: one of `PLACEMENTS`.
        spell: text of an argument -> dictionary ids.
    """
    if isinstance(inventory, PhrasedInventory):
        return PhrasePrompt(inventory, first_id, placement, spell)
    return TokenPrompt(first_id, placement, spell)
