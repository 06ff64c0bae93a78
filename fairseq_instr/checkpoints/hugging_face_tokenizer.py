"""The tokenizer of a Hugging Face folder as subwords, and as fairseq's `--bpe hugging_face`.

A piece is its id in decimals, as in the dictionary that the conversion wrote. Special tokens are
never read from a text: whoever types `</s>` gets the pieces that spell it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Sequence

from fairseq.data.encoders import register_bpe
from fairseq.dataclass import FairseqDataclass

from fairseq_instr.checkpoints.hugging_face_vocabulary import load_tokenizer
from fairseq_instr.errors import InputError
from fairseq_instr.subwords import Subwords


class HuggingFaceSubwords:
    """A Hugging Face tokenizer as text -> space-separated ids, and back.

    Args:
        folder: with `tokenizer.json`.

    Raises:
        InputError: if there is none.
    """

    def __init__(self, folder):
        self._tokenizer = load_tokenizer(folder)
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, text: str) -> str:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return " ".join(map(str, ids))

    def decode(self, pieces: str) -> str:
        """Inverse of `encode`, but that line breaks become spaces: an output is a line."""
        return " ".join(self.text(pieces.split()).splitlines())

    def text(self, pieces: Sequence[str]) -> str:
        """Inverse of `encode`, line breaks included; `<unk>` and the like are left out."""
        ids: List[int] = [int(piece) for piece in pieces if piece.isdigit()]
        return self._tokenizer.decode(ids, skip_special_tokens=True)


def load_subwords(path):
    """What encodes text: a SentencePiece model, or the tokenizer of a Hugging Face folder.

    Raises:
        InputError: if it is neither.
    """
    return HuggingFaceSubwords(path) if Path(path).is_dir() else Subwords(path)


@dataclass
class HuggingFaceConfig(FairseqDataclass):
    tokenizer_folder: str = field(
        default="",
        metadata={"help": "folder tokenizer/ that scripts/convert_llama_checkpoint.py wrote"},
    )


@register_bpe("hugging_face", dataclass=HuggingFaceConfig)
class HuggingFaceBPE(HuggingFaceSubwords):
    """`--bpe hugging_face --tokenizer-folder FOLDER`: raw text for `fairseq-interactive`.

    Raises:
        InputError: if the folder is not given or holds no tokenizer.
    """

    def __init__(self, cfg):
        if not cfg.tokenizer_folder:
            raise InputError("--bpe hugging_face needs --tokenizer-folder FOLDER")
        super().__init__(cfg.tokenizer_folder)
