"""Two texts in one output: the source beside the translation, or the translation twice."""

from __future__ import annotations

import difflib
from typing import Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.letters import canonical, same_words

SEPARATOR = "|||"
SIMILAR = 0.9
"""From this `difflib` ratio on, case folded, a text is a copy of the source: one wrong letter in
it does not make it a translation."""


def _halves(output: str) -> Optional[Tuple[str, str]]:
    left, _, right = (part.strip() for part in output.partition(SEPARATOR))
    return (left, right) if left and right else None


def _is_copy(text: str, source: str) -> bool:
    matcher = difflib.SequenceMatcher(
        None, canonical(text.strip()).lower(), canonical(source.strip()).lower(), autojunk=False
    )
    # two cheap upper bounds of the ratio before the ratio itself
    return (
        matcher.real_quick_ratio() >= SIMILAR
        and matcher.quick_ratio() >= SIMILAR
        and matcher.ratio() >= SIMILAR
    )


def _is_bilingual(output: str, context: Context) -> bool:
    left, right = _halves(output) or ("", "")
    return bool(left) and _is_copy(left, context.source) and not _is_copy(right, context.source)


def _join(left: str, right: str) -> Optional[str]:
    """The two texts around the separator, if each can be had back."""
    joined = f"{left} {SEPARATOR} {right}"
    return joined if _halves(joined) == (left.strip(), right.strip()) else None


def _with_source(text: str, context: Context) -> Optional[str]:
    return None if _is_copy(text, context.source) else _join(context.source, text)


def _second_half(output: str, context: Context) -> str:
    return (_halves(output) or (output, output))[1]


INSTRUCTIONS = [
    Instruction(
        "bilingual",
        "layout",
        "with the source in front; source and translation; bilingual;"
        "repeat the source first; give both languages;"
        "show the original before the translation",
        obeys=_is_bilingual,
        rewrite=_with_source,
        unwrap=_second_half,
        layer=Layer.LAYOUT,
    ),
    Instruction(
        "repeated",
        "layout",
        "twice; say it two times; repeated; repeat the translation;"
        "give the translation twice; write it two times over",
        obeys=lambda output, context: same_words(*(_halves(output) or ("", ""))),
        rewrite=lambda text, context: _join(text, text) if same_words(text, text) else None,
        unwrap=_second_half,
        layer=Layer.LAYOUT,
    ),
]
