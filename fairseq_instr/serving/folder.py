"""What an exported folder holds beside CTranslate2's own files.

`instructions.yaml` is the inventory, `serving.json` says how a line is rendered (`Settings`), and
`subwords.model` are the subwords, where the model has some. The source vocabulary is the
dictionary followed by the inventory's symbols, which hold a space: no text has one of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.plain_data import build, read_json
from fairseq_instr.prompts.options import RENDERINGS, SYMBOLS
from fairseq_instr.prompts.tokens import PLACEMENTS

MODEL_FILE = "model.bin"
SETTINGS_FILE = "serving.json"
SUBWORDS_FILE = "subwords.model"
AGAIN = "export the model again"
QUANTIZATIONS = ("float32", "int8", "int8_float32", "int16", "float16", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """How a line is rendered for an exported model."""

    placement: str  # where its prompt stands, one of `PLACEMENTS`
    source: str  # source language
    target: str  # target language
    direction: bool  # whether each line gets the instruction `to:TARGET`
    max_source: int  # longest source in tokens, prompt and eos included
    max_target: int  # positions of the decoder
    rendering: str = SYMBOLS  # what says an instruction, one of `RENDERINGS`
    # how many instructions of the inventory, from the first, the model was trained with; None for
    # all of them
    learned: Optional[int] = None
    # of a pretrained model, as `LanguageTokens.of_list` reads them; None for none
    language_tokens: Optional[list] = None
    # languages that the model translates from; none for `source` alone
    sources: Sequence[str] = ()

    def save(self, folder: Path) -> None:
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)
        write_atomically(folder / SETTINGS_FILE, text + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Settings":
        """Inverse of `save`; an `InputError` if the file is missing or not as `save` writes it."""
        path = folder / SETTINGS_FILE
        settings = build(cls, read_json(path, AGAIN), str(path))
        if (
            settings.placement not in PLACEMENTS
            or settings.rendering not in RENDERINGS
            or min(settings.max_source, settings.max_target) < 2
        ):
            raise InputError(
                f"{path}: placement is one of {', '.join(PLACEMENTS)}, rendering one of "
                f"{', '.join(RENDERINGS)}, and max_source and max_target are above 1; {AGAIN}"
            )
        return settings


def read_vocabulary(folder: Path, side: str) -> List[str]:
    """Tokens of one side by id; CTranslate2 keeps one file where both are the same.

    Raises:
        InputError: if there is none, or it is no list of different strings.
    """
    shared = folder / "shared_vocabulary.json"
    path = shared if shared.is_file() else folder / f"{side}_vocabulary.json"
    tokens = read_json(path, AGAIN)
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InputError(f"{path} is no list of tokens; {AGAIN}")
    repeated = find_repeated(tokens)
    if repeated is not None:
        raise InputError(f"{path} has the token {repeated!r:.80} twice; {AGAIN}")
    return tokens


def find_repeated(tokens: List[str]) -> Optional[str]:
    """A token that is there more than once, or None."""
    return next((token for token, count in Counter(tokens).items() if count > 1), None)
