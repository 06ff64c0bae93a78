"""Something other than a space between the words."""

from __future__ import annotations

from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.letters import has_words


def _separate(name: str, separator: str, phrases: str) -> Instruction:
    def obeys(output: str, context: Context) -> bool:
        words = output.strip().split(separator)
        one_each = all(len(word.split()) == 1 for word in words)
        return one_each and sum(map(has_words, words)) > 1

    def rewrite(text: str, context: Context) -> Optional[str]:
        rewritten = separator.join(text.split())
        return rewritten if separator not in text and obeys(rewritten, context) else None

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
        " / ",
        "with slashes between the words; words separated by slashes; slashed;"
        "put a slash between words; separate the words with slashes;"
        "use slashes instead of spaces",
    ),
    _separate(
        "underscores",
        "_",
        "with underscores between the words; words joined by underscores; in snake case;"
        "put an underscore between words; join the words with underscores;"
        "use underscores instead of spaces",
    ),
]
