"""Letter case of the whole translation; links, placeholders and tags keep theirs."""

from __future__ import annotations

from typing import Callable, Optional

from fairseq_instr.instructions.catalogue.kept import outside_kept, without_kept
from fairseq_instr.instructions.instruction import Context, Instruction, Layer


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


def _case(name: str, change: Callable[[str], str], phrases: str) -> Instruction:
    def obeys(output: str, context: Context) -> bool:
        text = without_kept(output)
        shown = any(map(str.islower if change is _to_title else str.isalpha, text))
        return shown and outside_kept(output, change) == output

    def rewrite(text: str, context: Context) -> Optional[str]:
        rewritten = outside_kept(text, change)
        return rewritten if rewritten != text and obeys(rewritten, context) else None

    return Instruction(name, "case", phrases, obeys=obeys, rewrite=rewrite, layer=Layer.CASE)


INSTRUCTIONS = [
    _case(
        "uppercase",
        str.upper,
        "in upper case; in capital letters; all caps; with capitals only;"
        "write everything in capitals; make every letter a capital",
    ),
    _case(
        "lowercase",
        str.lower,
        "in lower case; in small letters; without capital letters; with small letters only;"
        "write everything small; use no capitals",
    ),
    _case(
        "titlecase",
        _to_title,
        "in title case; with every word capitalised; like a headline's capitals;"
        "capitalise each word; start every word with a capital; with headline capitals",
    ),
]
