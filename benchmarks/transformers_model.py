"""A stand-in as transformers computes it, beside the same model here."""

from __future__ import annotations

from typing import List

import torch
from fairseq.data.data_utils import collate_tokens

from fairseq_instr.generation.translator import Translator

LONGEST = 20
"""Tokens of an output."""


class TheirModel:
    """A model of transformers that reads and writes fairseq's ids.

    Args:
        model: of transformers.
        order: LongTensor, its id of each of fairseq's.
        translator: the same model here; its prompts say the language tokens.
        source: code of the source language.
    """

    def __init__(self, model, order: torch.Tensor, translator: Translator, source: str):
        self.model, self.order, self.translator = model, order, translator
        self.eos = translator.task.target_dictionary.eos()
        self.prompt = translator.task.prompt.render((), source)
        self.pad = model.config.pad_token_id

    def _inputs(self, sources):
        sources = collate_tokens([self.order[line] for line in sources], self.pad)
        return {"input_ids": sources, "attention_mask": sources.ne(self.pad)}

    def _decoder_input(self, targets):
        rows = [self.order[line] for line in targets]
        if self.prompt.start is None:
            for row in rows:
                row[0] = self.model.config.decoder_start_token_id
        return collate_tokens(rows, self.pad)

    def scores(self, sources, targets) -> torch.Tensor:
        """Logits of fairseq's vocabulary, without padding, `(tokens, vocabulary)`."""
        with torch.no_grad():
            logits = self.model(
                **self._inputs(sources), decoder_input_ids=self._decoder_input(targets)
            ).logits
        return unpadded(logits[..., self.order], targets)

    def translate(self, lines, beam: int) -> List[str]:
        """Outputs; an empty one where it does not end."""
        eos = torch.tensor([self.eos])
        translator = self.translator
        sources = [
            self.prompt.around(torch.tensor([*translator._encode(line), self.eos]))
            for line in lines
        ]
        start = self._decoder_input([self.prompt.previous(eos)] * len(lines))
        found = self.model.generate(
            **self._inputs(sources), decoder_input_ids=start, num_beams=beam, do_sample=False,
            max_new_tokens=LONGEST, early_stopping=True, decoder_start_token_id=int(start[0, 0]),
        )  # fmt: skip
        back = torch.zeros(int(self.order.max()) + 1, dtype=torch.long)
        back[self.order] = torch.arange(len(self.order))
        texts = []
        for row in back[found[:, start.size(1) :]].tolist():
            ended = row[: row.index(self.eos)] if self.eos in row else []
            texts.append(translator._text(torch.tensor(ended)))
        return texts


def scores(model, sources, targets) -> torch.Tensor:
    """Logits of a fairseq model, without padding, `(tokens, vocabulary)`."""
    pad, eos = model.decoder.padding_idx, model.decoder.dictionary.eos()
    lengths = torch.tensor([len(line) for line in sources])
    tokens = collate_tokens(sources, pad, eos, left_pad=True)
    with torch.no_grad():
        logits = model(tokens, lengths, collate_tokens(targets, pad, eos))[0]
    return unpadded(logits, targets)


def unpadded(logits: torch.Tensor, targets) -> torch.Tensor:
    """Rows of `(batch, length, vocabulary)` that belong to tokens."""
    return torch.cat([row[: len(line)] for row, line in zip(logits, targets)])
