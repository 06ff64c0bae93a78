"""Batches of samples some of which bring rows of their own: a conflict is a row beside its sample.

fairseq's `batch_by_size` counts a row for each sample. To fit conflicts into such batches
afterwards, by lowering their bound or by cutting those that exceed it, leaves them half empty.
"""

from __future__ import annotations

from typing import List, Optional

import numpy as np


def batch_by_rows(
    n_tokens: np.ndarray,
    rows: np.ndarray,
    max_tokens: int,
    max_sentences: Optional[int] = None,
    required_multiple: int = 1,
) -> List[slice]:
    """Neighbours together, as many as fit: rows times the longest are at most `max_tokens`.

    Args:
        n_tokens: int array `(n,)`, length of each sample.
        rows: int array `(n,)` of the rows that each brings, 1 or more.
        max_tokens: bound, padding counted. A sample whose rows alone exceed it is a batch.
        required_multiple: a batch of more samples than that holds a multiple of it.
    """
    if max_sentences is None:
        max_sentences = max_tokens
    rows_so_far = np.concatenate(([0], np.cumsum(rows)))
    batches, start = [], 0
    while start < len(n_tokens):
        # no more samples than this could fit, unless those that follow are shorter by half
        most = min(max_sentences, 2 * max_tokens // max(int(n_tokens[start]), 1) + 1)
        longest = np.maximum.accumulate(n_tokens[start : start + most])
        n_rows = rows_so_far[start + 1 : start + 1 + len(longest)] - rows_so_far[start]
        # both only grow, so that what fits comes first
        size = max(int(np.count_nonzero(longest * n_rows <= max_tokens)), 1)
        if size > required_multiple:
            size -= size % required_multiple
        batches.append(slice(start, start + size))
        start += size
    return batches
