"""Which phrase says an instruction: drawn anew for each sample in each epoch.

With word dropout, words of the phrase are left out at random as long as the others still mean the
instruction to a user who asks by them: the model can't lean on one word of a phrase it knows by
heart, and obeys other phrases that share some of its words.

What is drawn depends on the instruction besides what `draws` says. A conflict says the
instructions that it shares with its sample in the same words.
"""

from __future__ import annotations

import itertools
from typing import Dict, Optional, Sequence, Tuple

from fairseq_instr.data.draws import numbers_at
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.phrasing import MAX_PHRASE_WORDS, PhrasedInventory, words_of


class PhraseSampler:
    """Draws phrases, those held out excepted.

    Args:
        dropout: probability that a word of a phrase is left out, 0 to 1 (excluded).

    Raises:
        InputError: if the dropout is outside of its range.
    """

    def __init__(self, inventory: PhrasedInventory, seed: int = 1, dropout: float = 0.0):
        if not 0 <= dropout < 1:
            raise InputError(
                f"--phrase-word-dropout {dropout}: give the probability that a word of a phrase "
                "is left out, 0 (none) or more and less than 1"
            )
        self.seed, self.dropout = seed, dropout
        self._inventory = inventory
        self._phrases = [inventory.trained_phrases(i) for i in range(len(inventory))]
        self._held_out = {words_of(p) for said in inventory.held_out.values() for p in said}
        self._shortened: Dict[Tuple[int, str, Tuple[bool, ...]], str] = {}

    @classmethod
    def of(cls, cfg, inventory: Inventory) -> Optional[PhraseSampler]:
        """The sampler that the options of the task ask for; None where prompts have no phrases."""
        if not isinstance(inventory, PhrasedInventory):
            return None
        return cls(inventory, cfg.seed, cfg.phrase_word_dropout)

    def draw(self, epoch: int, place: int, requests: Sequence[Request]) -> Tuple[Request, ...]:
        """What is asked of the sample at a place of an epoch, each request with a phrase."""
        return tuple(
            Request(r.position, r.argument, self._phrase(epoch, place, r.position))
            for r in requests
        )

    def _phrase(self, epoch: int, place: int, position: int) -> str:
        numbers = numbers_at("phrasings", self.seed, epoch, place, position)
        phrases = self._phrases[position]
        phrase = phrases[int(numbers.random() * len(phrases))]
        if not self.dropout:
            return phrase
        kept = numbers.random(MAX_PHRASE_WORDS) >= self.dropout
        return self._shorten(position, phrase, kept.tolist())

    def _shorten(self, position: int, phrase: str, kept: Sequence[bool]) -> str:
        """The words of a phrase that are kept; all, where these don't mean the instruction."""
        words = words_of(phrase)
        key = (position, phrase, tuple(kept[: len(words)]))
        if key not in self._shortened:  # few phrases, each with few words
            # past the most words that a user may ask by, none is left out
            left = (*itertools.compress(words, kept), *words[len(kept) :])
            means_it = left not in self._held_out and self._means(" ".join(left), position)
            self._shortened[key] = " ".join(left) if means_it else phrase
        return self._shortened[key]

    def _means(self, phrase: str, position: int) -> bool:
        try:
            return self._inventory.find(phrase) == position
        except InputError:
            return False
