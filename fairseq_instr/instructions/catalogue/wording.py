"""Words that the translation must begin with, must use, or must not use: given as arguments."""

from __future__ import annotations

import functools
import random
import re
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.letters import canonical, has_words

MAX_OPENING = 3  # words of an opening that is drawn, at most


@functools.lru_cache(maxsize=1024)
def _whole(words: str) -> re.Pattern:
    spaced = r"\s+".join(map(re.escape, _folded(words).split()))
    return re.compile(rf"(?<!\w){spaced}(?!\w)")


def _folded(text: str) -> str:
    """As words are compared: in any case, `STRASSE` is `Straße`."""
    return canonical(canonical(text).casefold())


def _begins(output: str, context: Context) -> bool:
    words, text = context.argument or "", _folded(output).lstrip()
    if words[:1].isalnum():
        text = re.sub(r"\A[\W_]+", "", text)  # opening marks
    return bool(words) and _whole(words).match(text) is not None


def _draw_opening(text: str, context: Context, chooser: random.Random) -> Optional[str]:
    words = text.split()
    if len(words) < 2:
        return None
    opening = " ".join(words[: chooser.randint(1, min(MAX_OPENING, len(words) - 1))])
    return opening.rstrip(",;:.!?") or None


def _avoids(output: str, context: Context) -> bool:
    words = context.argument
    return bool(words) and has_words(output) and not _whole(words).search(_folded(output))


def target_term(pair: str) -> str:
    """The target side of a term pair: `cough=Husten` -> `Husten`."""
    return pair.partition("=")[2].strip()


def _uses(output: str, context: Context) -> bool:
    term = target_term(context.argument or "")
    return bool(term) and _whole(term).search(_folded(output)) is not None


def _words(name: str, axis: str, obeys, phrases: str, **options) -> Instruction:
    return Instruction(name, axis, phrases, obeys=obeys, layer=Layer.LANGUAGE, **options)


INSTRUCTIONS = [
    _words(
        "begin-with",
        "opening",
        _begins,
        "beginning with the given words; with the given opening; opened by the words given;"
        "begin with these words; start with what is given; let it open with this",
        natural=True,
        argument="text",
        draw=_draw_opening,
    ),
    _words(
        "avoid",
        "avoidance",
        _avoids,
        "without the given words; with other words than those given; free of the words given;"
        "avoid these words; do not use what is given; find another word for this",
        argument="text",
    ),
    _words(
        "use-term",
        "terminology",
        _uses,
        "with the given term; according to the term base; with the terminology given;"
        "use this term; translate the term as given; keep to the glossary",
        argument="pair",
    ),
]
