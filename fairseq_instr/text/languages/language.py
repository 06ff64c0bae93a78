"""The facts that a language's file may state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Tuple


@dataclass(frozen=True)
class Language:
    """A language. A fact that is empty is unknown, and what rests on it does not serve it.

    Words stand in lower case unless the language capitalises them. A pattern is a regular
    expression; where nothing else is said, it is matched with whole words in any case.

    Attributes:
        code: ISO 639-1.
        name: in English.
        greeting: said in front of a text; in ASCII, so that it reads the same in any spelling.
        thanks: said after a text; in ASCII.
        note: the word for a note, as a label in front of a text.
        picture: the word for a picture.
        translation: the word for a translation.
        guillemets: marks before and after a quotation, with the space inside them.
        spaced_marks: marks with a space before them.
        months: the twelve months, by spaces.
        numbers: the words for 2 to 12, by spaces; forms of one number by a bar, the first one to
            write. A form that also is another word stands in parentheses: it is never read.
        larger_numbers: pattern of the words for larger numbers.
        ordinal_dot: whether a dot behind digits makes them an ordinal.
        articles: all forms, by spaces.
        pronouns: pattern that ends in the form of an article where that is a pronoun; matched
            anywhere in a text, in any case.
        capital_nouns: whether nouns have a capital.
        long_word: letters of the shortest word that is called long.
        units: unit -> its forms, by spaces, the one to write first; a form that also is another
            word is left out.
        folded: pattern of words that show, in a text in ASCII, that an accent was folded.
        misfolded: pattern of words that show that an accent was folded wrongly.
        in_latin: pattern of words that show the language where it is not written in its own script.
        formal: pattern of what only formal address has; this and the next three are matched
            anywhere in a text, and case counts.
        informal: pattern of what only informal address has.
        perhaps_formal: pattern of what is formal where nothing else tells.
        perhaps_informal: pattern of what is informal where nothing else tells.
    """

    code: str
    name: str
    greeting: str = ""
    thanks: str = ""
    note: str = ""
    picture: str = ""
    translation: str = ""
    guillemets: Tuple[str, str] = ("«", "»")
    spaced_marks: str = ""
    months: str = ""
    numbers: str = ""
    larger_numbers: str = ""
    ordinal_dot: bool = False
    articles: str = ""
    pronouns: str = ""
    capital_nouns: bool = False
    long_word: int = 0
    units: Mapping[str, str] = field(default_factory=dict)
    folded: str = ""
    misfolded: str = ""
    in_latin: str = ""
    formal: str = ""
    informal: str = ""
    perhaps_formal: str = ""
    perhaps_informal: str = ""
