"""Subwords through SentencePiece, and the fairseq dictionary of all its pieces.

Byte fallback and required characters let a model write what its training text lacks, such as
`<`, `{` or `|`; a dictionary of all pieces (rather than of those that occur) keeps them known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterable, List

import sentencepiece

from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, write_atomically
from fairseq_instr.text.lines import read_lines

# printable ASCII, and the quotation marks and umlauts that instructions write
REQUIRED_CHARACTERS = "".join(map(chr, range(33, 127))) + "»«„“”’…äöüÄÖÜß"
N_SPECIAL = 3  # <unk>, <s>, </s>: fairseq has its own


def train(
    lines: Iterable[str], model_prefix, vocabulary_size: int, seed: int = 1, force: bool = False
) -> Path:
    """Train a unigram model with byte fallback; deterministic for the same lines.

    Args:
        lines: raw text of all languages.
        model_prefix: the model is written to `model_prefix.model`.
        vocabulary_size: number of pieces, special ones and bytes included.
        seed: for SentencePiece's sampling of very large inputs.
        force: overwrite the model if it exists.

    Raises:
        InputError: if the model exists, or the text holds fewer pieces than asked for.
    """
    path = Path(f"{model_prefix}.model")
    sentencepiece.set_random_generator_seed(seed)
    with atomic_path(path, force) as temporary:
        try:
            with open(temporary, "wb") as out:
                sentencepiece.SentencePieceTrainer.train(
                    sentence_iterator=iter(lines),
                    model_writer=out,
                    vocab_size=vocabulary_size,
                    character_coverage=1.0,
                    byte_fallback=True,
                    required_chars=REQUIRED_CHARACTERS,
                    hard_vocab_limit=False,
                    input_sentence_size=5_000_000,
                    shuffle_input_sentence=True,
                    minloglevel=2,
                )
        except RuntimeError as error:
            raise InputError(
                f"a vocabulary of {vocabulary_size} pieces can't be trained on this text: {error}"
            ) from None
    return path


class Subwords:
    """A SentencePiece model as text -> space-separated pieces, and back.

    Raises:
        InputError: if the model file is missing or not a SentencePiece model.
    """

    def __init__(self, model):
        if not Path(model).is_file():
            raise InputError(f"SentencePiece model {model} does not exist")
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        except (RuntimeError, OSError) as error:
            raise InputError(f"{model} is not a SentencePiece model: {error}") from None

    def encode(self, text: str) -> str:
        return " ".join(self._processor.encode(text, out_type=str))

    def decode(self, pieces: str) -> str:
        """Inverse of `encode`; byte pieces become the characters that they spell."""
        return self._processor.decode(pieces.split())

    @property
    def pieces(self) -> List[str]:
        """All pieces but the three special ones."""
        size = self._processor.get_piece_size()
        return [self._processor.id_to_piece(i) for i in range(N_SPECIAL, size)]

    def write_dictionary(self, path, force: bool = False) -> None:
        """Write a fairseq `dict.txt` of all pieces, for `fairseq-preprocess --srcdict`."""
        write_atomically(path, "".join(f"{piece} 1\n" for piece in self.pieces), force)


def spelling_check(subwords: Subwords, dictionary) -> Callable[[str], bool]:
    """Whether a text can be written with the entries of a fairseq dictionary file.

    Raises:
        InputError: if the dictionary file is missing.
    """
    known = {line.rsplit(" ", 1)[0] for line in read_lines(dictionary)}
    return lambda text: all(piece in known for piece in subwords.encode(text).split())


def load_subwords(path):
    """What encodes text: a SentencePiece model, or the tokenizer of a Hugging Face folder.

    Raises:
        InputError: if it is neither.
    """
    from fairseq_instr.text.hugging_face import HuggingFaceSubwords

    return HuggingFaceSubwords(path) if Path(path).is_dir() else Subwords(path)
