"""How long the translation is, in characters: against the source, or at most N.

`short`, `isometric` and `long` part the range of length ratios, as the tokens of Lakew et al.
(2019) do; isometric is within 10 % of the source, as in the IWSLT task of 2022.
"""

from __future__ import annotations

import random
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

TOLERANCE = 0.1
ROOM = 5
"""`at-most` is drawn as the length rounded up to a multiple of this."""


def length_ratio(output: str, source: str) -> float:
    """Characters of the output to those of the source; 0 without either."""
    output, source = output.strip(), source.strip()
    return len(output) / len(source) if output and source else 0.0


def _is_short(output: str, context: Context) -> bool:
    return 0 < length_ratio(output, context.source) < 1 - TOLERANCE


def _is_isometric(output: str, context: Context) -> bool:
    return abs(length_ratio(output, context.source) - 1) <= TOLERANCE


def _is_long(output: str, context: Context) -> bool:
    return length_ratio(output, context.source) > 1 + TOLERANCE


def _is_at_most(output: str, context: Context) -> bool:
    limit = context.argument or ""
    return limit.isdecimal() and 0 < len(output.strip()) <= int(limit)


def _draw_limit(text: str, context: Context, chooser: random.Random) -> Optional[str]:
    length = len(text.strip())
    return str(-(-length // ROOM) * ROOM) if length else None


def _natural(name, obeys, phrases, **slot) -> Instruction:
    return Instruction(
        name, "length", phrases, obeys=obeys, natural=True, layer=Layer.LANGUAGE, **slot
    )


INSTRUCTIONS = [
    _natural(
        "short",
        _is_short,
        (
            "short",
            "shorter than the source",
            "in few words",
            "keep it short",
            "make it brief",
            "use fewer letters than the source",
        ),
    ),
    _natural(
        "isometric",
        _is_isometric,
        (
            "as long as the source",
            "of the same length",
            "isometric",
            "keep the length of the source",
            "make it as long as the original",
            "neither longer nor shorter than the source",
        ),
    ),
    _natural(
        "long",
        _is_long,
        (
            "long",
            "longer than the source",
            "in many words",
            "make it long",
            "say it at length",
            "use more letters than the source",
        ),
    ),
    _natural(
        "at-most",
        _is_at_most,
        (
            "with at most that many characters",
            "within a limit of characters",
            "in a limited number of characters",
            "stay under the limit of characters",
            "use no more characters than this",
            "keep to this many characters",
        ),
        argument="number",
        draw=_draw_limit,
        overlaps=frozenset({"short", "isometric", "long"}),
    ),
]
