"""Letter case of the whole translation."""

from __future__ import annotations

from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer


def _has_letter(text: str) -> bool:
    return any(c.isalpha() for c in text)


def _changed(rewritten: str, text: str) -> Optional[str]:
    return rewritten if rewritten != text else None


def _to_title(text: str) -> str:
    """Capitalise the first letter of every space-separated word and leave the rest."""
    words = []
    for word in text.split(" "):
        first = next((i for i, c in enumerate(word) if c.isalpha()), None)
        if first is not None:
            # an initial ß has no single capital
            word = word[:first] + word[first].title() + word[first + 1 :]
        words.append(word)
    return " ".join(words)


def _is_upper(output: str, context: Context) -> bool:
    return _has_letter(output) and not any(c.islower() for c in output)


def _is_lower(output: str, context: Context) -> bool:
    return _has_letter(output) and not any(c.isupper() for c in output)


def _is_title(output: str, context: Context) -> bool:
    return (
        _has_letter(output)
        and output == _to_title(output)
        and any(c.islower() for c in output)
    )


INSTRUCTIONS = [
    Instruction(
        "uppercase",
        "case",
        ("in upper case", "in capital letters", "all caps"),
        obeys=_is_upper,
        rewrite=lambda text, context: _changed(text.upper(), text),
        layer=Layer.CASE,
    ),
    Instruction(
        "lowercase",
        "case",
        ("in lower case", "in small letters", "without capital letters"),
        obeys=_is_lower,
        rewrite=lambda text, context: _changed(text.lower(), text),
        layer=Layer.CASE,
    ),
    Instruction(
        "titlecase",
        "case",
        ("in title case", "with every word capitalised", "like a headline's capitals"),
        obeys=_is_title,
        rewrite=lambda text, context: _changed(_to_title(text), text),
        layer=Layer.CASE,
    ),
]
