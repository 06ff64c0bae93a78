"""Pairs of languages, as users write them."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from fairseq_instr.errors import InputError

Pair = Tuple[str, str]  # source and target language
_REGION = r"[-_](?:[A-Z]{2}|[A-Z][a-z]{3}|[0-9]{3})"
_CODE = re.compile(rf"[a-z]{{2,3}}(?:{_REGION})*")


def split_pair(text: str) -> Optional[Pair]:
    """`en-de` as source and target, also where a code has a hyphen; None if it is no pair.

    Example: `zh-CN-en` is from `zh-CN` to `en`.
    """
    hyphens = [found.start() for found in re.finditer("-", text)]
    sides = [(text[:at], text[at + 1 :]) for at in hyphens]
    pairs = [(source, target) for source, target in sides if source and target]
    of_codes = [pair for pair in pairs if all(map(_CODE.fullmatch, pair))]
    return next(iter(of_codes or pairs), None)


def parse_pairs(text: Optional[str], option: str) -> List[Pair]:
    """Language pairs of an option, for example `en-it,it-en`."""
    pairs: List[Pair] = []
    for entry in filter(None, (part.strip() for part in (text or "").split(","))):
        pair = split_pair(entry)
        if pair is None or pair in pairs:
            raise InputError(
                f"{option} {text!r}: {entry!r} is not accepted; give each pair once, as "
                "SOURCE-TARGET, separated by commas"
            )
        pairs.append(pair)
    return pairs
