"""Denoising: the source is the target with its words dropped, masked, replaced and shuffled.

Plain text of one language under that language's direction instruction. It gives directions
that no pair was trained on their content, as unlikelihood gives them their language. What is left
of a sentence is copied: more noise leaves less to copy, and a word that may be a stranger's can't
be copied blindly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import List, Optional, Tuple

import numpy as np
import torch
from fairseq.data import Dictionary

from fairseq_instr.data.draws import numbers_at
from fairseq_instr.data.pairs import TokenLines
from fairseq_instr.errors import InputError
from fairseq_instr.text.languages import UNSPACED, language_of

SENTENCEPIECE_SPACE = "\u2581"
BPE_CONTINUES = "@@"


@dataclass(frozen=True)
class NoiseOptions:
    """How much noise, by the options of the task: `--denoise-drop` and so on.

    Raises:
        InputError: if a share is not in [0, 1), the span below 1, or the distance negative.
    """

    drop: float = 0.1
    mask: float = 0.1
    shuffle: int = 3
    replace: float = 0.0
    span: int = 1

    @classmethod
    def of(cls, cfg) -> NoiseOptions:
        return cls(**{each.name: getattr(cfg, f"denoise_{each.name}") for each in fields(cls)})

    def __post_init__(self):
        share = "a share of the words, give a number from 0 to below 1"
        for name, is_accepted, accepted in (
            *((name, 0 <= getattr(self, name) < 1, share) for name in ("drop", "mask", "replace")),
            ("shuffle", self.shuffle >= 0, "a distance in words, give 0 or more"),
            ("span", self.span >= 1, "a number of words, give 1 or more"),
        ):
            if not is_accepted:
                raise InputError(f"--denoise-{name} {getattr(self, name)}: {accepted}")


class WordStarts:
    """Where words begin in tokens of a dictionary, by the marks of its subwords.

    SentencePiece marks a piece that begins a word, subword-nmt one that does not end it; the
    dictionary has more of the mark that is its own. Without either mark every token is a word, and
    so it is in a language without spaces, where a sentence would be one word.

    Args:
        language: code of the text's language; None for one with spaces.
    """

    def __init__(self, dictionary: Dictionary, language: Optional[str] = None):
        symbols = dictionary.symbols if language_of(language or "") not in UNSPACED else []
        self._starts = np.array([s.startswith(SENTENCEPIECE_SPACE) for s in symbols])
        self._continues = np.array([s.endswith(BPE_CONTINUES) for s in symbols])
        self._by_start = bool(self._starts.sum() > self._continues.sum())
        self._spaced = len(symbols) > 0

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Whether a word begins: int64 `(n,)` -> bool `(n,)`; the first token always does."""
        starts = np.ones(len(tokens), dtype=bool)
        if self._by_start:
            starts[1:] = self._starts[tokens[1:]]
        elif self._spaced:
            starts[1:] = ~self._continues[tokens[:-1]]
        return starts


class Noise:
    """Makes sources from targets: words dropped, masked, replaced, and shuffled within a distance.

    Dropping and shuffling are those of Lample et al. (2018, arXiv 1711.00043, section 2.3);
    masked spans are BART's text infilling (Lewis et al., 2020), of one length.

    Args:
        language: as for `WordStarts`.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        options: NoiseOptions,
        seed: int = 1,
        language: Optional[str] = None,
    ):
        self.options = options
        self.seed = seed
        self._mask = np.array([dictionary.unk()])
        self._word_starts = WordStarts(dictionary, language)

    def __call__(
        self,
        tokens: torch.Tensor,
        epoch: int,
        place: int,
        text: Optional[TokenLines] = None,
    ) -> torch.Tensor:
        """A noised copy of tokens, LongTensor `(n,)`, ending in eos: `(m,)`, 1 < m <= n if n > 1.

        Args:
            text: lines of the same language that random words come from; None to replace none.
        """
        *words, eos = self._split(tokens.numpy())
        if not words:
            return tokens
        n = len(words)
        generator = numbers_at("denoise", self.seed, epoch, place)
        dropped = generator.random(n) < self.options.drop
        dropped[generator.integers(n)] = False  # a sentence keeps a word
        masked, hidden = self._spans(generator, n)
        # a key in [i, i + k + 1): no word passes one that is more than k places away
        keys = np.arange(n, dtype=np.float64)
        if self.options.shuffle:
            keys += generator.uniform(0, self.options.shuffle + 1, n)
        if self.options.replace and text is not None:
            for i in np.flatnonzero(generator.random(n) < self.options.replace):
                line = text[int(generator.integers(len(text)))].numpy()
                # no longer ones: a source is never longer than its target
                others = [word for word in self._split(line)[:-1] if len(word) <= len(words[i])]
                if others:
                    words[i] = others[int(generator.integers(len(others)))]
        out = dropped | hidden
        kept = [self._mask if masked[i] else words[i] for i in np.argsort(keys) if not out[i]]
        return torch.from_numpy(np.concatenate([*(kept or [self._mask]), eos]))

    def _spans(self, generator: np.random.Generator, n: int) -> Tuple[np.ndarray, np.ndarray]:
        """Which of `n` words are masked, and which of those share the `<unk>` before them."""
        mask, span = self.options.mask, self.options.span
        # a word stays if no span begins at it or at the span - 1 words before it
        begin = mask if span == 1 else 1 - (1 - mask) ** (1 / span)
        begins = generator.random(n + span - 1) < begin
        masked = np.asarray(np.lib.stride_tricks.sliding_window_view(begins, span).any(1))
        hidden = np.zeros(n, dtype=bool)
        if span > 1:
            hidden[1:] = masked[1:] & masked[:-1]
        return masked, hidden

    def _split(self, tokens: np.ndarray) -> List[np.ndarray]:
        body = tokens[:-1]
        if not len(body):
            return [tokens]
        first = np.flatnonzero(self._word_starts(body))
        return np.split(tokens, [*first[1:], len(body)])
