"""Lines that come from no corpus, with their prompts, and their dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

import torch
from fairseq.data import Dictionary, LanguagePairDataset

from fairseq_instr.generation.conditions import Line
from fairseq_instr.prompts import Prompt


@dataclass(frozen=True)
class TypedLine(Line):
    """A line that comes from no corpus, with its prompt around it.

    Attributes:
        rendered: LongTensor `(n + k,)`, the encoder's input. A prompt of the decoder travels in
            front, since fairseq hands on the tokens of sources alone.
    """

    rendered: torch.Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))

    @classmethod
    def of(cls, line: Line, prompt: Prompt) -> TypedLine:
        """A line under a prompt.

        Raises:
            InputError: if the prompt can't say what is asked.
        """
        found = prompt.render(line.requests, line.language)
        in_front = found._replace(before=(*found.decoder, *found.before))
        rendered = in_front.around(line.source)
        return cls(line.source, line.requests, line.language, rendered)

    def __len__(self) -> int:
        return len(self.rendered)


class TypedLines(LanguagePairDataset):
    """A dataset of typed lines; its batches hold `requests` and `sources` as other ones do."""

    def __init__(
        self,
        lines: Sequence[TypedLine],
        source_dictionary: Dictionary,
        target_dictionary: Dictionary,
        constraints=None,
    ):
        super().__init__(
            [line.rendered for line in lines],
            [len(line) for line in lines],
            source_dictionary,
            tgt_dict=target_dictionary,
            constraints=constraints,
        )
        self.lines = lines

    def collater(self, samples, pad_to_length=None) -> dict:
        """As in the parent, with what is asked of each row and its bare source."""
        batch = super().collater(samples, pad_to_length)
        lines = [self.lines[i] for i in batch["id"].tolist()] if samples else []
        batch["requests"] = [line.requests for line in lines]
        batch["sources"] = [line.source.numpy() for line in lines]
        return batch
