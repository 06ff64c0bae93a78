"""Instructions in words: which words there are, and what a phrase that nobody listed asks for.

A model whose prompts are phrases has an appended row for each word of its inventory's phrases. It
can be asked by a name, by a listed phrase, or by any other phrase made of these words if one
instruction is clearly the nearest.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter
from dataclasses import replace
from typing import Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request, Written
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import MAX_COMPARED, N_NEAREST, Inventory

PHRASE_END = "<instruction phrase end>"
ARGUMENT_EDGE = "<instruction argument>"
MARKS = (PHRASE_END, ARGUMENT_EDGE)
"""Symbols besides those of the words: behind each phrase, and on both sides of an argument."""
MAX_PHRASE_WORDS = 32
LEAST_SIMILARITY = 0.5
"""Cosine from which on a phrase that is not listed can mean what a listed one means."""
LEAST_LEAD = 0.2
"""What the nearest instruction must be nearer by than the second nearest.

Each listed phrase of the catalogue, asked for as if it were not listed: where its words are known,
38 % are understood, 6 % as another instruction, the rest is refused. At 0.1: 47 and 14 %.
"""


def words_of(phrase: str) -> Tuple[str, ...]:
    """Words of a phrase as they are appended: lower case, between white space.

    Example: `words_of("Use  a formal tone") == ("use", "a", "formal", "tone")`.
    """
    return tuple(phrase.lower().split())


class PhrasedInventory(Inventory):
    """An inventory whose instructions are asked for in words.

    Its symbols are those of the words, in the order in which they first appear: new instructions at
    the end add their words at the end. An instruction without phrases has its name as its one word.

    Args:
        held_out: phrases that training leaves out, by the name of their instruction.

    Attributes:
        words: all words.

    Raises:
        InputError: as the parent; if a phrase stands for two instructions, or is the name of
            another one.
    """

    rendering = "phrases"

    def __init__(
        self,
        instructions: Iterable[Instruction] = (),
        held_out: Optional[Mapping[str, Sequence[str]]] = None,
    ):
        super().__init__(instructions)
        self._said: List[Tuple[str, ...]] = []
        self._meaning: Dict[Tuple[str, ...], int] = {}
        for position, instruction in enumerate(self):
            self._said.append(self._phrases_of(position, instruction))
        self.words: Tuple[str, ...] = tuple(
            dict.fromkeys(word for phrase in self._meaning for word in phrase)
        )
        self._numbers = {word: number for number, word in enumerate(self.words)}
        self.held_out: Mapping[str, Sequence[str]] = dict(held_out or {})
        self._vectors: Dict[Tuple[str, ...], Dict[str, float]] = {}

    def _phrases_of(self, position: int, instruction: Instruction) -> Tuple[str, ...]:
        found: List[str] = []
        for phrase in filter(words_of, instruction.phrases or (instruction.name,)):
            other = self._meaning.setdefault(words_of(phrase), position)
            if phrase in self and self.position(phrase) != position:
                other = self.position(phrase)
            if other != position:
                raise InputError(
                    f"phrase {phrase!r} of instruction {instruction.name!r} also stands for "
                    f"{self[other].name!r}: with --prompt-rendering phrases each has its own, "
                    "change one of them"
                )
            if words_of(phrase) not in map(words_of, found):
                found.append(phrase)
        if not found:  # phrases of blanks alone
            self._meaning.setdefault(words_of(instruction.name), position)
        return tuple(found) or (instruction.name,)

    @property
    def symbols(self) -> Tuple[str, ...]:
        """The symbols appended to a dictionary: two marks, then one a word."""
        if not len(self):
            return ()
        return (*MARKS, *(f"<instruction word {word}>" for word in self.words))

    def phrases(self, position: int) -> Tuple[str, ...]:
        """Phrases of an instruction that have words, each once; one at least."""
        return self._said[position]

    def trained_phrases(self, position: int) -> Tuple[str, ...]:
        """Those that training draws from; the first one always."""
        left_out = self.held_out.get(self[position].name, ())
        return tuple(phrase for phrase in self.phrases(position) if phrase not in left_out)

    def numbers(self, phrase: str) -> List[int]:
        """Numbers of a phrase's words.

        Raises:
            KeyError: if a word is not among `words`; `find` tells the user.
        """
        return [self._numbers[word] for word in words_of(phrase)]

    def find(self, text: str) -> int:
        """Position of an instruction by its name, a phrase of it, or a phrase like these.

        Raises:
            InputError: if a word is unknown, or the phrase is like none or like two; names the
                nearest known ones.

        Example: with "use a formal tone" for `formal`, `find("in a formal tone, please")` fails
        by "please", and `find("a formal tone")` is the position of `formal`.
        """
        if text in self:
            return self.position(text)
        words = words_of(text)
        if words in self._meaning:
            return self._meaning[words]
        unknown = [word for word in words if word not in self._numbers]
        if unknown or not words or len(words) > MAX_PHRASE_WORDS:
            raise self._refusal(text, unknown)
        nearest = self.nearest(text)
        (best, _), (second, _) = (*nearest, (0.0, ""), (0.0, ""))[:2]
        if best < LEAST_SIMILARITY or best - second < LEAST_LEAD:
            raise self._refusal(text, [])
        return self._meaning[words_of(nearest[0][1])]

    def request(self, written: Written) -> Request:
        """As in the parent, with the phrase that a user asked by."""
        request = super().request(written)
        return request if written.name in self else replace(request, phrase=written.name)

    def nearest(self, text: str) -> List[Tuple[float, str]]:
        """The nearest phrase of each instruction that shares a word with a text, best first.

        Phrases are bags of words, weighted by how few phrases have them (Sparck Jones, 1972).

        Returns:
            [(cosine, phrase)]
        """
        if not self._vectors:
            counts = Counter(word for phrase in self._meaning for word in set(phrase))
            self._weights = {w: math.log(1 + len(self._meaning) / n) for w, n in counts.items()}
            self._vectors = {phrase: self._vector(phrase) for phrase in self._meaning}
        own = self._vector(words_of(text))
        found: List[Tuple[float, str]] = []
        for phrases in self._said:
            vectors = (self._vectors[words_of(phrase)] for phrase in phrases)
            close = [sum(own[w] * vector.get(w, 0.0) for w in own) for vector in vectors]
            found.append((max(close), phrases[close.index(max(close))]))
        return sorted((scored for scored in found if scored[0] > 0), key=lambda s: -s[0])

    def _vector(self, words: Sequence[str]) -> Dict[str, float]:
        weights = {word: self._weights[word] for word in set(words) if word in self._weights}
        length = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        return {word: weight / length for word, weight in weights.items()}

    def _refusal(self, text: str, unknown: Sequence[str]) -> InputError:
        if len(words_of(text)) > MAX_PHRASE_WORDS:
            return InputError(
                f"phrase {text!r:.80} has {len(words_of(text))} words; at most {MAX_PHRASE_WORDS}"
            )
        near = [phrase for _, phrase in self.nearest(text)[:N_NEAREST]]
        if not near:
            known = [*self.names, *(phrase for said in self._said for phrase in said)]
            near = difflib.get_close_matches(text[:MAX_COMPARED], known, N_NEAREST, cutoff=0.0)
        reason = "is near to no phrase, or to those of several instructions"
        if unknown:
            close = difflib.get_close_matches(unknown[0][:MAX_COMPARED], self.words, N_NEAREST)
            reason = f"has the word {unknown[0]!r:.40}, which is in no phrase of the inventory" + (
                f" ({', '.join(close)} are)" if close else ""
            )
        nearest = " or ".join(map(repr, near)) or "nothing, the inventory is empty"
        return InputError(
            f"unknown instruction {text!r:.200}: it {reason}; the nearest known: {nearest}"
        )

    def check_extends(self, trained: Inventory, origin: str) -> None:
        """As in the parent, and no trained word may have moved."""
        super().check_extends(trained, origin)
        own = self.symbols
        for number, symbol in enumerate(trained.symbols):
            if number >= len(own) or own[number] != symbol:
                found = own[number] if number < len(own) else "nothing"
                raise InputError(
                    f"the phrases of the inventory differ from those that {origin} was trained "
                    f"with: its symbol {number + 1} is {found}, expected {symbol}; use the trained "
                    "inventory, new words in phrases of new instructions at its end"
                )


def hold_out(inventory: PhrasedInventory, count: int, seed: int) -> Dict[str, Tuple[str, ...]]:
    """Choose phrases that training leaves out, so that they can be measured as never trained.

    The first phrase of an instruction always stays. Phrases all of whose words stay in others
    are taken first: a word whose row was never trained says nothing.

    Args:
        count: phrases of each instruction; one that has not as many gives all but its first.

    Returns:
        name -> phrases, in the inventory's order.

    Raises:
        InputError: if the count is negative, or no instruction has a second phrase.
    """
    if count < 0:
        raise InputError(f"--held-out-phrases {count}: give 0 (none) or a number above it")
    spare = any(len(inventory.phrases(position)) > 1 for position in range(len(inventory)))
    if count and not spare:
        raise InputError(
            f"--held-out-phrases {count}: no instruction of the inventory has a second phrase; "
            "add phrases, or leave the option out"
        )
    everywhere = Counter(
        word
        for position in range(len(inventory))
        for phrase in inventory.phrases(position)
        for word in set(words_of(phrase))
    )
    held_out: Dict[str, Tuple[str, ...]] = {}
    for position, instruction in enumerate(inventory):
        others = inventory.phrases(position)[1:]
        order = np.random.RandomState([seed, position]).permutation(len(others))
        chosen: List[str] = []
        for may_lose_words in (False, True):
            for phrase in (others[i] for i in order):
                words = set(words_of(phrase))
                if len(chosen) == count or phrase in chosen:
                    continue
                if may_lose_words or all(everywhere[word] > 1 for word in words):
                    chosen.append(phrase)
                    everywhere.subtract(words)
        if chosen:
            held_out[instruction.name] = tuple(p for p in others if p in chosen)
    return held_out


def untrained_words(inventory: PhrasedInventory) -> FrozenSet[str]:
    """Words that stand in held-out phrases alone."""
    trained = {
        word
        for position in range(len(inventory))
        for phrase in inventory.trained_phrases(position)
        for word in words_of(phrase)
    }
    return frozenset(inventory.words) - trained
