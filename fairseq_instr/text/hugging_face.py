"""The tokenizer of a Hugging Face folder as subwords.

A piece is its id in decimals, as in the dictionary that the conversion wrote. Special tokens are
never read from a text: whoever types `</s>` gets the pieces that spell it.
"""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.plain_data import read_json

TOKENIZER_FILE, CONFIG_FILE = "tokenizer.json", "config.json"


def load_tokenizer(folder: Path):
    """The tokenizer of a Hugging Face folder.

    Raises:
        InputError: if `tokenizer.json` is missing or broken, or the library is.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise InputError(
            "the Python package tokenizers is not installed: pip install tokenizers"
        ) from None
    path = Path(folder, TOKENIZER_FILE)
    if not path.is_file():
        raise InputError(
            f"{path} does not exist; load the tokenizer with Hugging Face's AutoTokenizer and "
            "save it, which writes this file"
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} is not a tokenizer: {error}") from None


def _rows_of_model(folder: Path) -> int:
    """Number of embeddings that `config.json` says, 0 where there is none."""
    path = folder / CONFIG_FILE
    config = read_json(path, "convert the model again") if path.is_file() else {}
    size = config.get("vocab_size") if isinstance(config, dict) else None
    return size if isinstance(size, int) else 0


class HuggingFaceSubwords:
    """A Hugging Face tokenizer as text -> space-separated ids, and back."""

    def __init__(self, folder):
        self._tokenizer = load_tokenizer(folder)
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._n_rows = max(self._tokenizer.get_vocab_size(), _rows_of_model(Path(folder)))

    def encode(self, text: str) -> str:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return " ".join(map(str, ids))

    def can_write(self, piece: str) -> bool:
        """Whether it is an id that the tokenizer or its model has, special ones included.

        Models have rows beyond their tokens, which round their number up.
        """
        return piece.isdigit() and int(piece) < self._n_rows

    def decode(self, pieces: str) -> str:
        """Inverse of `encode`, but that line breaks become spaces: an output is a line."""
        return " ".join(self.text(pieces.split()).splitlines())

    def text(self, pieces: Sequence[str]) -> str:
        """Inverse of `encode`, line breaks included; `<unk>` and the like are left out."""
        ids: List[int] = [int(piece) for piece in pieces if piece.isdigit()]
        return self._tokenizer.decode(ids, skip_special_tokens=True)
