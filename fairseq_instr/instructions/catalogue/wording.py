"""Words that the translation must begin with, must use, or must not use: given as arguments."""

from __future__ import annotations

import functools
import random
import re
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

MAX_OPENING = 3
"""Words of an opening that is drawn, at most."""


@functools.lru_cache(maxsize=1024)
def _whole(words: str) -> re.Pattern:
    """Finds words that are not part of longer ones, in any case."""
    spaced = r"\s+".join(map(re.escape, words.split()))
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def _begins(output: str, context: Context) -> bool:
    return bool(context.argument) and _whole(context.argument).match(output.lstrip()) is not None


def _draw_opening(text: str, context: Context, chooser: random.Random) -> Optional[str]:
    words = text.split()
    if len(words) < 2:
        return None
    opening = " ".join(words[: chooser.randint(1, min(MAX_OPENING, len(words) - 1))])
    return opening.rstrip(",;:.!?") or None


def _avoids(output: str, context: Context) -> bool:
    words = context.argument
    return bool(words) and bool(output.strip()) and not _whole(words).search(output)


def target_term(pair: str) -> str:
    """The target side of a term pair: `cough=Husten` -> `Husten`."""
    return pair.partition("=")[2].strip()


def _uses(output: str, context: Context) -> bool:
    term = target_term(context.argument or "")
    return bool(term) and _whole(term).search(output) is not None


INSTRUCTIONS = [
    Instruction(
        "begin-with",
        "opening",
        (
            "beginning with the given words",
            "with the given opening",
            "opened by the words given",
            "begin with these words",
            "start with what is given",
            "let it open with this",
        ),
        obeys=_begins,
        natural=True,
        argument="text",
        draw=_draw_opening,
        layer=Layer.LANGUAGE,
    ),
    Instruction(
        "avoid",
        "avoidance",
        (
            "without the given words",
            "with other words than those given",
            "free of the words given",
            "avoid these words",
            "do not use what is given",
            "find another word for this",
        ),
        obeys=_avoids,
        argument="text",
        layer=Layer.LANGUAGE,
    ),
    Instruction(
        "use-term",
        "terminology",
        (
            "with the given term",
            "according to the term base",
            "with the terminology given",
            "use this term",
            "translate the term as given",
            "keep to the glossary",
        ),
        obeys=_uses,
        argument="pair",
        layer=Layer.LANGUAGE,
    ),
]
