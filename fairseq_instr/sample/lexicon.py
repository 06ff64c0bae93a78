"""The words of `lexicon.yaml`, and the forms that a grammar asks for."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, cast

from fairseq_instr.plain_data import read_yaml

LANGUAGES = ("en", "de", "fr", "it", "nl", "ro")
SMALLEST_NUMBER, LARGEST_NUMBER = 2, 12

# section -> word -> entry -> text; most entries are languages
TABLES = cast(
    Dict[str, Dict[str, Dict[str, Any]]],
    read_yaml(Path(__file__).with_suffix(".yaml"), "sample lexicon"),
)
NOUNS, VERBS, ADJECTIVES = (TABLES[section] for section in ("nouns", "verbs", "adjectives"))
PEOPLE, PLACES, TIMES = (TABLES[section] for section in ("people", "places", "times"))
PREDICATES, REMARKS = TABLES["predicates"], TABLES["remarks"]


@functools.lru_cache(maxsize=None)
def forms(language: str, category: str, word: str) -> Mapping[str, str]:
    """The forms of a `noun`, `verb` or `adjective` by the names of `columns`.

    Forms at the end of a row may be missing (a verb without a particle); they are "".

    Example: forms("de", "noun", "apple") -> {"gender": "m", "singular": "Apfel", ...}
    """
    sections = ("verbs", "modals", "copulas") if category == "verb" else (f"{category}s",)
    row = next(TABLES[section][word] for section in sections if word in TABLES[section])
    columns = TABLES["columns"][language][category].split()
    found = [form.replace("_", " ") for form in row[language].split()]
    return dict(zip(columns, found + [""] * (len(columns) - len(found))))


@functools.lru_cache(maxsize=None)
def phrase(text: str, formality: Optional[str] = None, after_preposition: bool = False) -> str:
    """One form of a written-out phrase: see the file for its notation.

    Example: phrase("du | dich / Sie", "informal", True) -> "dich"
    """
    addresses = text.split(" / ")
    cases = addresses[-1 if formality == "formal" else 0].split(" | ")
    chosen = cases[-1 if after_preposition else 0]
    return "" if chosen == "-" else chosen


def number(language: str, value: int, in_digits: bool, feminine: bool = False) -> str:
    """A number, in digits or in words.

    Example: number("ro", 12, False, feminine=True) -> "douăsprezece"
    """
    if in_digits:
        return str(value)
    words = cast(str, TABLES["numbers"][language]).split()
    genders = words[value - SMALLEST_NUMBER].split("|")
    return genders[-1 if feminine else 0]


def complement(language: str, predicate: str, subject: str) -> str:
    """What follows the verb of a predicate, in agreement with the subject.

    Example: complement("ro", "is happy", "Anna") -> "fericită"
    """
    agreeing = PREDICATES[predicate][language].split()
    who = PEOPLE[subject]
    if len(agreeing) == 1:
        index = 0
    else:
        index = 2 if who["person"] == "3p" else "mf".index(who["gender"])
    return agreeing[index].replace("_", " ")
