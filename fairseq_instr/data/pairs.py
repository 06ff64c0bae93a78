"""Sentence pairs whose lengths stay in the files that they were written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Protocol

import numpy as np
import torch
from fairseq.data import Dictionary, LanguagePairDataset


class TokenLines(Protocol):
    """What is asked of fairseq's binarised text: tokens of each line, and its lengths."""

    @property
    def sizes(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> torch.Tensor: ...


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
