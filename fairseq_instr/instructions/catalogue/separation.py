"""Something other than a space between the words."""

from __future__ import annotations

from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

SLASH = " / "


def _rewrite(text: str, context: Context) -> Optional[str]:
    return SLASH.join(text.split()) if len(text.split()) > 1 and "/" not in text else None


def _obeys(output: str, context: Context) -> bool:
    words = output.strip().split(SLASH)
    return len(words) > 1 and all(len(word.split()) == 1 for word in words)


def _unwrap(output: str, context: Context) -> str:
    return " ".join(output.split(SLASH)) if _obeys(output, context) else output


INSTRUCTIONS = [
    Instruction(
        "word-slashes",
        "separation",
        ("with slashes between the words", "words separated by slashes", "slashed"),
        obeys=_obeys,
        rewrite=_rewrite,
        unwrap=_unwrap,
        layer=Layer.SEPARATION,
    ),
]
