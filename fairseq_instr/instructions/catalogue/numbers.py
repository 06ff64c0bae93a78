"""Numbers from two to twelve as digits or as words; `1,200.50` as the source writes it.

One is left alone: it is an article too. Ordinals and numbers with a sign or a symbol stay as they
are: `2. Mai`, `-5`, `2km`, `20 °C`, `5 %`.

Some numerals are other words as well, such as Dutch `elf`, eleven or an elf. No digits are written
for one unless the source has its number. A verifier leaves an output the benefit of the doubt: for
`digits` it is a numeral if the source has its number, for `number-words` if the source has any.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import FrozenSet, List, Mapping, Optional, Tuple

from fairseq_instr.instructions.catalogue.dates import ISO_DATE
from fairseq_instr.instructions.catalogue.kept import outside_kept, without_kept
from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import any_of, canonical, fold_to_ascii, whole_words

_DIGITS = re.compile(r"\d")
# a number that can be said: no part of `1.000`, `10:30`, `-5`, `2km`, `20 °C`, `5 %`, `#5`, `§ 5`,
# `[5]`, `open(2)`, nor `007`
_COUNT = re.compile(
    r"(?<![\w.,:/+−$€£#§\[-])(?<!§ )(?<!\w\()[1-9]\d*"
    r"(?![\w/°%€$£-]|[.,:]\d|[ \u00a0\u202f][°%€$£])"
)
# a number with a mark in it, which languages write differently
_MARKED = re.compile(r"\d+(?:[.,:]\d+)+")


@functools.lru_cache(maxsize=None)
def _forms(language: str) -> List[List[str]]:
    """Words for 2, for 3 and so on."""
    numbers = re.sub("[()]", "", facts(language).numbers)
    return [number.split("|") for number in numbers.split()]


@functools.lru_cache(maxsize=None)
def _ambiguous(language: str) -> FrozenSet[str]:
    """Those that are other words as well."""
    found = re.findall(r"\((\w+)\)", facts(language).numbers)
    return frozenset(s for form in found for s in (form, fold_to_ascii(form, language)))


@functools.lru_cache(maxsize=None)
def _values(language: str) -> Mapping[str, str]:
    return {
        spelled: str(value)
        for value, forms in enumerate(_forms(language), start=2)
        for form in forms
        for spelled in (form, fold_to_ascii(form, language))
    }


@functools.lru_cache(maxsize=None)
def _number_words(language: str, larger: bool = True) -> re.Pattern:
    """Finds number words; the larger ones first, so that `dix-sept` is one."""
    small = any_of(_values(language))
    return whole_words(f"{facts(language).larger_numbers}|{small}" if larger else small, language)


@functools.lru_cache(maxsize=None)
def _certain_values() -> Mapping[str, str]:
    """Numerals of all languages that are nothing else: which one a source is in is not known."""
    return {
        word: value
        for language in sorted(languages_with("numbers"))
        for word, value in _values(language).items()
        if word not in _ambiguous(language)
    }


def _numbers(source: str) -> Counter:
    """How often a source has which number, in digits or in words."""
    words, values = re.findall(r"\w+", canonical(source).lower()), _certain_values()
    return Counter(values.get(word, word) for word in words if word in values or word.isdecimal())


def _numerals(text: str, language: str) -> Tuple[bool, Counter]:
    """Whether a text has unambiguous numerals, and how many ambiguous ones of each value."""
    values, ambiguous = _values(language), _ambiguous(language)
    words = [word.lower() for word in _number_words(language).findall(text)]
    in_doubt = Counter(values[word] for word in words if word in ambiguous)
    return len(words) > sum(in_doubt.values()), in_doubt


def _in_digits(output: str, context: Context) -> bool:
    text = canonical(without_kept(output))
    certain, in_doubt = _numerals(text, context.language)
    if certain or not _DIGITS.search(text):
        return False
    return not in_doubt or in_doubt.keys().isdisjoint(_numbers(context.source))


def _to_digits(text: str, context: Context) -> Optional[str]:
    words, values = _number_words(context.language), _values(context.language)
    capital_nouns = facts(context.language).capital_nouns

    def write(found: re.Match) -> str:
        word, before = found.group(), found.string[: found.start()]
        if capital_nouns and word.istitle() and re.search(r"[\w,;] \Z", before):
            return word  # a noun: `der Elf`, `in Acht nehmen`
        return values.get(word.lower(), word)

    text = canonical(text)
    if not _number_words(context.language, larger=False).search(text):  # true of most texts
        return None
    in_doubt = _numerals(text, context.language)[1]
    if in_doubt and in_doubt - _numbers(context.source):
        return None
    rewritten = outside_kept(text, lambda part: words.sub(write, part))
    return rewritten if rewritten != text and _in_digits(rewritten, context) else None


def _in_words(output: str, context: Context) -> bool:
    text = ISO_DATE.sub(" ", canonical(without_kept(output)))  # a date stays in digits
    if _DIGITS.search(text):
        return False
    certain, in_doubt = _numerals(text, context.language)
    return certain or (bool(in_doubt) and bool(_numbers(context.source)))


def _to_words(text: str, context: Context) -> Optional[str]:
    forms = _forms(context.language)
    ordinal = r"\. *\w" if facts(context.language).ordinal_dot else r"\.\w"

    def spell(found: re.Match) -> str:
        value = int(found.group()) - 2
        if re.match(ordinal, found.string[found.end() :]) or not 0 <= value < len(forms):
            return found.group()
        return forms[value][0]

    text = canonical(text)
    rewritten = outside_kept(text, lambda part: _COUNT.sub(spell, part))
    rewritten = rewritten[:1].upper() + rewritten[1:] if text[:1].isdigit() else rewritten
    return rewritten if rewritten != text and _in_words(rewritten, context) else None


def _keeps_numbers(output: str, context: Context) -> bool:
    wanted = Counter(_MARKED.findall(context.source))
    found = Counter(_MARKED.findall(output))
    return bool(wanted) and all(found[number] == count for number, count in wanted.items())


def _as_in_source(text: str, context: Context) -> Optional[str]:
    """`1.200,50` of a German text as the `1,200.50` of its source, where the digits agree."""
    written = {re.sub(r"\D", "", n): n for n in _MARKED.findall(context.source)}
    if not written:
        return None
    rewritten = _MARKED.sub(
        lambda found: written.get(re.sub(r"\D", "", found.group()), found.group()), text
    )
    return rewritten if rewritten != text and _keeps_numbers(rewritten, context) else None


INSTRUCTIONS = [
    Instruction(
        "digits",
        "numbers",
        "with numbers as digits; write numbers in figures; use digits;"
        "use figures for numbers; put numbers in digits; numerals instead of number words",
        obeys=_in_digits,
        rewrite=_to_digits,
        languages=languages_with("numbers"),
    ),
    Instruction(
        "number-words",
        "numbers",
        "with numbers as words; write numbers out; spell the numbers; spell out every number;"
        "use words for numbers; number words instead of numerals",
        obeys=_in_words,
        rewrite=_to_words,
        languages=languages_with("numbers"),
    ),
    Instruction(
        "keep-numbers",
        "numbers",
        "with numbers as in the source; leave numbers untouched; numbers exactly as given;"
        "keep the numbers; copy every number as it is written; keep the source's number format",
        obeys=_keeps_numbers,
        rewrite=_as_in_source,
    ),
]
