"""How words are spelled: ASCII alone, the Swiss way without ß, British or American."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Dict, Mapping, Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ẞ": "SS"}
_OTHER = {"ß": "ss", "æ": "ae", "œ": "oe", "Æ": "Ae", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l"}
_PUNCTUATION = {"„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}


def fold_to_ascii(text: str, language: str) -> str:
    """Spell a text in ASCII: German umlauts as two letters, elsewhere accents dropped.

    Example: `fold_to_ascii("größer", "de") == "groesser"`.
    """
    folded = unicodedata.normalize("NFC", text).translate(_ascii_table(language == "de"))
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@functools.lru_cache(maxsize=None)
def _ascii_table(german: bool) -> Mapping[int, str]:
    return str.maketrans({**_PUNCTUATION, **(_GERMAN if german else _OTHER)})


def _to_ascii(text: str, context: Context) -> Optional[str]:
    if text.isascii():
        return None
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


# British -> American; stems that take no other spelling, endings are kept
_BRITISH = {
    "aluminium": "aluminum", "analyse": "analyze", "analysing": "analyzing", "armour": "armor",
    "behaviour": "behavior", "cancelled": "canceled", "catalogue": "catalog", "centre": "center",
    "cheque": "check", "colour": "color", "cosy": "cozy", "defence": "defense",
    "dialogue": "dialog", "favour": "favor", "favourite": "favorite", "fibre": "fiber",
    "flavour": "flavor", "grey": "gray", "harbour": "harbor", "honour": "honor",
    "humour": "humor", "jewellery": "jewelry", "kerb": "curb", "labour": "labor",
    "licence": "license", "litre": "liter", "metre": "meter", "kilometre": "kilometer",
    "centimetre": "centimeter", "modelling": "modeling", "mould": "mold",
    "moustache": "mustache", "neighbour": "neighbor", "neighbourhood": "neighborhood",
    "offence": "offense", "organise": "organize", "organised": "organized",
    "organisation": "organization", "parlour": "parlor", "plough": "plow",
    "practise": "practice", "programme": "program", "pyjamas": "pajamas", "realise": "realize",
    "realised": "realized", "recognise": "recognize", "rumour": "rumor", "savour": "savor",
    "sceptic": "skeptic", "theatre": "theater", "towards": "toward", "travelled": "traveled",
    "traveller": "traveler", "travelling": "traveling", "tyre": "tire", "vapour": "vapor",
}  # fmt: skip
# words that the other side of the ocean has too, in another sense
_SHARED = {"check", "curb", "tire", "practice", "license", "program", "dialog", "meter"}
_ENDINGS = ("", "s", "ed", "ful", "less", "ing")


@functools.lru_cache(maxsize=None)
def _variants(american: bool):
    """(pattern of the words to replace, word -> its replacement) towards one variety."""
    words: Dict[str, str] = {}
    for british, in_american in _BRITISH.items():
        for ending in _ENDINGS:
            pair = (british + ending, in_american + ending)
            old, new = pair if american else pair[::-1]
            if american or in_american not in _SHARED:
                words.setdefault(old, new)
    # the longest first: `favourite` is not `favour` and an ending
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(ordered)})\b", re.IGNORECASE | re.ASCII), words


def _in_case_of(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word


def _variety(american: bool):
    pattern, words = _variants(american)
    wanted, _ = _variants(not american)

    def obeys(output: str, context: Context) -> bool:
        # a text that needs no such word shows nothing
        return wanted.search(output) is not None and pattern.search(output) is None

    def rewrite(text: str, context: Context) -> Optional[str]:
        rewritten = pattern.sub(
            lambda found: _in_case_of(found.group(), words[found.group().lower()]), text
        )
        return rewritten if rewritten != text and obeys(rewritten, context) else None

    return {
        "obeys": obeys,
        "rewrite": rewrite,
        "layer": Layer.SPELLING,
        "languages": frozenset({"en"}),
    }


_CYRILLIC = {
    **dict(zip("абвгґдеэзиійклмнопрстуфы", "abvggdeeziiyklmnoprstufy")),
    **{"ї": "yi", "х": "kh"},
    **{"ё": "yo", "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya"},
    **{"є": "ye", "ъ": "", "ь": ""},
}
_UKRAINIAN = {"г": "h", "и": "y"}


@functools.lru_cache(maxsize=None)
def _latin_table(language: str) -> Mapping[int, str]:
    letters = {**_CYRILLIC, **(_UKRAINIAN if language == "uk" else {})}
    return str.maketrans({**letters, **{c.upper(): v.capitalize() for c, v in letters.items()}})


def _is_latin(output: str, context: Context) -> bool:
    letters = [c for c in output if c.isalpha()]
    return bool(letters) and all("LATIN" in unicodedata.name(c, "") for c in letters)


def _to_latin(text: str, context: Context) -> Optional[str]:
    rewritten = text.translate(_latin_table(context.language))
    return rewritten if rewritten != text and _is_latin(rewritten, context) else None


INSTRUCTIONS = [
    Instruction(
        "ascii",
        "spelling",
        (
            "in ASCII",
            "without umlauts or accents",
            "with plain letters only",
            "use ASCII characters only",
            "replace accented letters",
            "avoid special letters",
        ),
        obeys=_is_ascii,
        rewrite=_to_ascii,
        layer=Layer.SPELLING,
        # not Dutch: three of four Dutch sentences are in ASCII anyway
        languages=frozenset({"de", "fr", "es", "it", "pt", "ro", "cs"}),
        overlaps=frozenset({"swiss", "latin-script"}),
    ),
    Instruction(
        "swiss",
        "spelling",
        (
            "in Swiss spelling",
            "as spelled in Switzerland",
            "with ss for ß",
            "use Swiss spelling",
            "spell it the Swiss way",
            "write ss instead of ß",
        ),
        obeys=_is_swiss,
        rewrite=_to_swiss,
        layer=Layer.SPELLING,
        languages=frozenset({"de"}),
        overlaps=frozenset({"ascii", "latin-script"}),
    ),
    Instruction(
        "british",
        "spelling",
        (
            "in British spelling",
            "as spelled in Britain",
            "in British English",
            "use British spelling",
            "spell it the British way",
            "write colour and not color",
        ),
        **_variety(american=False),
    ),
    Instruction(
        "american",
        "spelling",
        (
            "in American spelling",
            "as spelled in America",
            "in American English",
            "use American spelling",
            "spell it the American way",
            "write color and not colour",
        ),
        **_variety(american=True),
    ),
    Instruction(
        "latin-script",
        "spelling",
        (
            "in Latin script",
            "transliterated",
            "in the Latin alphabet",
            "use Latin letters",
            "transliterate it",
            "write it without Cyrillic letters",
        ),
        obeys=_is_latin,
        rewrite=_to_latin,
        layer=Layer.SPELLING,
        languages=frozenset({"ru", "uk"}),
    ),
]
