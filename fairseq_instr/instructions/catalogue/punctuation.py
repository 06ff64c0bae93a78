"""Punctuation inside and at the end of the sentence."""

from __future__ import annotations

import re
import unicodedata
from typing import Optional

from fairseq_instr.instructions.catalogue.kept import outside_kept, without_kept
from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.languages import facts
from fairseq_instr.text.letters import has_words

_FINAL = re.compile(r"[\s.!?,;:…]+$")
_SENTENCE_END = re.compile(r"[.!?…]\s+")
_WORD_JOINERS = "-'’"
_NUMBER_MARKS = ".,:/–"
_SYMBOLS = "%‰&#@§*"
"""Punctuation to Unicode that says something: `5 %` is not `5`."""


def _is_mark(text: str, position: int) -> bool:
    """Whether a character is a punctuation mark; what stands in a word or a number is none."""
    character = text[position]
    if not unicodedata.category(character).startswith("P") or character in _SYMBOLS:
        return False
    before, after = text[max(position - 1, 0) : position], text[position + 1 : position + 2]
    in_word = character in _WORD_JOINERS and before.isalnum() and after.isalnum()
    in_number = character in _NUMBER_MARKS and before.isdigit() and after.isdigit()
    minus = character == "-" and not before.strip() and after.isdigit()
    return not (in_word or in_number or minus)


def _without_marks(text: str) -> str:
    # a space instead: `and/or` is two words
    return "".join(" " if _is_mark(text, i) else c for i, c in enumerate(text))


def _has_no_marks(output: str, context: Context) -> bool:
    text = without_kept(output)
    return has_words(text) and not any(_is_mark(text, i) for i in range(len(text)))


def _drop_marks(text: str, context: Context) -> Optional[str]:
    kept = " ".join(outside_kept(text, _without_marks).split())
    return kept if kept != text and _has_no_marks(kept, context) else None


def _ending(name: str, mark: str, ends: str, phrases: str) -> Instruction:
    """End a text in a mark; a text that matches the pattern `ends` at its end obeys."""
    end = re.compile(rf"(?:{ends})\s*\Z")

    def obeys(output: str, context: Context) -> bool:
        found = end.search(output)
        return found is not None and has_words(output[: found.start()])

    def rewrite(text: str, context: Context) -> Optional[str]:
        body = _FINAL.sub("", text)
        if not has_words(body) or obeys(text, context):
            return None
        language = facts(context.language)
        if language.opening_marks:
            start = max((found.end() for found in _SENTENCE_END.finditer(body)), default=0)
            opening = language.opening_marks.get(mark, "")
            body = body[:start] + opening + body[start:].lstrip("¡¿")
        return body + (" " if mark in language.spaced_marks else "") + mark

    return Instruction(
        name,
        "punctuation",
        phrases,
        obeys=obeys,
        rewrite=rewrite,
        layer=Layer.PUNCTUATION,
    )


INSTRUCTIONS = [
    Instruction(
        "no-punctuation",
        "punctuation",
        "without punctuation; with no punctuation marks; leave out all punctuation;"
        "drop the punctuation; use no punctuation; words only and no marks",
        obeys=_has_no_marks,
        rewrite=_drop_marks,
        layer=Layer.PUNCTUATION,
    ),
    _ending(
        "exclamation",
        "!",
        "!",
        "with an exclamation mark at the end; as an exclamation; end it with !;"
        "end with an exclamation mark; exclaim it; finish with an exclamation mark",
    ),
    _ending(
        "ellipsis",
        "...",
        r"(?<!\.)\.\.\.|…",
        "with three dots at the end; trailing off; end it with an ellipsis; end with three dots;"
        "finish with dots; let it trail off",
    ),
    _ending(
        "question-mark",
        "?",
        r"\?",
        "with a question mark at the end; as a question; end it with ?;"
        "end with a question mark; ask it; finish with a question mark",
    ),
]
