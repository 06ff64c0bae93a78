"""What the package knows about each language: one file a language.

A new file with a `LANGUAGE` is a new language, and every instruction whose facts it has serves it:

    # swedish.py
    LANGUAGE = Language("sv", name="Swedish", greeting="Hej", thanks="Tack")
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from types import MappingProxyType
from typing import FrozenSet, Mapping

from fairseq_instr.text.languages.language import Language

# ISO 639-3 -> ISO 639-1; of a macrolanguage, also the member that model families name
_SHORT = dict(
    entry.split(":")
    for entry in """
    afr:af amh:am ara:ar arb:ar arg:an asm:as ast:ast azj:az aze:az bel:be ben:bn bos:bs bre:br
    bul:bg cat:ca ces:cs cmn:zh cym:cy dan:da deu:de dzo:dz ekk:et ell:el eng:en epo:eo est:et
    eus:eu fao:fo fas:fa fin:fi fra:fr gle:ga glg:gl guj:gu hat:ht hau:ha heb:he hin:hi hrv:hr
    hun:hu hye:hy ibo:ig ind:id isl:is ita:it jav:jv jpn:ja kan:kn kat:ka kaz:kk khk:mn khm:km
    kin:rw kir:ky kmr:ku kor:ko kur:ku lao:lo lat:la lav:lv lit:lt ltz:lb lvs:lv mal:ml mar:mr
    mkd:mk mlg:mg mlt:mt mon:mn msa:ms mya:my nep:ne nld:nl nno:nn nob:nb nor:no npi:ne oci:oc
    ori:or ory:or pan:pa pbt:ps pes:fa plt:mg pol:pl por:pt pus:ps que:qu quy:qu ron:ro rus:ru
    sin:si slk:sk slv:sl sme:se snd:sd som:so spa:es sqi:sq srp:sr swa:sw swe:sv swh:sw tam:ta
    tel:te tgl:tl tha:th tur:tr uig:ug ukr:uk urd:ur uzb:uz uzn:uz vie:vi vol:vo wln:wa xho:xh
    yid:yi ydd:yi yor:yo zho:zh zsm:ms zul:zu
    """.split()
)
_PART_OF = {"nb": "no", "nn": "no"}
"""Language -> the language that includes it and has a code, too."""
UNSPACED = frozenset({"bo", "dz", "ja", "km", "lo", "my", "th", "zh"})
"""Languages written without spaces between words."""


def language_of(code: str) -> str:
    """The language of a code that may name a region or a script as well.

    Example: `de`, `de_DE`, `de-AT` and `deu_Latn` are all `de`. An unknown code is its own
    first part, in lower case.
    """
    language = re.split("[-_]", code, maxsplit=1)[0].lower()
    return _SHORT.get(language, language)


def same_language(code: str, other: str) -> bool:
    """Whether two codes may name one language: of one language, or one of a part of the other.

    Example: `no` is Norwegian in either standard, so it may be `nb` or `nn`; these two differ.
    """
    one, another = language_of(code), language_of(other)
    return one == another or _PART_OF.get(one) == another or _PART_OF.get(another) == one


@functools.lru_cache(maxsize=None)
def languages() -> Mapping[str, Language]:
    """All languages by code, in the order of their file names."""
    found = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if module.name != "language":
            language = importlib.import_module(f"{__name__}.{module.name}").LANGUAGE
            found[language.code] = language
    return MappingProxyType(found)


@functools.lru_cache(maxsize=None)
def facts(code: str) -> Language:
    """What is known about a language; nothing but its code if it has no file."""
    language = language_of(code)
    return languages().get(language) or Language(language, name=language)


def languages_with(fact: str) -> FrozenSet[str]:
    """Codes of the languages that have a fact, an attribute of `Language`."""
    return frozenset(code for code, language in languages().items() if getattr(language, fact))
