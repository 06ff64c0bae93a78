"""Boosting the tokens of the target language: a cheap baseline against off-target output.

A token that the target language's text has more often than the other languages' gets a bonus at
every step of the search, one that it has less often a malus. Nothing is trained.
"""

from __future__ import annotations

from typing import Mapping, Sized

import numpy as np
import torch
from torch import Tensor

MOST_LINES = 20_000
"""Lines of a language whose tokens are counted, evenly spread."""


def count_tokens(lines: Sized, n_tokens: int) -> np.ndarray:
    """How often each token stands in lines that end in eos, eos left out: int64 `(n_tokens,)`."""
    chosen = np.linspace(0, len(lines) - 1, min(len(lines), MOST_LINES)).astype(int)
    found = [lines[int(index)].numpy()[:-1] for index in chosen]  # type: ignore[index]
    return np.bincount(np.concatenate(found), minlength=n_tokens)


def language_boost(counts: Mapping[str, np.ndarray], language: str) -> Tensor:
    """log(p(token | language) / mean of p(token | language') over all languages).

    Shares are smoothed by one; a token that no text has is neither boosted nor lowered.

    Args:
        counts: language -> how often each token stands in its text, int64 `(vocab,)`.
        language: whose tokens are boosted.

    Returns:
        FloatTensor `(vocab,)`, in nats; at most log of the number of languages.

    Example: counts en (8, 0) and it (0, 8) -> for it, log 0.2 and log 1.8.
    """
    shares = {code: (n + 1) / (n.sum() + len(n)) for code, n in counts.items()}
    boost = np.log(shares[language] / np.mean(list(shares.values()), axis=0))
    boost[sum(counts.values()) == 0] = 0.0
    return torch.from_numpy(boost).float()
