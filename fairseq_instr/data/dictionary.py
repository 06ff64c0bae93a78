"""A dictionary with instruction symbols that no text can spell.

The symbols come after every existing entry, madeupwords included, so no old id moves. They
have ids but no text: `index` and `encode_line` never return them, whatever a user types, and
`string` leaves them out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, List, Sequence

import torch
from fairseq.data import Dictionary

from fairseq_instr.errors import InputError


def load_dictionary(data: str, language: str, appended: Sequence[str] = ()) -> Dictionary:
    """A dictionary of the data-bin, with the symbols that a pretrained model's task appended.

    Raises:
        InputError: if it is missing.
    """
    path = Path(data, f"dict.{language}.txt")
    if not path.is_file():
        raise InputError(
            f"{path} does not exist; the data-bin holds the dictionary of every language at its "
            "top, copy those of the pretrained model there"
        )
    dictionary = Dictionary.load(str(path))
    for symbol in appended:
        dictionary.add_symbol(symbol)
    return dictionary


def base_symbols(dictionary: Dictionary) -> List[str]:
    """Symbols of a dictionary without those of instructions."""
    return dictionary.symbols[: getattr(dictionary, "first_instruction", len(dictionary))]


def spellable(dictionary: Dictionary) -> List[str]:
    """Symbols that texts have: none of fairseq's own, of instructions or of languages."""
    return list(dictionary.indices)[dictionary.nspecial :]


class InstructedDictionary(Dictionary):
    """A fairseq dictionary and the symbols appended to it.

    Equal to the dictionary that it was made from (fairseq compares what can be looked up),
    so that embeddings can be shared between a side with instructions and one without.

    Attributes:
        first_instruction (int): id of the first appended symbol, the old size.
        hidden (LongTensor): ids of language tokens, which no text can spell either.
    """

    @classmethod
    def grow(
        cls, dictionary: Dictionary, symbols: Sequence[str], hidden: Iterable[int] = ()
    ) -> "InstructedDictionary":
        """A copy with symbols appended; the original is left as it is.

        Args:
            hidden: ids of language tokens.
        """
        grown = cls.__new__(cls)
        grown.__dict__.update(dictionary.__dict__)
        # not in `indices`: that is what makes them impossible to look up by text
        grown.symbols = list(dictionary.symbols) + list(symbols)
        grown.count = list(dictionary.count) + [1] * len(symbols)
        hidden = set(hidden)
        grown.indices = {
            s: number for s, number in dictionary.indices.items() if number not in hidden
        }
        grown.first_instruction = len(dictionary)
        grown.hidden = torch.tensor(sorted(hidden), dtype=torch.long)
        return grown

    def string(self, tensor, *args, **kwargs):
        """As in the parent, without the instructions and language tokens."""
        tensor = torch.as_tensor(tensor)
        if tensor.dim() == 1:
            shown = (tensor < self.first_instruction) & ~torch.isin(tensor, self.hidden.to(tensor))
            tensor = tensor[shown]
        return super().string(tensor, *args, **kwargs)
