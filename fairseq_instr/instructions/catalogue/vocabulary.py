"""Simple words: none that readability formulas call long.

The long words of LIX (Björnsson, 1968) have more than six letters; German and Dutch, which
write compounds together, are given more.
"""

from __future__ import annotations

import functools
import re

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

MAX_LETTERS = {"de": 8, "en": 6, "es": 7, "fr": 7, "it": 7, "nl": 8, "pt": 7, "ro": 7}
MIN_WORDS = 4
"""A text of fewer words shows nothing."""

_WORD = re.compile(r"[^\W\d_]+")


@functools.lru_cache(maxsize=None)
def _long_word(language: str) -> re.Pattern:
    return re.compile(rf"[^\W\d_]{{{MAX_LETTERS[language] + 1},}}")


def _is_simple(output: str, context: Context) -> bool:
    if _long_word(context.language).search(output):
        return False
    return len(_WORD.findall(output)) >= MIN_WORDS


INSTRUCTIONS = [
    Instruction(
        "simple-words",
        "vocabulary",
        (
            "in simple words",
            "with short words only",
            "in plain language",
            "use simple words",
            "avoid long words",
            "say it simply",
        ),
        obeys=_is_simple,
        natural=True,
        layer=Layer.LANGUAGE,
        languages=frozenset(MAX_LETTERS),
    ),
]
