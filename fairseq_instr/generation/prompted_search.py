"""Decoding batches of lines under their prompts, by whichever generator fairseq was given."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Sequence, Tuple

import torch
from fairseq.sequence_scorer import SequenceScorer
from torch import Tensor

from fairseq_instr.generation.alignment import HIDDEN, SourceAlignmentGenerator, prompt_mask
from fairseq_instr.generation.conditions import Line
from fairseq_instr.generation.guidance import GuidedEnsemble, decode_in_groups
from fairseq_instr.generation.typed_lines import TypedLine
from fairseq_instr.prompts import Prompt

Decode = Callable[[dict, Optional[Tensor], Optional[Tensor]], List[List[dict]]]
"""`(batch, prefix tokens, constraints) -> hypotheses of each row`."""


class PromptedSearch:
    """Gives each generator what it needs beside the sources that `prompt` rendered."""

    def __init__(self, prompt: Prompt, pad: int):
        self.prompt, self.pad = prompt, pad
        self._typed: Dict[Tuple[int, ...], TypedLine] = {}

    def remember(self, lines: Sequence[TypedLine]) -> None:
        """Know typed lines by their tokens, which are all that fairseq-interactive hands on."""
        self._typed = {self._key(line.rendered): line for line in lines}

    def _key(self, row: Tensor) -> Tuple[int, ...]:
        """Tokens of a row without padding, which a user may have typed as well."""
        return tuple(row[row != self.pad].tolist())

    def run(
        self,
        generator,
        decode: Decode,
        sample: dict,
        prefix_tokens: Optional[Tensor] = None,
        constraints: Optional[Tensor] = None,
    ) -> List[List[dict]]:
        """Hypotheses of each row; a blank line has a blank one, with log-probability 0.

        Args:
            generator: that fairseq built.
            decode: what fairseq's own task does with the generator.
            sample: a batch of a corpus, of typed lines, or of fairseq-interactive.
            prefix_tokens: beginnings of the outputs, LongTensor `(batch, n)`.
            constraints: words of the outputs, as fairseq packs them.
        """
        if isinstance(generator, SequenceScorer):
            if self.prompt.on_decoder:
                prompts = [self.prompt.render(asked).decoder for asked in sample["requests"]]
                sample = {**sample, "start_indices": list(map(len, prompts))}
            return decode(sample, prefix_tokens, constraints)
        lines = self._lines(sample)
        if isinstance(generator.model, GuidedEnsemble):
            found = decode_in_groups(generator, lines, decode, sample, prefix_tokens, constraints)
        else:
            if isinstance(generator, SourceAlignmentGenerator):
                source = sample["net_input"]["src_tokens"]
                sample = {**sample, HIDDEN: prompt_mask(source, lines, self.prompt, self.pad)}
            found = decode(sample, prefix_tokens, constraints)
        return [
            [blank(line.source[-1:])] if len(line.source) == 1 else hypotheses
            for hypotheses, line in zip(found, lines)
        ]

    def _lines(self, sample: dict) -> List[Line]:
        """The lines of a batch, a line a row."""
        if "requests" in sample:
            # the pair of each corpus says what its sources are in
            origins = sample.get("origins") or [((None, None), 0)] * len(sample["requests"])
            return [
                Line(torch.from_numpy(source), requests, pair[0])
                for source, requests, (pair, _) in zip(
                    sample["sources"], sample["requests"], origins
                )
            ]
        rows = sample["net_input"]["src_tokens"].cpu()
        return [self._typed.get(self._key(row)) or Line(row[row != self.pad]) for row in rows]


def blank(eos: Tensor) -> dict:
    """The hypothesis of no words: LongTensor `(1,)` -> one of fairseq's hypotheses."""
    nothing = torch.empty(0)
    return {
        "tokens": eos,
        "score": torch.zeros(()),
        "positional_scores": torch.zeros(1),
        "attention": nothing,
        "alignment": nothing,
    }
