"""A greeting before the text, or a word of thanks after it, in the target language."""

from __future__ import annotations

import functools
import re
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import any_of, fold_to_ascii, has_words


@functools.lru_cache(maxsize=None)
def _pattern(fact: str, language: str, at_start: bool) -> re.Pattern:
    """Finds the words at one end of a text, whatever their case and the marks around them."""
    forms = getattr(facts(language), fact).split("|")
    forms += [fold_to_ascii(form, language) for form in forms]
    words = rf"[¡¿]?(?:{any_of(forms)})\s?[!.,?…]*"
    return re.compile(rf"\A\s*{words}\s+" if at_start else rf"\s+{words}\s*\Z", re.IGNORECASE)


def _courtesy(name: str, fact: str, at_start: bool, phrases: str) -> Instruction:
    def unwrap(output: str, context: Context) -> str:
        rest = _pattern(fact, context.language, at_start).sub("", output, count=1)
        return rest if has_words(rest) else output

    def obeys(output: str, context: Context) -> bool:
        return unwrap(output, context) != output

    def rewrite(text: str, context: Context) -> Optional[str]:
        if not has_words(text) or obeys(text, context):
            return None
        language = facts(context.language)
        words, mark = getattr(language, fact).split("|")[0], "!" if at_start else "."
        words = language.opening_marks.get(mark, "") + words
        words += f" {mark}" if mark in language.spaced_marks else mark
        return f"{words} {text.strip()}" if at_start else f"{text.strip()} {words}"

    return Instruction(
        name,
        "courtesy",
        phrases,
        obeys=obeys,
        rewrite=rewrite,
        unwrap=unwrap,
        languages=languages_with(fact),
        overlaps=frozenset({"greeting", "thanks"} - {name}),  # the text may have the other
    )


INSTRUCTIONS = [
    _courtesy(
        "greeting",
        "greeting",
        True,
        "with a greeting in front; greet the reader first; begin by saying hello;"
        "start with a greeting; say hello before it; open with a greeting",
    ),
    _courtesy(
        "thanks",
        "thanks",
        False,
        "with thanks at the end; thank the reader afterwards; close by saying thank you;"
        "end with thanks; say thank you after it; finish with a word of thanks",
    ),
]
