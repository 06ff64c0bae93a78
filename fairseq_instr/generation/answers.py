"""Answers to whole prompts, and how likely given answers are.

A general task has no source and no instructions around it: the model reads the prompt as it
stands, as in the group `general` of a mixture.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Optional, Sequence, Tuple

import fairseq_instr.quiet_fairseq  # noqa: F401  first: before fairseq

# isort: split
import torch
import torch.nn.functional as F
from fairseq import utils
from fairseq.data import Dictionary
from fairseq.data.data_utils import collate_tokens
from fairseq.sequence_generator import SequenceGenerator
from fairseq.tasks.translation import TranslationConfig, TranslationTask
from tqdm import tqdm

from fairseq_instr.checkpoints.inspection import (
    read_checkpoint,
    refuse_oversized,
    trained_inventory,
)
from fairseq_instr.checkpoints.upgrading import load_model
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import import_task
from fairseq_instr.text.subwords import load_subwords, read_entries, text_of

MAX_UNKNOWN = 0.05
"""Largest share of unknown tokens: more are those of another dictionary."""
SCORED_TOGETHER = 256
"""Tokens whose scores over the vocabulary are in memory at once."""


class PromptReader:
    """A model that reads whole prompts.

    Args:
        path: its checkpoint.
        dictionary: its `dict.txt`.
        subwords: as for `load_subwords`.

    Raises:
        InputError: if a file can't be read, they are not of one model, or the model was trained
            with symbols for instructions.
    """

    def __init__(self, path, dictionary, subwords):
        import_task()
        state = read_checkpoint(path)
        refuse_oversized(state, path)
        read_entries(dictionary)  # refuses what fairseq would stumble over
        self._dictionary = Dictionary.load(str(dictionary))
        self._subwords = load_subwords(subwords).source
        if trained_inventory(state):
            raise InputError(
                f"checkpoint {path} was trained with symbols for instructions; general tasks are "
                "asked in words: give one that was trained with --prompt-template, or never tuned"
            )
        task = TranslationTask(TranslationConfig(), self._dictionary, self._dictionary)
        model = load_model(state, task, path).eval()
        self._model: Any = model.cuda() if torch.cuda.is_available() else model

    def answer(
        self,
        prompts: Sequence[str],
        new_tokens: int,
        batch_size: int,
        progress: Optional[str] = None,
    ) -> List[str]:
        """The greedy answer to each prompt, line breaks kept; a `progress` bar has that title.

        Raises:
            InputError: if a prompt leaves no room for an answer, or the dictionary lacks more than
                `MAX_UNKNOWN` of the tokens.
        """
        generator = SequenceGenerator(
            [self._model], self._dictionary, beam_size=1, max_len_a=0, max_len_b=new_tokens
        )
        sources = self._encode(prompts)
        self._check_room(max(map(len, sources), default=0) + new_tokens)
        answers = [""] * len(prompts)
        for rows in _batches(list(map(len, sources)), batch_size, progress):
            net_input = self._net_input([sources[row] for row in rows])
            found = generator.generate([self._model], {"net_input": net_input})
            for row, hypotheses in zip(rows, found):
                tokens = hypotheses[0]["tokens"].int()
                answers[row] = text_of(self._subwords, self._dictionary.string(tokens))
        return answers

    @torch.no_grad()
    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[str],
        batch_size: int,
        progress: Optional[str] = None,
    ) -> List[Tuple[float, int]]:
        """How unlikely each answer is after its prompt.

        Returns:
            (negative log-likelihood in nats, tokens with eos) of each answer, teacher-forced.

        Raises:
            InputError: as `answer`.
        """
        sources, targets = self._encode(prompts), self._encode(answers)
        lengths = [len(s) + len(t) for s, t in zip(sources, targets)]
        self._check_room(max(lengths, default=0))
        scores: List[Tuple[float, int]] = [(0.0, 0)] * len(prompts)
        pad, eos = self._dictionary.pad(), self._dictionary.eos()
        for rows in _batches(lengths, batch_size, progress):
            own = [targets[row] for row in rows]
            features, _ = self._model(
                **self._net_input([sources[row] for row in rows]),
                prev_output_tokens=_on_device(collate_tokens(own, pad, eos, False, True)),
                features_only=True,
            )
            for row, target, feature in zip(rows, own, features):
                nll = 0.0
                for start in range(0, len(target), SCORED_TOGETHER):
                    gold = _on_device(target[start : start + SCORED_TOGETHER])
                    logits = self._model.decoder.output_layer(feature[start : start + len(gold)])
                    nll += F.cross_entropy(logits.float(), gold, reduction="sum").item()
                scores[row] = nll, len(target)
        return scores

    def _encode(self, texts: Sequence[str]) -> List[torch.Tensor]:
        """Ids of texts, each with eos behind it."""
        encoded = [
            self._dictionary.encode_line(self._subwords.encode(text), add_if_not_exist=False).long()
            for text in texts
        ]
        n_tokens = sum(map(len, encoded))
        n_unknown = sum(int((tokens == self._dictionary.unk()).sum()) for tokens in encoded)
        if n_unknown > MAX_UNKNOWN * n_tokens:
            raise InputError(
                f"--dictionary: it lacks {n_unknown} of {n_tokens} tokens; give the --dictionary "
                "and the --subwords of the model"
            )
        return encoded

    def _check_room(self, n_tokens: int) -> None:
        room = self._model.max_decoder_positions()
        if n_tokens > room:
            raise InputError(
                f"a task and its answer may have {n_tokens} tokens, the model has positions for "
                f"{room}: leave that task out, or give a smaller --new-tokens"
            )

    def _net_input(self, sources: List[torch.Tensor]) -> dict:
        padded = collate_tokens(sources, self._dictionary.pad(), left_pad=True)
        lengths = torch.tensor(list(map(len, sources)))
        return {"src_tokens": _on_device(padded), "src_lengths": _on_device(lengths)}


def _on_device(tensor: torch.Tensor) -> torch.Tensor:
    return utils.move_to_cuda(tensor) if torch.cuda.is_available() else tensor


def _batches(
    lengths: Sequence[int], batch_size: int, progress: Optional[str]
) -> Iterator[List[int]]:
    """Rows of similar lengths, the longest first, with a progress bar."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    with tqdm(total=len(order), desc=progress, disable=progress is None, unit="task") as bar:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            yield rows
            bar.update(len(rows))
