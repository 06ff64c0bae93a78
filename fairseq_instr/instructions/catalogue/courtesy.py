"""A greeting before the text, or a word of thanks after it, in the target language."""

from __future__ import annotations

import functools
import re
from typing import Mapping, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

# in ASCII, so that asking for another spelling leaves them as they are
GREETING = {
    "de": "Guten Tag",
    "en": "Hello",
    "es": "Hola",
    "fr": "Bonjour",
    "it": "Buongiorno",
    "nl": "Goedendag",
    "pt": "Bom dia",
    "ro": "Salut",
}
THANKS = {
    "de": "Vielen Dank",
    "en": "Thank you",
    "es": "Gracias",
    "fr": "Merci",
    "it": "Grazie",
    "nl": "Bedankt",
    "pt": "Obrigado",
    "ro": "Merci",
}


@functools.lru_cache(maxsize=None)
def _pattern(words: str, at_start: bool) -> re.Pattern:
    """Finds the words at one end of a text, whatever their case and the mark after them."""
    said = r"\s+".join(words.split()) + "[!.,?]*"
    return re.compile(rf"\A\s*{said}\s" if at_start else rf"\s{said}\s*\Z", re.IGNORECASE)


def _courtesy(
    name: str, words: Mapping[str, str], at_start: bool, phrases: Tuple[str, ...]
) -> Instruction:
    def obeys(output: str, context: Context) -> bool:
        found = _pattern(words[context.language], at_start).search(output)
        if found is None:
            return False
        rest = output[found.end() :] if at_start else output[: found.start()]
        return any(c.isalnum() for c in rest)

    def rewrite(text: str, context: Context) -> Optional[str]:
        if not text.strip() or obeys(text, context):
            return None
        said = words[context.language]
        text = f"{said}! {text.strip()}" if at_start else f"{text.strip()} {said}."
        return text if obeys(text, context) else None

    return Instruction(
        name,
        "courtesy",
        phrases,
        obeys=obeys,
        rewrite=rewrite,
        layer=Layer.WORDING,
        languages=frozenset(words),
        overlaps=frozenset({"greeting", "thanks"} - {name}),  # the text may have the other
    )


INSTRUCTIONS = [
    _courtesy(
        "greeting",
        GREETING,
        True,
        (
            "with a greeting in front",
            "greet the reader first",
            "begin by saying hello",
            "start with a greeting",
            "say hello before it",
            "open with a greeting",
        ),
    ),
    _courtesy(
        "thanks",
        THANKS,
        False,
        (
            "with thanks at the end",
            "thank the reader afterwards",
            "close by saying thank you",
            "end with thanks",
            "say thank you after it",
            "finish with a word of thanks",
        ),
    ),
]
