"""Numbers from two to twelve as digits or as words. One is left alone: it is an article too."""

from __future__ import annotations

import re
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

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(?<![\w.,:])\d+(?![\w]|[.,:]\d)")


def _values(language: str):
    """Number word -> digits in one language."""
    words = NUMBER_WORDS[language].split()
    values = {word: str(n) for n, word in enumerate(words, start=2)}
    values.update(OTHER_FORMS.get(language, {}))
    return {w: v for w, v in values.items() if w not in AMBIGUOUS.get(language, ())}


def _to_digits(text: str, context: Context) -> Optional[str]:
    values = _values(context.language)
    rewritten = _WORD.sub(lambda m: values.get(m.group().lower(), m.group()), text)
    return rewritten if rewritten != text and _in_digits(rewritten, context) else None


def _to_words(text: str, context: Context) -> Optional[str]:
    words = {str(n): w for n, w in enumerate(NUMBER_WORDS[context.language].split(), start=2)}
    if not all(number in words for number in _NUMBER.findall(text)):
        return None
    rewritten = _NUMBER.sub(lambda m: words[m.group()], text)
    rewritten = rewritten[:1].upper() + rewritten[1:] if text[:1].isdigit() else rewritten
    return rewritten if rewritten != text and _in_words(rewritten, context) else None


def _has_number_word(output: str, language: str) -> bool:
    values = _values(language)
    return any(word.lower() in values for word in _WORD.findall(output))


def _in_digits(output: str, context: Context) -> bool:
    return bool(_NUMBER.search(output)) and not _has_number_word(output, context.language)


def _in_words(output: str, context: Context) -> bool:
    return _has_number_word(output, context.language) and not re.search(r"\d", output)


INSTRUCTIONS = [
    Instruction(
        "digits",
        "numbers",
        ("with numbers as digits", "write numbers in figures", "use digits"),
        obeys=_in_digits,
        rewrite=_to_digits,
        layer=Layer.WORDING,
        languages=frozenset(NUMBER_WORDS),
    ),
    Instruction(
        "number-words",
        "numbers",
        ("with numbers as words", "write numbers out", "spell the numbers"),
        obeys=_in_words,
        rewrite=_to_words,
        layer=Layer.WORDING,
        languages=frozenset(NUMBER_WORDS),
    ),
]
