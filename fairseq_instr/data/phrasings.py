"""Which phrase says an instruction: drawn anew for each sample in each epoch.

What is drawn depends on the seed, the epoch, the sample's place in it and the instruction alone:
it is the same for any number of workers, shards and resumes. A conflict says the instructions
that it shares with its sample in the same words.
"""

from __future__ import annotations

from typing import Sequence, Tuple

import numpy as np

from fairseq_instr.data.conflicts import uniform
from fairseq_instr.data.permutation import stable_hash
from fairseq_instr.instructions.asking import Asked, argument_of
from fairseq_instr.instructions.inventory import MAX_INSTRUCTIONS
from fairseq_instr.instructions.phrasing import PhrasedInventory

_KEY = stable_hash("phrasings")


class PhraseSampler:
    """Draws phrases, those held out excepted.

    Args:
        inventory: of the instructions, with the phrases that training leaves out.
        seed: of the draws.
    """

    def __init__(self, inventory: PhrasedInventory, seed: int = 1):
        self.seed = seed
        self._phrases = [inventory.trained_phrases(i) for i in range(len(inventory))]

    def draw(self, epoch: int, place: int, instructions: Sequence[int]) -> Tuple[int, ...]:
        """The instructions of the sample at a place of an epoch, each with a phrase.

        Args:
            epoch: epoch, from 1.
            place: the sample's place in the epoch.
            instructions: positions in the inventory; their arguments stay.
        """
        if not instructions:
            return tuple(instructions)
        counters = np.array([place * MAX_INSTRUCTIONS + position for position in instructions])
        drawn = uniform(_KEY, self.seed, epoch, counters)
        return tuple(
            Asked(position, argument_of(position), phrases[int(share * len(phrases))])
            for position, share in zip(instructions, drawn.tolist())
            for phrases in (self._phrases[position],)
        )
