"""BPE codes on Moses tokens, as fairseq's `--tokenizer moses --bpe subword_nmt` (or `fastbpe`).

    Isn't it?  ->  Isn &apos;t it ?  ->  Is@@ n &apos;t it ?

The codes come from subword-nmt (two symbols a line) or from fastBPE (their count behind them).
Moses keeps words and marks, not all blanks: the German `geht's` comes back as `geht 's`, and
`<b>` as `< b >`.
"""

from __future__ import annotations

import io
import re
from typing import Optional

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines, readable

CONTINUES, END_OF_WORD = "@@", "</w>"
_VERSION = re.compile(r"#version: \d+(\.\d+)*")
_FASTBPE_VERSION = "#version: 0.2"
"""subword-nmt's name for codes in which the end of a word is no symbol of its own."""


def is_text(path) -> bool:
    """Whether a file may hold codes: a SentencePiece model has NUL bytes from the start."""
    with readable(path), open(path, "rb") as file:
        return b"\0" not in file.read(4096)


class Merges:
    """The pieces that codes can write, without the rules for words."""

    def __init__(self, path):
        self._codes = read_merges(path)
        merged = (line.replace(" ", "") for line in self._codes.splitlines())
        self._merged = frozenset(
            word[: -len(END_OF_WORD)] if word.endswith(END_OF_WORD) else word for word in merged
        )

    def can_write(self, piece: str) -> bool:
        """Whether it is what a merge makes, or one character; codes split words into these."""
        part = piece[: -len(CONTINUES)] if piece.endswith(CONTINUES) else piece
        return len(part) == 1 or part in self._merged


class BpeCodes(Merges):
    """Codes and the Moses rules of one language: text -> pieces separated by spaces, and back.

    Args:
        language: Moses code, such as `en`; one without rules of its own has those of English.

    Raises:
        InputError: if the file holds no codes, the language is None, or a library is missing.
    """

    def __init__(self, path, language: Optional[str]):
        if language is None:
            raise InputError(
                f"--subwords {path} holds BPE codes, which go with the Moses rules of a language; "
                "give -s and -t where the command has them, or a SentencePiece model"
            )
        super().__init__(path)
        try:
            from sacremoses import MosesDetokenizer, MosesTokenizer
            from subword_nmt.apply_bpe import BPE
        except ImportError as error:
            name = (error.name or "").partition(".")[0].replace("_", "-")
            raise InputError(
                f"--subwords {path} holds BPE codes, and the Python package {name} is not "
                f"installed: pip install {name}"
            ) from None
        self._tokenizer, self._detokenizer = MosesTokenizer(language), MosesDetokenizer(language)
        self._bpe = BPE(io.StringIO(self._codes), separator=CONTINUES)

    def encode(self, text: str) -> str:
        tokens = self._tokenizer.tokenize(text, aggressive_dash_splits=True, return_str=True)
        return self._bpe.process_line(tokens)

    def decode(self, pieces: str) -> str:
        """Words put together again, without the blanks and escapes of Moses."""
        words = f"{pieces} ".replace(f"{CONTINUES} ", "")
        return self._detokenizer.detokenize(words.split())


def read_merges(path) -> str:
    """The codes of a file as subword-nmt reads them; it ends the process at a wrong line."""
    lines = read_lines(path)
    header = lines[:1] if lines and _VERSION.fullmatch(lines[0].rstrip()) else []
    merges = [line.rstrip(" ").split(" ") for line in lines[len(header) :]]
    n_fields = 3 if not header and merges and len(merges[0]) == 3 else 2
    for number, fields in enumerate(merges, start=len(header) + 1):
        counted = n_fields == 2 or fields[-1].isdecimal()
        if len(fields) != n_fields or "" in fields or not counted:
            raise InputError(
                f"--subwords {path}: line {number} is no merge of BPE codes, which is two symbols "
                "and, of fastBPE, their count; give the codes, a SentencePiece model, or the "
                "folder of a Hugging Face tokenizer"
            )
    if all(fields[1].isdecimal() for fields in merges):  # none, or words and their counts
        raise InputError(
            f"--subwords {path} holds no merges, but words and their counts or nothing; give "
            "the codes that the vocabulary was made with"
        )
    version = [_FASTBPE_VERSION] if n_fields == 3 else header
    return "\n".join([*version, *(" ".join(fields[:2]) for fields in merges)])
