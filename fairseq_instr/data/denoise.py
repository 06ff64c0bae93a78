"""Denoising: the source is the target with its words dropped, masked and shuffled.

Plain text of one language under that language's direction instruction. It gives directions
that no pair was trained on their content, as unlikelihood gives them their language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List

import numpy as np
import torch
from fairseq.data import Dictionary

from fairseq_instr.data.draws import numbers_at
from fairseq_instr.errors import InputError

SENTENCEPIECE_SPACE = "\u2581"
BPE_CONTINUES = "@@"


@dataclass(frozen=True)
class NoiseOptions:
    """How much noise.

    Raises:
        InputError: if a share is not in [0, 1), or the distance is negative.
    """

    drop: float = 0.1  # share of the words that are left out
    mask: float = 0.1  # share of the words that become one `<unk>`
    shuffle: int = 3  # farthest that a word moves, in words; 0 keeps the order

    def __post_init__(self):
        for name in ("drop", "mask"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise InputError(
                    f"--denoise-{name} {value}: a share of the words, give a number from 0 to "
                    "below 1"
                )
        if self.shuffle < 0:
            raise InputError(
                f"--denoise-shuffle {self.shuffle}: a distance in words, give 0 or more"
            )


class WordStarts:
    """Where words begin in tokens of a dictionary, by the marks of its subwords.

    SentencePiece marks a piece that begins a word, subword-nmt one that does not end it;
    without either mark every token is a word.
    """

    def __init__(self, dictionary: Dictionary):
        symbols = dictionary.symbols
        self._starts = np.array([s.startswith(SENTENCEPIECE_SPACE) for s in symbols])
        self._continues = np.array([s.endswith(BPE_CONTINUES) for s in symbols])
        self._by_start = bool(self._starts.any())

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Whether a word begins: int64 `(n,)` -> bool `(n,)`; the first token always does."""
        starts = np.ones(len(tokens), dtype=bool)
        if self._by_start:
            starts[1:] = self._starts[tokens[1:]]
        else:
            starts[1:] = ~self._continues[tokens[:-1]]
        return starts


class Noise:
    """Makes sources from targets: words dropped, masked, and shuffled within a distance.

    The model of noise is that of Lample et al. (2018, arXiv 1711.00043, section 2.3), with
    masks besides.

    Args:
        dictionary: of the tokens.
        options: how much noise.
        seed: of the draws.
    """

    def __init__(self, dictionary: Dictionary, options: NoiseOptions, seed: int = 1):
        self.options = options
        self.seed = seed
        self._mask = np.array([dictionary.unk()])
        self._word_starts = WordStarts(dictionary)

    def __call__(self, tokens: torch.Tensor, epoch: int, place: int) -> torch.Tensor:
        """A noised copy.

        Args:
            tokens: LongTensor `(n,)`, ending in eos.
            epoch: the first is 1.
            place: the sample's place in the epoch.

        Returns:
            LongTensor `(m,)`, ending in eos; `m <= n`, and one word at least where `n > 1`.
        """
        *words, eos = self._split(tokens.numpy())
        if not words:
            return tokens
        generator = numbers_at("denoise", self.seed, epoch, place)
        dropped = generator.random(len(words)) < self.options.drop
        dropped[generator.integers(len(words))] = False  # a sentence keeps a word
        masked = generator.random(len(words)) < self.options.mask
        # a key in [i, i + k + 1): no word passes one that is more than k places away
        keys = np.arange(len(words), dtype=np.float64)
        if self.options.shuffle:
            keys += generator.uniform(0, self.options.shuffle + 1, len(words))
        kept = [self._mask if masked[i] else words[i] for i in np.argsort(keys) if not dropped[i]]
        return torch.from_numpy(np.concatenate([*kept, eos]))

    def _split(self, tokens: np.ndarray) -> List[np.ndarray]:
        """Tokens of each word, and last those of eos."""
        body = tokens[:-1]
        if not len(body):
            return [tokens]
        first = np.flatnonzero(self._word_starts(body))
        return np.split(tokens, [*first[1:], len(body)])
