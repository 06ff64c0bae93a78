"""How words are spelled: ASCII alone, the Swiss way without ß, British or American."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Dict, Mapping, Optional

from fairseq_instr.instructions.catalogue.kept import outside_kept, without_kept
from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import (
    any_of,
    canonical,
    fold_to_ascii,
    replace_letters,
    whole_words,
)

_SS = str.maketrans({"ß": "ss", "ẞ": "SS"})


def _shows_folding(text: str, language: str) -> bool:
    """Whether words of a text need an accent, and none was folded wrongly (`fur` for `für`)."""
    known = facts(language)
    wrong = known.misfolded and whole_words(known.misfolded).search(text)
    return not wrong and whole_words(known.folded).search(text) is not None


def _is_ascii(output: str, context: Context) -> bool:
    # a text with nothing to fold shows nothing
    text = without_kept(output)
    return text.isascii() and _shows_folding(text, context.language)


def _to_ascii(text: str, context: Context) -> Optional[str]:
    if text.isascii():
        return None
    folded = outside_kept(text, lambda part: fold_to_ascii(part, context.language))
    return folded if folded != text and _is_ascii(folded, context) else None


def _is_swiss(output: str, context: Context) -> bool:
    if "ss" not in output.lower() or re.search("[ßẞ]", output):
        return False
    return whole_words(facts(context.language).swiss).search(canonical(output)) is not None


def _to_swiss(text: str, context: Context) -> Optional[str]:
    if not re.search("[ßẞ]", text):
        return None
    rewritten = outside_kept(text, lambda part: replace_letters(part, _SS))
    return rewritten if _is_swiss(rewritten, context) else None


# British -> American; stems that take no other spelling, endings are kept
_BRITISH = {
    "aluminium": "aluminum", "analyse": "analyze", "armour": "armor",
    "behaviour": "behavior", "cancelled": "canceled", "catalogue": "catalog", "centre": "center",
    "cheque": "check", "colour": "color", "cosy": "cozy", "defence": "defense",
    "dialogue": "dialog", "favour": "favor", "favourite": "favorite", "fibre": "fiber",
    "flavour": "flavor", "grey": "gray", "harbour": "harbor", "honour": "honor",
    "humour": "humor", "jewellery": "jewelry", "kerb": "curb", "labour": "labor",
    "licence": "license", "litre": "liter", "metre": "meter", "kilometre": "kilometer",
    "centimetre": "centimeter", "modelling": "modeling", "mould": "mold",
    "moustache": "mustache", "neighbour": "neighbor", "neighbourhood": "neighborhood",
    "offence": "offense", "organise": "organize", "organisation": "organization",
    "parlour": "parlor", "plough": "plow",
    "practise": "practice", "programme": "program", "pyjamas": "pajamas", "realise": "realize",
    "recognise": "recognize", "rumour": "rumor", "savour": "savor",
    "sceptic": "skeptic", "theatre": "theater", "towards": "toward", "travelled": "traveled",
    "traveller": "traveler", "travelling": "traveling", "tyre": "tire", "vapour": "vapor",
}  # fmt: skip
# words that the other side of the ocean has too, in another sense
_SHARED = {"check", "curb", "tire", "practice", "license", "program", "dialog", "meter"}
# plurals and verbs that both sides spell alike
_ALIKE = {"analyses", "programmed", "programming"}
_ENDINGS = ("", "s", "ed", "ful", "less", "ing")


def _inflected(word: str, ending: str) -> str:
    """A word with an ending: `centre` and `ed` are `centred`."""
    drops_e = word.endswith("e") and ending in ("ed", "ing")
    return (word[:-1] if drops_e else word) + ending


@functools.lru_cache(maxsize=None)
def _replaced(american: bool) -> Mapping[str, str]:
    words: Dict[str, str] = {}
    for british, in_american in _BRITISH.items():
        for ending in _ENDINGS:
            pair = (_inflected(british, ending), _inflected(in_american, ending))
            old, new = pair if american else pair[::-1]
            if old not in _ALIKE and (american or in_american not in _SHARED):
                words.setdefault(old, new)
    return words


def _in_case_of(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word


def _variety(american: bool, phrases: str) -> Instruction:
    words = _replaced(american)
    unwanted, wanted = whole_words(any_of(words)), whole_words(any_of(_replaced(not american)))

    def obeys(output: str, context: Context) -> bool:
        # a text that needs no such word shows nothing
        return wanted.search(output) is not None and unwanted.search(output) is None

    def write(found: re.Match) -> str:
        return _in_case_of(found.group(), words.get(found.group().lower(), found.group()))

    def rewrite(text: str, context: Context) -> Optional[str]:
        rewritten = outside_kept(text, lambda part: unwanted.sub(write, part))
        return rewritten if rewritten != text and obeys(rewritten, context) else None

    return Instruction(
        "american" if american else "british",
        "spelling",
        phrases,
        obeys=obeys,
        rewrite=rewrite,
        layer=Layer.SPELLING,
        languages=frozenset({"en"}),
    )


_CYRILLIC = {
    **dict(zip("абвгґдеэзиійклмнопрстуфы", "abvggdeeziiyklmnoprstufy")),
    **{"ї": "yi", "х": "kh"},
    **{"ё": "yo", "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya"},
    **{"є": "ye", "ъ": "", "ь": ""},
}
_UKRAINIAN = {"г": "h", "и": "y"}


@functools.lru_cache(maxsize=None)
def _latin_table(language: str) -> Mapping[int, str]:
    letters = {**_CYRILLIC, **(_UKRAINIAN if facts(language).code == "uk" else {})}
    return str.maketrans({**letters, **{c.upper(): v.capitalize() for c, v in letters.items()}})


def _is_latin(output: str, context: Context) -> bool:
    # the prime that stands for a soft sign is a letter of no script
    letters = [c for c in output if c.isalpha() and unicodedata.category(c) != "Lm"]
    return bool(letters) and all("LATIN" in unicodedata.name(c, "") for c in letters)


def _to_latin(text: str, context: Context) -> Optional[str]:
    text = canonical(text)
    rewritten = replace_letters(text, _latin_table(context.language))
    return rewritten if rewritten != text and _is_latin(rewritten, context) else None


INSTRUCTIONS = [
    Instruction(
        "ascii",
        "spelling",
        "in ASCII; without umlauts or accents; with plain letters only;"
        "use ASCII characters only; replace accented letters; avoid special letters",
        obeys=_is_ascii,
        rewrite=_to_ascii,
        layer=Layer.SPELLING,
        languages=languages_with("folded"),
        overlaps=frozenset({"swiss", "latin-script"}),
    ),
    Instruction(
        "swiss",
        "spelling",
        "in Swiss spelling; as spelled in Switzerland; with ss for ß; use Swiss spelling;"
        "spell it the Swiss way; write ss instead of ß",
        obeys=_is_swiss,
        rewrite=_to_swiss,
        layer=Layer.SPELLING,
        languages=languages_with("swiss"),
        overlaps=frozenset({"ascii", "latin-script"}),
    ),
    _variety(
        False,
        "in British spelling; as spelled in Britain; in British English; use British spelling;"
        "spell it the British way; write colour and not color",
    ),
    _variety(
        True,
        "in American spelling; as spelled in America; in American English; use American spelling;"
        "spell it the American way; write color and not colour",
    ),
    Instruction(
        "latin-script",
        "spelling",
        "in Latin script; transliterated; in the Latin alphabet; use Latin letters;"
        "transliterate it; write it without Cyrillic letters",
        obeys=_is_latin,
        rewrite=_to_latin,
        layer=Layer.SPELLING,
        languages=frozenset({"ru", "uk"}),
    ),
]
