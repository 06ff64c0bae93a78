"""Simple words: none that readability formulas call long.

The long words of LIX (Björnsson, 1968) have more than six letters; German and Dutch, which
write compounds together, are given more.
"""

from __future__ import annotations

import re

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

MAX_LETTERS = {"de": 8, "en": 6, "es": 7, "fr": 7, "it": 7, "nl": 8, "pt": 7, "ro": 7}
MIN_WORDS = 4
"""A text of fewer words shows nothing."""

_WORD = re.compile(r"[^\W\d_]+")


def _is_simple(output: str, context: Context) -> bool:
    words = _WORD.findall(output)
    limit = MAX_LETTERS[context.language]
    return len(words) >= MIN_WORDS and all(len(word) <= limit for word in words)


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
