"""Subtitles: two balanced lines of at most 42 characters.

42 is the limit of most television and streaming guides. Texts hold one segment a line, so the
break is written `<eol>`, as in MuST-Cinema (Karakanta et al., 2020).
"""

from __future__ import annotations

import re
from typing import List, Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.letters import canonical, has_words

BREAK = "<eol>"
MAX_CHARACTERS = 42


def _lines(output: str) -> List[str]:
    """Lines of a subtitle; the break counts in any case."""
    return [line.strip() for line in re.split(BREAK, output, flags=re.IGNORECASE)]


def _obeys(output: str, context: Context) -> bool:
    lines = _lines(canonical(output))
    fitting = all(len(line) <= MAX_CHARACTERS and has_words(line) for line in lines)
    return len(lines) == 2 and fitting


def _rewrite(text: str, context: Context) -> Optional[str]:
    text = " ".join(text.split())
    if not MAX_CHARACTERS < len(text) <= 2 * MAX_CHARACTERS + 1:
        return None
    spaces = [i for i, character in enumerate(text) if character == " "]
    if not spaces:
        return None
    middle = min(spaces, key=lambda i: abs(len(text) - 1 - 2 * i))
    broken = f"{text[:middle]} {BREAK} {text[middle + 1 :]}"
    return broken if _obeys(broken, context) else None


def _unwrap(output: str, context: Context) -> str:
    return " ".join(_lines(output)) if _obeys(output, context) else output


INSTRUCTIONS = [
    Instruction(
        "subtitles",
        "separation",
        "as a subtitle of two lines; in two lines of at most 42 characters; as a subtitle;"
        "break it into two subtitle lines; write a two-line subtitle; fit it into a subtitle",
        obeys=_obeys,
        rewrite=_rewrite,
        unwrap=_unwrap,
        layer=Layer.LINES,
    ),
]
