"""What a sentence pair must be like, whatever the instruction.

A filter is called with source and target, and returns the reason against the pair, or None.
It looks at nothing else, so that it says the same in every shard.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Callable, Collection, Iterable, Optional, Sequence, Tuple, Union

from fairseq_instr.errors import InputError
from fairseq_instr.text.identification import LangidIdentifier, identify, is_in
from fairseq_instr.text.languages import language_of
from fairseq_instr.text.lines import iterate_lines
from fairseq_instr.text.subwords import Spell, speller

Filter = Callable[[str, str], Optional[str]]

EMPTY = "source or target is empty"
CONTROL = "holds control characters"
LENGTH_RATIO = "lengths differ too much"
IN_TEST_SET = "stands in a test set"
SOURCE_LANGUAGE = "source is in another language"
TARGET_LANGUAGE = "target is in another language"

LENGTH_SLACK = 15  # characters added to both lengths: short lines may differ by more

# a tab ends a field, some end a line to some programs, and a lone surrogate is no character
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def well_formed(source: str, target: str) -> Optional[str]:
    """Neither empty nor with characters that break a line or a field."""
    if not source.strip() or not target.strip():
        return EMPTY
    return CONTROL if _CONTROL.search(source) or _CONTROL.search(target) else None


def reason_against(filters: Iterable[Filter], source: str, target: str) -> Optional[str]:
    """What the first filter that refuses a pair says; None if all accept the pair."""
    return next(filter(None, (check(source, target) for check in filters)), None)


def length_ratio(limit: float) -> Filter:
    """Pairs of which the longer side has at most `limit` times the characters of the other.

    `LENGTH_SLACK` is added to both sides.
    """
    if not limit > 1:
        raise InputError(f"--max-length-ratio {limit} is not accepted: give a number above 1")

    def check(source: str, target: str) -> Optional[str]:
        short, long = sorted((len(source) + LENGTH_SLACK, len(target) + LENGTH_SLACK))
        return LENGTH_RATIO if long > limit * short else None

    return check


def normalised(text: str) -> str:
    """Letters and digits alone, case folded: how lines of a test set are compared.

    Example: `normalised("Hello, World !") == "helloworld"`.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum())


def _fingerprint(text: str) -> bytes:
    return blake2b(normalised(text).encode("utf-8"), digest_size=8).digest()


def not_in(test_sets: Iterable) -> Filter:
    """Pairs of which neither side is a line of the given files (plain or gzip, any language)."""
    lines = {_fingerprint(line) for path in test_sets for line in iterate_lines(path)}
    lines.discard(_fingerprint(""))

    def check(source: str, target: str) -> Optional[str]:
        found = _fingerprint(source) in lines or _fingerprint(target) in lines
        return IN_TEST_SET if found else None

    return check


def in_languages(source_language: str, target_language: str, among: Collection[str] = ()) -> Filter:
    """Pairs that langid takes for the two languages, when it has to choose between them.

    Choosing between few is what langid can do with short lines as well. A line without letters is
    in any language.

    Args:
        among: further languages that a line may be found to be in.
    """
    identifier = LangidIdentifier()
    languages = {*map(language_of, (source_language, target_language, *among))}
    try:
        identify((), identifier, languages)
    except InputError as error:
        raise InputError(f"--identify-language: {error}") from None

    def check(source: str, target: str) -> Optional[str]:
        ((found_source, found_target),) = identify((source, target), identifier, languages)
        if found_source and not is_in(found_source, source_language):
            return SOURCE_LANGUAGE
        if found_target and not is_in(found_target, target_language):
            return TARGET_LANGUAGE
        return None

    return check


@dataclass(frozen=True)
class Checks:
    """What keeps a pair out, whatever the instruction."""

    # SentencePiece model, BPE codes or tokenizer folder of the pretrained model; samples that it
    # can't write with the dictionary are left out
    subwords: Union[None, str, Path] = None
    dictionary: Union[None, str, Path] = None  # the pretrained model's dictionary of the target
    # most characters of the longer side of a pair for one of the other
    max_length_ratio: float = 3.0
    # test sets; pairs with a side that stands in one are left out
    exclude: Sequence[Union[str, Path]] = ()
    identify_language: bool = False  # leave out pairs in other languages

    def cheap(self) -> Tuple[Filter, ...]:
        """Filters that every pair is put to."""
        return (well_formed, length_ratio(self.max_length_ratio), not_in(self.exclude))

    def costly(self, languages: Tuple[str, str], among: Collection[str] = ()) -> Tuple[Filter, ...]:
        """Filters that only pairs that would be kept are put to; see `in_languages`."""
        return (in_languages(*languages, among),) if self.identify_language else ()

    def speller(self, languages: Tuple[str, str]) -> Optional[Spell]:
        """What the vocabulary writes for a text; None for any text as it is."""
        return speller(self.subwords, self.dictionary, *languages)

    def describe(self) -> dict:
        """The checks as JSON values, for a data card; files by their names alone."""
        return {
            "subwords": Path(self.subwords).name if self.subwords else None,
            "dictionary": Path(self.dictionary).name if self.dictionary else None,
            "max_length_ratio": self.max_length_ratio,
            "excluded": [Path(path).name for path in self.exclude],
            "identify_language": self.identify_language,
        }
