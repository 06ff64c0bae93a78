"""The prompt that the options of the task ask for, and how it spells arguments."""

from __future__ import annotations

from typing import Callable, List, Optional, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.prompts import Prompt, appended_tokens_prompt
from fairseq_instr.prompts.chat_template import chat_template
from fairseq_instr.prompts.language_tokens import LanguageTokens
from fairseq_instr.prompts.native import NativePrompt
from fairseq_instr.prompts.templates import prompt_in_words


class ArgumentSpelling:
    """Text of an argument -> ids of its tokens in the dictionary of the source.

    Attributes:
        subwords: text -> pieces separated by spaces; at first an argument is in pieces already.
    """

    def __init__(self, dictionary):
        self.dictionary = dictionary
        self.subwords: Callable[[str], str] = str

    def __call__(self, text: str) -> List[int]:
        """Spell an argument; an `InputError` if the dictionary lacks one of its tokens."""
        pieces = self.subwords(text)
        ids = self.dictionary.encode_line(pieces, append_eos=False, add_if_not_exist=False).tolist()
        if self.dictionary.unk() in ids:
            raise InputError(
                f"the argument {text!r} can't be spelled with the source's dictionary: its tokens "
                f"are {pieces!r}; give --bpe with the subwords of the source, or the argument in "
                "them"
            )
        return ids


def choose_prompt(
    cfg,
    inventory: Inventory,
    dictionary,
    language_tokens: Optional[LanguageTokens],
    spell: ArgumentSpelling,
) -> Tuple[Prompt, Optional[str]]:
    """The prompt, and the chat template that renders the same in Hugging Face's tokenizers, if any.

    Args:
        cfg: options of the task.
        dictionary: of the source, grown by the inventory's symbols.
        language_tokens: of a pretrained model, or None.
        spell: spells arguments; a template gives it its subwords.

    Raises:
        InputError: if an option is wrong, or the dictionary lacks a token.
    """
    template: Optional[str] = None
    first = dictionary.first_instruction
    prompt = appended_tokens_prompt(inventory, first, cfg.prompt_placement, spell)
    if cfg.prompt_template:
        prompt, subwords = prompt_in_words(cfg, inventory, dictionary)
        template, spell.subwords = chat_template(prompt.template, inventory), subwords.encode
    if language_tokens is not None:
        pair = cfg.source_lang, cfg.target_lang
        symbols = dictionary.symbols[:first]
        prompt = NativePrompt(prompt, language_tokens, inventory, symbols, dictionary.eos(), *pair)
    return prompt, template
