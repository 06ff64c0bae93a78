"""Subtitles: two balanced lines of at most 42 characters.

42 is the limit of most television and streaming guides. Texts hold one segment a line, so the
break is written `<eol>`, as in MuST-Cinema (Karakanta et al., 2020).
"""

from __future__ import annotations

from typing import List, Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

BREAK = "<eol>"
MAX_CHARACTERS = 42


def _lines(output: str) -> List[str]:
    """Lines of a subtitle; the break counts in any case."""
    lines: List[str] = []
    rest = output
    while True:
        at = rest.lower().find(BREAK)
        # lower-casing may lengthen a text: the break is looked up again where it is not found
        if at < 0 or rest[at : at + len(BREAK)].lower() != BREAK:
            return [line.strip() for line in (*lines, rest)]
        lines.append(rest[:at])
        rest = rest[at + len(BREAK) :]


def _obeys(output: str, context: Context) -> bool:
    lines = _lines(output)
    return len(lines) == 2 and all(0 < len(line) <= MAX_CHARACTERS for line in lines)


def _rewrite(text: str, context: Context) -> Optional[str]:
    words = text.split()
    text = " ".join(words)
    if len(text) <= MAX_CHARACTERS or len(text) > 2 * MAX_CHARACTERS + 1 or BREAK in text.lower():
        return None
    # the first line must leave at most 42 characters, and holds no more itself
    breaks = [i for i, c in enumerate(text) if c == " "]
    fitting = [i for i in breaks if i <= MAX_CHARACTERS and len(text) - i - 1 <= MAX_CHARACTERS]
    if not fitting:
        return None
    best = min(fitting, key=lambda i: abs(len(text) - 1 - 2 * i))
    broken = f"{text[:best]} {BREAK} {text[best + 1 :]}"
    return broken if _obeys(broken, context) else None


def _unwrap(output: str, context: Context) -> str:
    return " ".join(_lines(output)) if _obeys(output, context) else output


INSTRUCTIONS = [
    Instruction(
        "subtitles",
        "separation",
        (
            "as a subtitle of two lines",
            "in two lines of at most 42 characters",
            "as a subtitle",
            "break it into two subtitle lines",
            "write a two-line subtitle",
            "fit it into a subtitle",
        ),
        obeys=_obeys,
        rewrite=_rewrite,
        unwrap=_unwrap,
        layer=Layer.LINES,
    ),
]
