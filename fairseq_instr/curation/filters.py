"""What a sentence pair must be like, whatever the instruction.

A filter is called with source and target, and returns the reason against the pair, or None.
It looks at nothing else, so that it says the same in every shard.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from hashlib import blake2b
from typing import Callable, Iterable, Optional

from fairseq_instr.curation.aligned_text import open_text
from fairseq_instr.errors import InputError

Filter = Callable[[str, str], Optional[str]]

EMPTY = "source or target is empty"
CONTROL = "holds control characters"
LENGTH_RATIO = "lengths differ too much"
IN_TEST_SET = "stands in a test set"
SOURCE_LANGUAGE = "source is in another language"
TARGET_LANGUAGE = "target is in another language"

LENGTH_SLACK = 15
"""Characters added to both lengths: short lines may differ by more."""

# a tab ends a field, the others end a line to some programs
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def well_formed(source: str, target: str) -> Optional[str]:
    """Neither empty nor with characters that break a line or a field."""
    if not source.strip() or not target.strip():
        return EMPTY
    return CONTROL if _CONTROL.search(source) or _CONTROL.search(target) else None


def length_ratio(limit: float) -> Filter:
    """Pairs of which the longer side has at most `limit` times the characters of the other.

    `LENGTH_SLACK` is added to both sides.

    Raises:
        InputError: if the limit is not above 1.
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
    """Pairs of which neither side is a line of the given files (plain or gzip, any language).

    Raises:
        InputError: if a file can't be read or is not UTF-8.
    """
    lines = set()
    for path in test_sets:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    lines.add(_fingerprint(line.decode("utf-8")))
                except UnicodeDecodeError:
                    raise InputError(f"{path}: line {number} is not UTF-8") from None
    lines.discard(_fingerprint(""))

    def check(source: str, target: str) -> Optional[str]:
        found = _fingerprint(source) in lines or _fingerprint(target) in lines
        return IN_TEST_SET if found else None

    return check


def in_languages(source_language: str, target_language: str) -> Filter:
    """Pairs that langid takes for the two languages, when it has to choose between them.

    Choosing between two is what it can do with short lines as well.

    Raises:
        InputError: if langid does not know one of the languages.
    """
    identifier = _identifier(source_language, target_language)

    def check(source: str, target: str) -> Optional[str]:
        if identifier.classify(source)[0] != source_language:
            return SOURCE_LANGUAGE
        return TARGET_LANGUAGE if identifier.classify(target)[0] != target_language else None

    return check


@functools.lru_cache(maxsize=None)
def _identifier(*languages: str):
    # imported here: reading the model takes most of a second
    from langid.langid import LanguageIdentifier, model

    identifier = LanguageIdentifier.from_modelstring(model, norm_probs=False)
    try:
        identifier.set_languages(sorted(languages))
    except ValueError:
        raise InputError(
            f"--identify-language: langid does not know {' or '.join(languages)}; "
            f"it knows {', '.join(sorted(identifier.nb_classes))}"
        ) from None
    return identifier
