"""Alignments of outputs with the bare source: a prompt has no links, and is not counted."""

from __future__ import annotations

from typing import Any, List, Sequence

import torch
from fairseq.sequence_generator import SequenceGeneratorWithAlignment
from torch import Tensor

from fairseq_instr.generation.conditions import Line
from fairseq_instr.prompts import Prompt

HIDDEN = "prompt_mask"


class SourceAlignmentGenerator(SequenceGeneratorWithAlignment):
    """fairseq's search with alignments, for batches whose `prompt_mask` says what is hidden."""

    extract_alignment: Any

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._extract: Any = self.extract_alignment
        self.extract_alignment = self._extract_from_source
        self._masks: List[Tensor] = []

    def _prepare_batch_for_alignment(self, sample, hypothesis):
        # alignments are extracted next, of the hypotheses of one row after the other
        masks = sample[HIDDEN].cpu()
        self._masks = [mask for mask in masks for _ in range(self.beam_size)]
        return super()._prepare_batch_for_alignment(sample, hypothesis)

    def _extract_from_source(self, attention, source, target, pad, eos):
        seen = ~self._masks.pop(0)
        return self._extract(attention[:, seen], source[seen], target, pad, eos)


def prompt_mask(src_tokens: Tensor, lines: Sequence[Line], prompt: Prompt, pad: int) -> Tensor:
    """Where the prompts of a batch stand.

    Args:
        src_tokens: LongTensor `(batch, source)`, prompts included.
        lines: of the batch, one for each row.
        prompt: renders their requests.
        pad: id of the padding.

    Returns:
        BoolTensor `(batch, source)`.
    """
    mask = torch.zeros_like(src_tokens, dtype=torch.bool)
    for row, line in enumerate(lines):
        rendering = prompt.render(line.requests, line.language)
        tokens = (src_tokens[row] != pad).nonzero().squeeze(1)
        start, stop = len(rendering.before), len(rendering.before) + len(line.source) - 1
        mask[row, tokens[:start]] = True
        behind = stop + len(rendering.behind)
        mask[row, tokens[stop : behind if rendering.end is None else None]] = True
    return mask
