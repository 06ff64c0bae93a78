"""Punctuation inside and at the end of the sentence."""

from __future__ import annotations

import re
import unicodedata
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

ELLIPSIS = "..."
_FINAL = re.compile(r"[\s.!?,;:…]+$")
_WORD_JOINERS = "-'’"


def _is_punctuation(text: str, position: int) -> bool:
    """Whether a character is punctuation; a joiner between two letters belongs to its word."""
    character = text[position]
    if not unicodedata.category(character).startswith("P"):
        return False
    between_letters = (
        0 < position < len(text) - 1
        and text[position - 1].isalnum()
        and text[position + 1].isalnum()
    )
    return not (character in _WORD_JOINERS and between_letters)


def _without_punctuation(text: str, context: Context) -> Optional[str]:
    kept = "".join(c for i, c in enumerate(text) if not _is_punctuation(text, i))
    kept = " ".join(kept.split())
    return kept if kept and kept != text else None


def _has_no_punctuation(output: str, context: Context) -> bool:
    return bool(output.strip()) and not any(
        _is_punctuation(output, i) for i in range(len(output))
    )


def _ending(mark: str):
    def obeys(output: str, context: Context) -> bool:
        output = output.rstrip()
        return output.endswith(mark) and output != mark

    def rewrite(text: str, context: Context) -> Optional[str]:
        body = _FINAL.sub("", text)
        return body + mark if body and body + mark != text else None

    return {"obeys": obeys, "rewrite": rewrite, "layer": Layer.PUNCTUATION}


INSTRUCTIONS = [
    Instruction(
        "no-punctuation",
        "punctuation",
        ("without punctuation", "with no punctuation marks", "leave out all punctuation"),
        obeys=_has_no_punctuation,
        rewrite=_without_punctuation,
        layer=Layer.PUNCTUATION,
    ),
    Instruction(
        "exclamation",
        "punctuation",
        ("with an exclamation mark at the end", "as an exclamation", "end it with !"),
        **_ending("!"),
    ),
    Instruction(
        "ellipsis",
        "punctuation",
        ("with three dots at the end", "trailing off", "end it with an ellipsis"),
        **_ending(ELLIPSIS),
    ),
]
