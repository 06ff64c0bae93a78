"""Letter case of the whole translation."""

from __future__ import annotations

from typing import Callable, Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer


def _has_letter(text: str) -> bool:
    return any(c.isalpha() for c in text)


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
    return _has_letter(output) and output == output.upper()


def _is_lower(output: str, context: Context) -> bool:
    return _has_letter(output) and output == output.lower()


def _is_title(output: str, context: Context) -> bool:
    return _has_letter(output) and output == _to_title(output) and any(c.islower() for c in output)


def _recase(change: Callable[[str], str], obeys: Callable[[str, Context], bool]):
    def rewrite(text: str, context: Context) -> Optional[str]:
        rewritten = change(text)
        return rewritten if rewritten != text and obeys(rewritten, context) else None

    return {"obeys": obeys, "rewrite": rewrite, "layer": Layer.CASE}


INSTRUCTIONS = [
    Instruction(
        "uppercase",
        "case",
        (
            "in upper case",
            "in capital letters",
            "all caps",
            "with capitals only",
            "write everything in capitals",
            "make every letter a capital",
        ),
        **_recase(str.upper, _is_upper),
    ),
    Instruction(
        "lowercase",
        "case",
        (
            "in lower case",
            "in small letters",
            "without capital letters",
            "with small letters only",
            "write everything small",
            "use no capitals",
        ),
        **_recase(str.lower, _is_lower),
    ),
    Instruction(
        "titlecase",
        "case",
        (
            "in title case",
            "with every word capitalised",
            "like a headline's capitals",
            "capitalise each word",
            "start every word with a capital",
            "with headline capitals",
        ),
        **_recase(_to_title, _is_title),
    ),
]
