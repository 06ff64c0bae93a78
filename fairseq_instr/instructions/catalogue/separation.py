"""Something other than a space between the words."""

from __future__ import annotations

from typing import Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

SLASH = " / "
UNDERSCORE = "_"


def _separate(name: str, separator: str, phrases: Tuple[str, ...]) -> Instruction:
    """An instruction that joins the words by `separator`."""

    def rewrite(text: str, context: Context) -> Optional[str]:
        words = text.split()
        return separator.join(words) if len(words) > 1 and separator.strip() not in text else None

    def obeys(output: str, context: Context) -> bool:
        words = output.strip().split(separator)
        return len(words) > 1 and all(len(word.split()) == 1 for word in words)

    def unwrap(output: str, context: Context) -> str:
        return " ".join(output.split(separator)) if obeys(output, context) else output

    return Instruction(
        name,
        "separation",
        phrases,
        obeys=obeys,
        rewrite=rewrite,
        unwrap=unwrap,
        layer=Layer.SEPARATION,
    )


INSTRUCTIONS = [
    _separate(
        "word-slashes",
        SLASH,
        (
            "with slashes between the words",
            "words separated by slashes",
            "slashed",
            "put a slash between words",
            "separate the words with slashes",
            "use slashes instead of spaces",
        ),
    ),
    _separate(
        "underscores",
        UNDERSCORE,
        (
            "with underscores between the words",
            "words joined by underscores",
            "in snake case",
            "put an underscore between words",
            "join the words with underscores",
            "use underscores instead of spaces",
        ),
    ),
]
