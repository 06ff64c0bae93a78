"""fairseq's dictionary files: their entries, and whether subwords are of their vocabulary."""

from __future__ import annotations

import re
from typing import Iterable, List, Protocol

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines

DICTIONARY_LINE = re.compile(r"(.+) -?\d+( #fairseq:overwrite)?\s*")
MADEUPWORD = re.compile(r"madeupword\d+")
"""What `fairseq-preprocess` fills a dictionary up with."""
MAX_FOREIGN = 0.02
"""Largest share of a dictionary's entries that its own subwords can't write.

These are language tokens and marks put there by hand: 0 to 0.8 % in the dictionaries of real
recipes. A SentencePiece model of the same size, trained again on 99 % of the same lines, can't
write 2.1 %; on the other half of them, 24 %.
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
    """Refuse subwords of another vocabulary than a dictionary's.

    A dictionary may lack pieces of its subwords, since training text lacks them. The other way
    round, all that it has are pieces of its subwords, madeupwords and language tokens aside.

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
