"""fairseq's dictionary files: their entries, and whether subwords are of their vocabulary."""

from __future__ import annotations

import logging
import re
from typing import Collection, Iterable, List, Protocol, Sequence

import numpy as np

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines

logger = logging.getLogger(__name__)

DICTIONARY_LINE = re.compile(r"(.+) -?\d+( #fairseq:overwrite)?\s*")
MADEUPWORD = re.compile(r"madeupword\d+")
"""What `fairseq-preprocess` fills a dictionary up with."""
MAX_FOREIGN = 0.02
"""Largest share of a dictionary's entries that its own subwords can't write.

These are language tokens and marks put there by hand: 0 to 0.8 % in the dictionaries of real
recipes. A SentencePiece model of the same size, trained again on 99 % of the same lines, can't
write 2.1 %; on the other half of them, 24 %.
"""
MAX_LACKING = 0.025
"""Share of a model's subwords that a dictionary may lack without a warning, see `lacking`."""
LEAST_ORDER = 0.85
"""Chance from which on that a piece there is more frequent than a lacking one, see `lacking`.

Unigram and BPE models of 2,000 and 4,000 pieces, 16,000 lines of captions and program text: 0.89 to
1.00 with the dictionary of a smaller model, 0.51 to 0.82 with one of 30 to 1,000 of these lines or
of one domain.
"""


class Writer(Protocol):
    """What cuts text into pieces, seen as a vocabulary."""

    def can_write(self, piece: str) -> bool:
        """Whether a text can have this piece."""
        ...


def read_entries(dictionary) -> List[str]:
    """The entries of a fairseq dictionary file in their order, without their counts.

    Raises:
        InputError: if the file can't be read, or a line is not an entry and its count.
    """
    found = [DICTIONARY_LINE.fullmatch(line) for line in read_lines(dictionary)]
    if None in found:
        raise InputError(
            f"{dictionary}, line {found.index(None) + 1}: no entry of a fairseq dictionary, which "
            "is a word, a space and a count"
        )
    return [match[1] for match in found if match]


def check_vocabulary(
    writers: Iterable[Writer], entries: Iterable[str], subwords: str, dictionary: str
) -> None:
    """Refuse subwords of another vocabulary than a dictionary's, and warn of a larger one.

    A dictionary may lack pieces of its subwords, since training text lacks them. The other way
    round, all that it has are pieces of its subwords, madeupwords and language tokens aside.
    A larger model of the same text has all these pieces too: what tells is that the dictionary
    lacks the model's rare pieces alone, which a high `--thresholdsrc` does as well.

    Args:
        writers: subwords of the source and of the target, whose dictionary may be one.
        entries: of the dictionary, without fairseq's own four.
        subwords: the option and its value, to begin the error with.
        dictionary: what the error calls it.

    Raises:
        InputError: if they can't write more than `MAX_FOREIGN` of the entries.
    """
    writers = tuple(dict.fromkeys(writers))
    words = [entry for entry in entries if not MADEUPWORD.fullmatch(entry)]
    foreign = [word for word in words if not any(writer.can_write(word) for writer in writers)]
    if len(foreign) > MAX_FOREIGN * len(words):
        raise InputError(
            f"{subwords} is of another vocabulary than {dictionary}: it never writes "
            f"{len(foreign) / len(words):.0%} of the entries there, such as "
            f"{', '.join(foreign[:3])}; give the subwords that the model was trained with"
        )
    ranked = [getattr(writer, "by_frequency", ()) for writer in writers]
    share = min((lacking(pieces, frozenset(words)) for pieces in ranked), default=0.0)
    if share > MAX_LACKING:
        logger.warning(
            f"{subwords} may be of a larger vocabulary than {dictionary}, which lacks about "
            f"{share:.0%} of what it writes: these subwords become <unk>; give the subwords that "
            "the model was trained with"
        )


def lacking(pieces: Sequence[str], known: Collection[str]) -> float:
    """Share of the subwords of a text that a dictionary lacks, if it has the frequent pieces alone.

    Args:
        pieces: of a model, the most frequent first; their frequencies are taken to be Zipf's.
        known: entries of the dictionary.

    Returns:
        0 to 1; 0 for a dictionary that lacks frequent and rare pieces alike.
    """
    there = np.array([piece in known for piece in pieces], dtype=bool)
    n_there, n_lacking = there.sum(), (~there).sum()
    if not n_there or not n_lacking:
        return 0.0
    order = there.cumsum()[~there].sum() / (n_there * n_lacking)
    frequencies = 1 / (np.arange(len(pieces)) + 10)
    return float(frequencies[~there].sum() / frequencies.sum()) if order >= LEAST_ORDER else 0.0
