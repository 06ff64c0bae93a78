"""Letters and words: one way to write each letter, words found whole, text folded to ASCII."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Iterable, Mapping

from fairseq_instr.text.languages import language_of

_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ẞ": "SS"}
_OTHER = {"ß": "ss", "æ": "ae", "œ": "oe", "Æ": "Ae", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l"}
_MARKS = {"„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}
_IN_GERMAN, _ELSEWHERE, _IN_ASCII = map(str.maketrans, (_GERMAN, _OTHER, _MARKS))
_WORD = re.compile(r"[^\W\d_]+")
# Romanian with a cedilla, as old keyboards write it
_CEDILLA = re.compile("[şţŞŢ]")
_COMMA_BELOW = str.maketrans("şţŞŢ", "șțȘȚ")


def canonical(text: str) -> str:
    """The same text with each letter written one way: composed, Romanian with a comma below."""
    text = unicodedata.normalize("NFC", text)
    return text.translate(_COMMA_BELOW) if _CEDILLA.search(text) else text


def has_words(text: str) -> bool:
    """Whether a text holds a letter or a digit: marks alone say nothing."""
    return any(map(str.isalnum, text))


def same_words(text: str, other: str) -> bool:
    """Whether two texts are the same words, in any case and with any marks; False without words.

    Example: `same_words("Ein Hund!", "EIN HUND")`.
    """
    words = re.findall(r"\w+", canonical(text).casefold())
    return bool(words) and words == re.findall(r"\w+", canonical(other).casefold())


@functools.lru_cache(maxsize=1024)
def whole_words(pattern: str, language: str = "") -> re.Pattern:
    """Finds what is not part of a longer word, in any case.

    Args:
        language: code; if it is given, the pattern is found folded to ASCII as well.
    """
    if language:
        pattern = f"{pattern}|{fold_to_ascii(pattern, language)}"
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)


def any_of(words: Iterable[str]) -> str:
    """A regular expression of some words, the longest first, with any white space inside."""
    spaced = (r"\s+".join(map(re.escape, entry.split())) for entry in words)
    return "|".join(sorted(spaced, key=len, reverse=True))


def fold_to_ascii(text: str, language: str) -> str:
    """Spell a text in ASCII: German umlauts as two letters, elsewhere accents dropped.

    Example: `fold_to_ascii("größer", "de-AT") == "groesser"`.
    """
    table = _IN_GERMAN if language_of(language) == "de" else _ELSEWHERE
    folded = replace_letters(unicodedata.normalize("NFC", text), table).translate(_IN_ASCII)
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def replace_letters(text: str, table: Mapping[int, str]) -> str:
    """Write some letters as one or more others; a word of capitals stays one.

    Args:
        table: as `str.maketrans` gives it, such as that of `Ü` -> `Ue`.

    Example: `ÜBER Übung` -> `UEBER Uebung`.
    """

    def spell(found: re.Match) -> str:
        word, spelled = found.group(), found.group().translate(table)
        in_capitals = len(word) > 1 and word.replace("ß", "").isupper()
        return spelled.upper() if in_capitals else spelled

    return _WORD.sub(spell, text)
