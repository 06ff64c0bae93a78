"""The facts that a language's file may state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Tuple


@dataclass(frozen=True)
class Language:
    """A language. A fact that is empty is unknown, and what rests on it does not serve it.

    Words stand in lower case unless the language capitalises them. A pattern is a regular
    expression; where nothing else is said, it is matched with whole words in any case.
    """

    code: str  # ISO 639-1
    name: str  # in English
    # said in front of a text, by bars; the first one, which is written, in ASCII, so that it reads
    # the same in any spelling
    greeting: str = ""
    thanks: str = ""  # said after a text; in ASCII
    note: str = ""  # the word for a note, as a label in front of a text
    picture: str = ""  # the word for a picture
    translation: str = ""  # the word for a translation
    # marks before and after a quotation, with the space inside them
    guillemets: Tuple[str, str] = ("«", "»")
    spaced_marks: str = ""  # marks with a space before them
    # mark at the end of a sentence -> the mark at its start
    opening_marks: Mapping[str, str] = field(default_factory=dict)
    months: str = ""  # the twelve months, by spaces
    # the words for 2 to 12, by spaces; forms of one number by a bar, the first one to write. A form
    # that also is another word stands in parentheses: it is a number if the source has that number
    numbers: str = ""
    larger_numbers: str = ""  # pattern of the words for larger numbers
    ordinal_dot: bool = False  # whether a dot behind digits makes them an ordinal
    articles: str = ""  # all forms, by spaces
    # pattern that ends in the form of an article where that is a pronoun; matched anywhere in a
    # text, in any case
    pronouns: str = ""
    capital_nouns: bool = False  # whether nouns have a capital
    long_word: int = 0  # letters of the shortest word that is called long
    # unit -> its forms, by spaces, the one to write first; a form that also is another word is left
    # out
    units: Mapping[str, str] = field(default_factory=dict)
    folded: str = ""  # pattern of words that show, in a text in ASCII, that an accent was folded
    swiss: str = ""  # pattern of words that have ss in Switzerland and ß elsewhere
    misfolded: str = ""  # pattern of words that show that an accent was folded wrongly
    # pattern of words that show the language where it is not written in its own script
    in_latin: str = ""
    # pattern of what only formal address has; this and the next three are matched anywhere in a
    # text, and case counts
    formal: str = ""
    informal: str = ""  # pattern of what only informal address has
    perhaps_formal: str = ""  # pattern of what is formal where nothing else tells
    perhaps_informal: str = ""  # pattern of what is informal where nothing else tells
