"""Sentence pairs whose lengths stay in the files that they were written to."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Iterator, Optional, Protocol

import numpy as np
import torch
from fairseq.data import Dictionary, LanguagePairDataset

from fairseq_instr.errors import InputError


class TokenLines(Protocol):
    """What is asked of fairseq's binarised text: tokens of each line, and its lengths."""

    @property
    def sizes(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> torch.Tensor: ...


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """Within the block, binarised text is read; `what` begins the error.

    Raises:
        InputError: for whatever fairseq and numpy raise of files that are missing or broken.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # assertions, and whatever numpy makes of the bytes
        raise InputError(
            f"{what} can't be read ({error!s:.200}): its .bin or .idx is missing, broken or cut "
            "short; binarise it again"
        ) from None


def check_whole(lines: TokenLines, what: str) -> None:
    """Raise `InputError` if binarised text was cut short; `what` begins it."""
    with reading(what):
        if len(lines):
            lines[len(lines) - 1]


@dataclass(frozen=True)
class SentencePairs:
    """What of fairseq's `LanguagePairDataset` a corpus needs.

    That one holds copies of the lengths of both sides, 16 bytes a pair; these arrays are views
    of the memory-mapped index files, so that 10^8 pairs take no memory of their own.
    """

    src: TokenLines  # source tokens of each pair
    tgt: Optional[TokenLines]  # target tokens of each pair; None without targets
    src_sizes: np.ndarray  # int array, lengths of the sources
    tgt_sizes: Optional[np.ndarray]  # int array, lengths of the targets; None without targets
    src_dict: Optional[Dictionary] = None  # dictionary of the sources

    @classmethod
    def of(cls, dataset: LanguagePairDataset) -> SentencePairs:
        """Those of a dataset that fairseq loaded."""
        tgt = dataset.tgt
        tgt_sizes = None if tgt is None else np.asarray(tgt.sizes)
        return cls(dataset.src, tgt, np.asarray(dataset.src.sizes), tgt_sizes, dataset.src_dict)

    def __len__(self) -> int:
        return len(self.src)
