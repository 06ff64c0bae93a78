"""Punctuation inside and at the end of the sentence."""

from __future__ import annotations

import re
import unicodedata
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

ELLIPSIS = "..."
_FINAL = re.compile(r"[\s.!?,;:…]+$")
_WORD_JOINERS = "-'’"
_NUMBER_MARKS = ".,:"


def _is_punctuation(text: str, position: int) -> bool:
    """Whether a character is punctuation: not a joiner inside a word or a mark in a number."""
    character = text[position]
    if not unicodedata.category(character).startswith("P"):
        return False
    before, after = text[max(position - 1, 0) : position], text[position + 1 : position + 2]
    in_word = character in _WORD_JOINERS and before.isalnum() and after.isalnum()
    in_number = character in _NUMBER_MARKS and before.isdigit() and after.isdigit()
    return not (in_word or in_number)


def _without_punctuation(text: str, context: Context) -> Optional[str]:
    # a space instead: `and/or` is two words
    kept = "".join(" " if _is_punctuation(text, i) else c for i, c in enumerate(text))
    kept = " ".join(kept.split())
    return kept if kept and kept != text else None


def _has_no_punctuation(output: str, context: Context) -> bool:
    return bool(output.strip()) and not any(_is_punctuation(output, i) for i in range(len(output)))


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
        (
            "without punctuation",
            "with no punctuation marks",
            "leave out all punctuation",
            "drop the punctuation",
            "use no punctuation",
            "words only and no marks",
        ),
        obeys=_has_no_punctuation,
        rewrite=_without_punctuation,
        layer=Layer.PUNCTUATION,
    ),
    Instruction(
        "exclamation",
        "punctuation",
        (
            "with an exclamation mark at the end",
            "as an exclamation",
            "end it with !",
            "end with an exclamation mark",
            "exclaim it",
            "finish with an exclamation mark",
        ),
        **_ending("!"),
    ),
    Instruction(
        "ellipsis",
        "punctuation",
        (
            "with three dots at the end",
            "trailing off",
            "end it with an ellipsis",
            "end with three dots",
            "finish with dots",
            "let it trail off",
        ),
        **_ending(ELLIPSIS),
    ),
    Instruction(
        "question-mark",
        "punctuation",
        (
            "with a question mark at the end",
            "as a question",
            "end it with ?",
            "end with a question mark",
            "ask it",
            "finish with a question mark",
        ),
        **_ending("?"),
    ),
]
