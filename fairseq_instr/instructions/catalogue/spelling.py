"""How words are spelled: ASCII alone, or the Swiss way without ß."""

from __future__ import annotations

import unicodedata
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ẞ": "SS"}
_OTHER = {"ß": "ss", "æ": "ae", "œ": "oe", "Æ": "Ae", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l"}
_PUNCTUATION = {"„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}


def fold_to_ascii(text: str, language: str) -> str:
    """Spell a text in ASCII: German umlauts as two letters, elsewhere accents dropped.

    Example: `fold_to_ascii("größer", "de") == "groesser"`.
    """
    table = {**_PUNCTUATION, **(_GERMAN if language == "de" else _OTHER)}
    folded = unicodedata.normalize("NFC", text).translate(str.maketrans(table))
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _to_ascii(text: str, context: Context) -> Optional[str]:
    folded = fold_to_ascii(text, context.language)
    return folded if folded != text and _is_ascii(folded, context) else None


def _is_ascii(output: str, context: Context) -> bool:
    # German shows whether it was folded; a sentence that needs no umlaut shows nothing
    shown = context.language != "de" or any(pair in output.lower() for pair in _GERMAN.values())
    return any(c.isalpha() for c in output) and output.isascii() and shown


def _to_swiss(text: str, context: Context) -> Optional[str]:
    rewritten = text.replace("ß", "ss").replace("ẞ", "SS")
    return rewritten if rewritten != text else None


def _is_swiss(output: str, context: Context) -> bool:
    return "ß" not in output and "ẞ" not in output and "ss" in output.lower()


INSTRUCTIONS = [
    Instruction(
        "ascii",
        "spelling",
        ("in ASCII", "without umlauts or accents", "with plain letters only"),
        obeys=_is_ascii,
        rewrite=_to_ascii,
        layer=Layer.SPELLING,
        languages=frozenset({"de", "fr", "es", "it", "pt", "ro", "nl", "cs"}),
    ),
    Instruction(
        "swiss",
        "spelling",
        ("in Swiss spelling", "as spelled in Switzerland", "with ss for ß"),
        obeys=_is_swiss,
        rewrite=_to_swiss,
        layer=Layer.SPELLING,
        languages=frozenset({"de"}),
    ),
]
