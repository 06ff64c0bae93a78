"""What fairseq-interactive reads: lines with their instructions, encoded by the user's `--bpe`."""

from __future__ import annotations

import logging
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Callable, Deque, List, Mapping, Optional, Sequence, Tuple

from torch import Tensor

from fairseq_instr.errors import InputError
from fairseq_instr.generation.typed_lines import TypedLine
from fairseq_instr.instructions.asking import Request
from fairseq_instr.text.bpe_codes import Merges
from fairseq_instr.text.dictionary import Writer
from fairseq_instr.text.subwords import Subwords

logger = logging.getLogger(__name__)

LEAST_TYPED = 20
"""Typed tokens from which on the share of unknown ones is judged."""
SUBWORDS: Mapping[str, Callable[[str], Writer]] = {
    "sentencepiece_model": Subwords,
    "bpe_codes": Merges,
}
"""Options of fairseq's `--bpe`, and what reads the pieces that their files can write."""


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
    """What fairseq's `--bpe`, built from options, can write, and the option's name.

    The first is None where it can't be found out.
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
        if tokenizer is None:
            return SimpleNamespace(encode=self.split, decode=str)
        encode, decode = tokenizer.encode, tokenizer.decode
        return SimpleNamespace(encode=lambda line: encode(self.split(line)), decode=decode)


class TypedSources:
    """Makes lines of the sources that fairseq-interactive has encoded.

    Args:
        unknown: id of the token that stands for all that the dictionary lacks.
        most_unknown: share of unknown tokens above which the user is warned, once.
        make: (source, requests) -> line.
        field: that was taken off each line; None for none.

    Attributes:
        longest: longest line in tokens, its prompt included, that the models read; None for any.
    """

    def __init__(
        self,
        unknown: int,
        most_unknown: float,
        make: Callable[[Tensor, Sequence[Request]], TypedLine],
        field: Optional[InstructionField] = None,
    ):
        self.longest: Optional[int] = None
        self._unknown, self._most_unknown = unknown, most_unknown
        self._make, self._field = make, field
        self._n_lines = self._n_typed = self._n_unknown = 0  # lines, and their tokens
        self._warned = False

    def lines(self, sources: Sequence[Tensor]) -> List[TypedLine]:
        """The next lines, of LongTensors `(n,)` that end in eos.

        A line that is too long becomes a blank one, and its error goes to standard error.
        """
        asked = self._field.take(len(sources)) if self._field else [()] * len(sources)
        lines = [self._readable(*line) for line in zip(sources, asked)]
        self._warn_of_unknown(sources)
        return lines

    def _readable(self, source: Tensor, requests: Sequence[Request]) -> TypedLine:
        self._n_lines += 1
        line = self._make(source, requests)
        if self.longest is None or len(line) <= self.longest:
            return line
        print(
            f"fairseq_instr: line {self._n_lines} has {len(line)} tokens, its prompt included, and "
            f"the model reads {self.longest}; cut it into sentences",
            file=sys.stderr,
            flush=True,
        )
        return self._make(source[-1:], requests)

    def _warn_of_unknown(self, sources: Sequence[Tensor]) -> None:
        self._n_typed += sum(len(source) - 1 for source in sources)
        self._n_unknown += sum(int((source == self._unknown).sum()) for source in sources)
        few = self._n_unknown <= self._most_unknown * self._n_typed
        if self._warned or few or self._n_typed < LEAST_TYPED:
            return
        self._warned = True
        logger.warning(
            f"{self._n_unknown} of {self._n_typed} tokens are unknown to the source dictionary: "
            "give --bpe with the subwords of the model, or lines in these subwords"
        )
