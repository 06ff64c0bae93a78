"""Simple words: none that readability formulas call long.

The long words of LIX (Björnsson, 1968) have more than six letters. German and Dutch, which write
compounds together, are given more.
"""

from __future__ import annotations

import re

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import canonical

MIN_WORDS = 4  # A text of fewer words shows nothing


def _is_simple(output: str, context: Context) -> bool:
    words = re.findall(r"[^\W\d_]+", canonical(output))
    return len(words) >= MIN_WORDS and max(map(len, words)) < facts(context.language).long_word


INSTRUCTIONS = [
    Instruction(
        "simple-words",
        "vocabulary",
        "in simple words; with short words only; in plain language; use simple words;"
        "avoid long words; say it simply",
        obeys=_is_simple,
        natural=True,
        layer=Layer.LANGUAGE,
        languages=languages_with("long_word"),
    ),
]
