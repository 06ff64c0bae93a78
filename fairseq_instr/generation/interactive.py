"""Lines that are typed or handed over one by one, with their instructions."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Deque, List, Optional, Sequence, Tuple

import torch
from fairseq.data import Dictionary, LanguagePairDataset

from fairseq_instr.errors import InputError
from fairseq_instr.generation.conditions import Line
from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts import Prompt
from fairseq_instr.text.bpe_codes import Merges
from fairseq_instr.text.dictionary import Writer
from fairseq_instr.text.subwords import Subwords

SUBWORDS = {"sentencepiece_model": Subwords, "bpe_codes": Merges}
"""Options of fairseq's `--bpe`, and what reads the pieces that their files can write."""


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
    """A dataset of typed lines; its batches hold `requests` and `sources` as other ones do.

    Args:
        lines: with their prompts.
        source_dictionary: of the lines.
        target_dictionary: of their translations.
        constraints: LongTensor, words of the outputs as fairseq packs them, or None.
    """

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


def find_undecodable_input(traceback) -> Optional[InputError]:
    """The `InputError` that says which input of `fairseq-interactive` is no UTF-8.

    fairseq reads the lines itself; the result is None for another error.
    """
    path = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "buffered_read":
            path = frame.f_locals.get("input")
        traceback = traceback.tb_next
    if path is None or frame.f_globals.get("__name__") != "codecs":
        return None
    return InputError(f"--input {path} is no UTF-8 text; convert it, for example with iconv")


def writer_of(bpe, options) -> Tuple[Optional[Writer], str]:
    """What fairseq's `--bpe` can write, None where it can't be found out, and the option's name.

    Args:
        bpe: that fairseq built.
        options: it was built from.
    """
    if hasattr(bpe, "can_write"):  # ours
        return bpe, "--bpe"
    for name, read in SUBWORDS.items():
        path = getattr(options, name, None)
        if path and Path(path).is_file():
            return read(path), f"--{name.replace('_', '-')} {path}"
    return None, ""


class InstructionField:
    """Takes `formal, uppercase<tab>` off each line and keeps it until its source is batched.

    fairseq encodes the lines of a buffer one after the other, then asks the task for a
    dataset of them: the requests wait in a queue in between. A line whose field is wrong is
    answered with its error on standard error and a blank translation; the others go on.

    Args:
        read: text of a field -> requests.
        strict: whether a field that is wrong ends the program instead.
    """

    def __init__(self, read: Callable[[str], Tuple[Request, ...]], strict: bool = False):
        self.read, self.strict = read, strict
        self._n_lines = 0
        self._waiting: Deque[Tuple[Request, ...]] = deque()

    def split(self, line: str) -> str:
        """Queue the requests of a line and return its source, a blank one if the field is wrong.

        Raises:
            InputError: if the field is wrong and the program `strict`.
        """
        self._n_lines += 1
        try:
            requests, source = self._parts(line)
        except InputError as error:
            error = InputError(f"--instruct-field, line {self._n_lines}: {error}")
            if self.strict:
                raise error from None
            print(f"fairseq_instr: {error}", file=sys.stderr, flush=True)
            requests, source = (), ""
        self._waiting.append(requests)
        return source

    def _parts(self, line: str) -> Tuple[Tuple[Request, ...], str]:
        names, tab, source = line.partition("\t")
        if tab:
            return self.read(names), source
        # fairseq strips the lines that it reads, and with them a tab that nothing stands
        # before, or behind: what is left is a source, unless it reads as instructions
        try:
            requests = self.read(line)
        except InputError:
            return (), line
        if requests:
            raise InputError(
                f"{line.strip()!r:.80} has no tab and reads as instructions; write "
                "INSTRUCTIONS<tab>SOURCE, or ,<tab>SOURCE for a source that reads like that"
            )
        return (), line

    def take(self, count: int) -> List[Tuple[Request, ...]]:
        """Requests of the next `count` lines."""
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
