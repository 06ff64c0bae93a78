"""Formats that a source carries and its translation keeps, such as quotation marks or `<b>`.

Samples of single instructions show each of them on plain sentences only; asked for two at once, a
model that saw nothing else writes the marks of one and stops. Where a share of the sentence pairs
carry a format in source and target, every instruction is seen inside of others' marks and around
them, though no two instructions are ever asked for together.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import List, Optional

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import catalogue
from fairseq_instr.instructions.instruction import Instruction, Layer

LAYERS = (Layer.QUOTATION, Layer.BRACKETS, Layer.MARKUP, Layer.STRUCTURE)
"""Where the instructions stand whose marks are the same in every language."""


class Formats:
    """Chooses the format that a sentence pair carries.

    Args:
        share: of the pairs that carry one, 0 to 1.
        language: target language.
        seed: of the choice.

    Raises:
        InputError: if the share is not accepted.
    """

    def __init__(self, share: float, language: str, seed: int = 1):
        if not 0 <= share <= 1:
            raise InputError(
                f"--formatted {share} is not accepted; give the share of the pairs that carry a "
                "format, 0 (none) to 1"
            )
        self.share, self.seed = share, seed
        self._formats: List[Instruction] = [
            instruction
            for instruction in catalogue().values()
            if instruction.layer in LAYERS
            and instruction.source_of_data == "rule"
            and instruction.serves(language)
        ]

    def choose(self, pair_hash: int) -> Optional[Instruction]:
        """The instruction whose marks a pair carries, or None; the same for the same pair.

        Args:
            pair_hash: of its text.
        """
        if not self.share:
            return None
        digest = blake2b(f"{self.seed} {pair_hash}".encode(), digest_size=16).digest()
        if int.from_bytes(digest[:8], "little") >= self.share * 2**64:
            return None
        return self._formats[int.from_bytes(digest[8:], "little") % len(self._formats)]
