"""Instructions as phrases in appended word tokens: natural language for encoder-decoder models.

    use a formal tone <end> begin with these words <argument> _Heu te <argument> <end> source </s>

Every word of a phrase, and every mark, is a symbol of its own: no source can spell one.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Sequence

import numpy as np

from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.phrasing import ARGUMENT_EDGE, MARKS, PHRASE_END, PhrasedInventory
from fairseq_instr.prompts.tokens import SOURCE_PREFIX, TokenPrompt


class PhrasePrompt(TokenPrompt):
    """Renders requests as the words of the phrases that ask for them; a `Prompt`.

    A request without a phrase is said by the first phrase of its instruction.

    Args:
        first_id: as for `TokenPrompt`, and so are `placement` and `spell`.
    """

    def __init__(
        self,
        inventory: PhrasedInventory,
        first_id: int,
        placement: str = SOURCE_PREFIX,
        spell: Optional[Callable[[str], Sequence[int]]] = None,
    ):
        super().__init__(first_id, placement, spell)
        self.inventory = inventory
        self._end = first_id + MARKS.index(PHRASE_END)
        self._edge = first_id + MARKS.index(ARGUMENT_EDGE)
        self._first_word = first_id + len(MARKS)
        self._added = self._most_added()

    def _ids(self, request: Request) -> List[int]:
        phrase = request.phrase or self.inventory.phrases(request.position)[0]
        words = [self._first_word + number for number in self.inventory.numbers(phrase)]
        if request.argument is None:
            return [*words, self._end]
        return [*words, self._edge, *self._spelled(request.argument), self._edge, self._end]

    def n_source(self, n_instructions):
        """See `Prompt.n_source`."""
        return self._bound(n_instructions) * (not self.on_decoder)

    def n_target(self, n_instructions):
        """See `Prompt.n_target`."""
        return self._bound(n_instructions) * self.on_decoder

    def _bound(self, n_instructions):
        # what an instruction counts as is its end, or its end and one edge of its argument
        longest = self._added[np.minimum(n_instructions, len(self._added) - 1)]
        return n_instructions + (longest if np.ndim(n_instructions) else int(longest))

    def _most_added(self) -> np.ndarray:
        """Most words of k phrases, and edges of their arguments: int64, by k from 0."""
        by_axis: Dict[str, int] = {}
        for position, instruction in enumerate(self.inventory):
            phrases = self.inventory.phrases(position)
            words = max(len(self.inventory.numbers(phrase)) for phrase in phrases)
            added = words + (instruction.argument is not None)
            by_axis[instruction.axis] = max(added, by_axis.get(instruction.axis, 0))
        # no two of one axis: the longest of each, the longest first
        return np.cumsum([0, *sorted(by_axis.values(), reverse=True)])
