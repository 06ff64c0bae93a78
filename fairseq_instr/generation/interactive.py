"""Instructions given line by line to `fairseq-interactive`, in a field before a tab."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, Tuple

from fairseq_instr.instructions.composition import compose, parse
from fairseq_instr.instructions.inventory import Inventory


class InstructionField:
    """Takes `formal, uppercase<tab>` off each line and keeps it until its source is batched.

    fairseq encodes the lines of a buffer one after the other, then asks the task for a
    dataset of them: the instructions wait in a queue in between.
    """

    def __init__(self, inventory: Inventory):
        self.inventory = inventory
        self._waiting: Deque[Tuple[int, ...]] = deque()

    def split(self, line: str) -> str:
        """Queue the instructions of a line and return its source.

        A line without a tab is a source without instructions: fairseq strips the lines that
        it reads, and with them a tab that nothing stands before.

        Raises:
            InputError: if the instructions are unknown or don't compose.
        """
        instructions, tab, source = line.partition("\t")
        if not tab:
            instructions, source = "", line
        self._waiting.append(
            compose(parse(instructions), self.inventory, origin="--instruct-field")
        )
        return source

    def take(self, count: int) -> List[Tuple[int, ...]]:
        """Instructions of the next `count` lines."""
        return [self._waiting.popleft() for _ in range(count)]

    def before(self, tokenizer):
        """A fairseq tokenizer that takes the field off and then does what `tokenizer` does."""
        return _FieldTokenizer(self, tokenizer)


class _FieldTokenizer:
    def __init__(self, field: InstructionField, tokenizer):
        self.field = field
        self.tokenizer = tokenizer

    def encode(self, line: str) -> str:
        source = self.field.split(line)
        return self.tokenizer.encode(source) if self.tokenizer else source

    def decode(self, text: str) -> str:
        return self.tokenizer.decode(text) if self.tokenizer else text
