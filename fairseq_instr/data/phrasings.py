"""Which phrase says an instruction: drawn anew for each sample in each epoch.

With word dropout, words of the phrase are left out at random as long as the others still mean the
instruction to a user who asks by them: the model can't lean on one word of a phrase it knows by
heart, and obeys other phrases that share some of its words.

What is drawn depends on the seed, the epoch, the sample's place in it and the instruction alone:
it is the same for any number of workers, shards and resumes. A conflict says the instructions
that it shares with its sample in the same words.
"""

from __future__ import annotations

import itertools
from typing import Dict, Sequence, Tuple

import numpy as np

from fairseq_instr.data.conflicts import uniform
from fairseq_instr.data.permutation import stable_hash
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.inventory import MAX_INSTRUCTIONS
from fairseq_instr.instructions.phrasing import MAX_PHRASE_WORDS, PhrasedInventory, words_of

_KEY = stable_hash("phrasings")
_DROPOUT_KEY = stable_hash("word dropout of phrases")


class PhraseSampler:
    """Draws phrases, those held out excepted.

    Args:
        inventory: of the instructions, with the phrases that training leaves out.
        seed: of the draws.
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

    def draw(self, epoch: int, place: int, requests: Sequence[Request]) -> Tuple[Request, ...]:
        """What is asked of the sample at a place of an epoch, each request with a phrase.

        Args:
            epoch: epoch, from 1.
            place: the sample's place in the epoch.
            requests: what is asked of it; the arguments stay.
        """
        if not requests:
            return ()
        positions = [request.position for request in requests]
        counters = np.array([place * MAX_INSTRUCTIONS + position for position in positions])
        drawn = uniform(_KEY, self.seed, epoch, counters)
        said = [
            phrases[int(share * len(phrases))]
            for position, share in zip(positions, drawn.tolist())
            for phrases in (self._phrases[position],)
        ]
        if self.dropout:
            of_words = counters[:, None] * MAX_PHRASE_WORDS + np.arange(MAX_PHRASE_WORDS)
            kept = uniform(_DROPOUT_KEY, self.seed, epoch, of_words) >= self.dropout
            said = list(map(self._shorten, positions, said, kept.tolist()))
        return tuple(
            Request(request.position, request.argument, phrase)
            for request, phrase in zip(requests, said)
        )

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
