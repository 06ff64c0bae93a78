"""Two texts in one output: the source beside the translation, or the translation twice."""

from __future__ import annotations

import difflib
from typing import Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

SEPARATOR = " ||| "
SIMILAR = 0.9
"""Two texts are called the same from this `difflib` ratio on, case folded: a copy with one
wrong letter is still a copy."""


def _halves(output: str) -> Optional[Tuple[str, str]]:
    left, separator, right = output.strip().partition(SEPARATOR.strip())
    left, right = left.strip(), right.strip()
    return (left, right) if separator and left and right else None


def _same(left: str, right: str) -> bool:
    left, right = left.lower(), right.lower()
    if left == right:
        return True
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    # two cheap upper bounds of the ratio before the ratio itself
    return (
        matcher.real_quick_ratio() >= SIMILAR
        and matcher.quick_ratio() >= SIMILAR
        and matcher.ratio() >= SIMILAR
    )


def _join(left: str, right: str) -> Optional[str]:
    """The two texts around the separator, if each can be had back."""
    joined = f"{left}{SEPARATOR}{right}"
    return joined if _halves(joined) == (left.strip(), right.strip()) else None


def _is_bilingual(output: str, context: Context) -> bool:
    halves = _halves(output)
    if halves is None:
        return False
    return _same(halves[0], context.source.strip()) and not _same(*halves)


def _is_repeated(output: str, context: Context) -> bool:
    halves = _halves(output)
    return halves is not None and _same(*halves)


def _with_source(text: str, context: Context) -> Optional[str]:
    return None if _same(context.source, text) else _join(context.source, text)


def _second_half(output: str, context: Context) -> str:
    halves = _halves(output)
    return halves[1] if halves else output


INSTRUCTIONS = [
    Instruction(
        "bilingual",
        "layout",
        (
            "with the source in front",
            "source and translation",
            "bilingual",
            "repeat the source first",
            "give both languages",
            "show the original before the translation",
        ),
        obeys=_is_bilingual,
        rewrite=_with_source,
        unwrap=_second_half,
        layer=Layer.LAYOUT,
    ),
    Instruction(
        "repeated",
        "layout",
        (
            "twice",
            "say it two times",
            "repeated",
            "repeat the translation",
            "give the translation twice",
            "write it two times over",
        ),
        obeys=_is_repeated,
        rewrite=lambda text, context: _join(text, text),
        unwrap=_second_half,
        layer=Layer.LAYOUT,
    ),
]
