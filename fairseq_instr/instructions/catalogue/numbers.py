"""Numbers from two to twelve as digits or as words; `1,200.50` as the source writes it.

One is left alone: it is an article too.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

NUMBER_WORDS = {
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "en": "two three four five six seven eight nine ten eleven twelve",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici",
    "nl": "twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "ro": "două trei patru cinci șase șapte opt nouă zece unsprezece douăsprezece",
}
# other forms of the same numbers: Romanian agrees in gender, Italian `sei` is also a verb
OTHER_FORMS = {"ro": {"doi": "2", "doisprezece": "12"}, "de": {"zwo": "2"}}
AMBIGUOUS = {"it": {"sei"}, "fr": set(), "ro": {"nouă"}}

_NUMBER = re.compile(r"(?<![\w.,:])\d+(?![\w]|[.,:]\d)")


@functools.lru_cache(maxsize=None)
def _values(language: str):
    """Number word -> digits in one language."""
    words = NUMBER_WORDS[language].split()
    values = {word: str(n) for n, word in enumerate(words, start=2)}
    values.update(OTHER_FORMS.get(language, {}))
    return {w: v for w, v in values.items() if w not in AMBIGUOUS.get(language, ())}


@functools.lru_cache(maxsize=None)
def _number_word(language: str) -> re.Pattern:
    return re.compile(rf"\b(?:{'|'.join(_values(language))})\b", re.IGNORECASE)


def _to_digits(text: str, context: Context) -> Optional[str]:
    values = _values(context.language)
    pattern = _number_word(context.language)
    if not pattern.search(text):
        return None
    rewritten = pattern.sub(lambda m: values.get(m.group().lower(), m.group()), text)
    return rewritten if rewritten != text and _in_digits(rewritten, context) else None


@functools.lru_cache(maxsize=None)
def _words(language: str):
    """Digits -> number word in one language."""
    return {str(n): word for n, word in enumerate(NUMBER_WORDS[language].split(), start=2)}


def _to_words(text: str, context: Context) -> Optional[str]:
    numbers = _NUMBER.findall(text)
    words = _words(context.language)
    if not numbers or not all(number in words for number in numbers):
        return None
    rewritten = _NUMBER.sub(lambda m: words[m.group()], text)
    rewritten = rewritten[:1].upper() + rewritten[1:] if text[:1].isdigit() else rewritten
    return rewritten if rewritten != text and _in_words(rewritten, context) else None


def _has_number_word(output: str, language: str) -> bool:
    return _number_word(language).search(output) is not None


def _in_digits(output: str, context: Context) -> bool:
    return bool(_NUMBER.search(output)) and not _has_number_word(output, context.language)


def _in_words(output: str, context: Context) -> bool:
    return _has_number_word(output, context.language) and not re.search(r"\d", output)


# a number with a mark in it, which languages write differently
_MARKED = re.compile(r"\d+(?:[.,:]\d+)+")


def _keeps_numbers(output: str, context: Context) -> bool:
    wanted = Counter(_MARKED.findall(context.source))
    found = Counter(_MARKED.findall(output))
    return bool(wanted) and all(found[number] == count for number, count in wanted.items())


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _as_in_source(text: str, context: Context) -> Optional[str]:
    """`1.200,50` of a German text as the `1,200.50` of its source, where the digits agree."""
    written = {_digits(number): number for number in _MARKED.findall(context.source)}
    if not written:
        return None
    rewritten = _MARKED.sub(lambda m: written.get(_digits(m.group()), m.group()), text)
    return rewritten if rewritten != text and _keeps_numbers(rewritten, context) else None


INSTRUCTIONS = [
    Instruction(
        "digits",
        "numbers",
        (
            "with numbers as digits",
            "write numbers in figures",
            "use digits",
            "use figures for numbers",
            "put numbers in digits",
            "numerals instead of number words",
        ),
        obeys=_in_digits,
        rewrite=_to_digits,
        layer=Layer.WORDING,
        languages=frozenset(NUMBER_WORDS),
    ),
    Instruction(
        "number-words",
        "numbers",
        (
            "with numbers as words",
            "write numbers out",
            "spell the numbers",
            "spell out every number",
            "use words for numbers",
            "number words instead of numerals",
        ),
        obeys=_in_words,
        rewrite=_to_words,
        layer=Layer.WORDING,
        languages=frozenset(NUMBER_WORDS),
    ),
    Instruction(
        "keep-numbers",
        "numbers",
        (
            "with numbers as in the source",
            "leave numbers untouched",
            "numbers exactly as given",
            "keep the numbers",
            "copy every number as it is written",
            "keep the source's number format",
        ),
        obeys=_keeps_numbers,
        rewrite=_as_in_source,
        layer=Layer.WORDING,
    ),
]
