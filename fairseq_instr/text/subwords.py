"""Subwords: SentencePiece models, BPE codes or a Hugging Face tokenizer, and their dictionary.

Byte fallback and required characters let a model write what its training text lacks, such as
`<`, `{` or `|`; a dictionary of all pieces (rather than of those that occur) keeps them known.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Optional, Protocol, Sequence

import sentencepiece

from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path, write_atomically
from fairseq_instr.text.bpe_codes import BpeCodes, is_text
from fairseq_instr.text.dictionary import Writer, check_vocabulary, read_entries
from fairseq_instr.text.hugging_face import HuggingFaceSubwords
from fairseq_instr.text.lines import iterate_lines

# printable ASCII, and the quotation marks and umlauts that instructions write
REQUIRED_CHARACTERS = "".join(map(chr, range(33, 127))) + "»«„“”’…äöüÄÖÜß"
N_SPECIAL = 3  # <unk>, <s>, </s>: fairseq has its own
SUBWORDS = "SentencePiece model, BPE codes, or folder of a Hugging Face tokenizer"
"""What `--subwords` takes, for help texts."""
PIECES_FILES = (("source.spm", "target.spm"), ("sentencepiece.bpe.model",))
"""SentencePiece models in the folder of a Hugging Face translation model, of both sides or one."""


class Encoder(Writer, Protocol):
    """Text -> subwords separated by spaces, and back."""

    def encode(self, text: str) -> str:
        """Subwords of a text."""
        ...

    def decode(self, pieces: str) -> str:
        """Text of subwords."""
        ...


def text_of(encoder: Encoder, pieces: str) -> str:
    """Text of subwords, with line breaks where the encoder knows them."""
    with_breaks = getattr(encoder, "text", None)
    return with_breaks(pieces.split()) if with_breaks else encoder.decode(pieces)


def train(
    lines: Iterable[str], model_prefix, vocabulary_size: int, seed: int = 1, force: bool = False
) -> Path:
    """Train a unigram model with byte fallback; deterministic for the same lines.

    Args:
        model_prefix: the model is written to `model_prefix.model`.
        vocabulary_size: number of pieces at most, special ones and bytes included; a small text
            has fewer.
        seed: for SentencePiece's sampling of very large inputs.

    Raises:
        InputError: if the model exists, or the pieces are too few for the characters of the text.
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


def train_on_files(
    inputs: Sequence, output, vocabulary_size: int = 8000, seed: int = 1, force: bool = False
) -> List[Path]:
    """As `train`, on text files; writes the fairseq dictionary of its pieces, `dict.txt`, as well.

    Args:
        inputs: raw text, plain or `.gz`; of all languages together for a joint vocabulary.
        output: the model is `output.model`.

    Returns:
        Paths of the model and of the dictionary.

    Raises:
        InputError: if a file exists, or the text can't be read or is too small.
    """
    dictionary = Path(output).with_name("dict.txt")
    if dictionary.exists() and not force:
        raise InputError(
            f"{dictionary} exists, the dictionary of another model; give --output in another "
            "folder, or --force to overwrite it"
        )
    lines = chain.from_iterable(map(iterate_lines, inputs))
    model = train(lines, output, vocabulary_size, seed, force)
    Subwords(model).write_dictionary(dictionary, force)
    return [model, dictionary]


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
        self._known = frozenset(self.pieces)
        n_bytes = sum(map(self._processor.is_byte, range(len(self._processor))))
        self._writes_bytes = n_bytes > 0
        # characters are in every model, also those that no text has; the bytes come first
        self.by_frequency = [p for p in self.pieces[n_bytes:] if len(p.lstrip("▁")) > 1]

    def encode(self, text: str) -> str:
        return " ".join(self._processor.encode(text, out_type=str))

    def can_write(self, piece: str) -> bool:
        """Whether it is a piece, or a run of unknown characters, which stay as they are.

        Models with byte fallback have no unknown characters.
        """
        unknown = not self._writes_bytes and self._known.isdisjoint(piece)
        return piece in self._known or unknown

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


class Encoders(NamedTuple):
    """What encodes the two sides of a model; mostly the same for both."""

    source: Encoder
    target: Encoder


def load_subwords(path, source: Optional[str] = None, target: Optional[str] = None) -> Encoders:
    """What encodes text of a pair of languages.

    Args:
        path: SentencePiece model, BPE codes, or the tokenizer folder of a Hugging Face model.
        source: source language; it and the target are needed for codes alone.

    Raises:
        InputError: if the path is none of these, or the codes lack a language.
    """
    path = Path(path)
    if path.is_dir():
        for names in PIECES_FILES:
            files = [path / name for name in names]
            if all(file.is_file() for file in files):
                models = [Subwords(file) for file in files]
                return Encoders(models[0], models[-1])
        tokenizer = HuggingFaceSubwords(path)
        return Encoders(tokenizer, tokenizer)
    if path.is_file() and is_text(path):
        first = BpeCodes(path, source)
        return Encoders(first, first if source == target else BpeCodes(path, target))
    model = Subwords(path)
    return Encoders(model, model)


Spell = Callable[[str], Optional[str]]
"""A text -> the text that a vocabulary writes for it, or None where it lacks a piece."""


def speller(subwords, dictionary, source: str, target: str) -> Optional[Spell]:
    """What a model can write of a text of the target; None without subwords.

    Raises:
        InputError: if one of subwords and dictionary is missing, can't be read, or is of another
            vocabulary.
    """
    if bool(subwords) != bool(dictionary):
        raise InputError("--subwords and --dictionary go together; give both or none")
    if not subwords:
        return None
    encoders, entries = load_subwords(subwords, source, target), read_entries(dictionary)
    check_vocabulary(encoders, entries, f"--subwords {subwords}", f"--dictionary {dictionary}")
    encoder, known = encoders.target, frozenset(entries)

    def spell(text: str) -> Optional[str]:
        pieces = encoder.encode(text)
        return encoder.decode(pieces) if known.issuperset(pieces.split()) else None

    return spell
