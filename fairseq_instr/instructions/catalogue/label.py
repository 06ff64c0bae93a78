"""A label in front of the translation, in the target language."""

from __future__ import annotations

import re
from typing import Optional
from unicodedata import normalize

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import any_of, fold_to_ascii, has_words


def _label(fact: str, phrases: str) -> Instruction:
    def unwrap(output: str, context: Context) -> str:
        word, language = getattr(facts(context.language), fact), context.language
        spelled = any_of((word, normalize("NFD", word), fold_to_ascii(word, language)))
        found = re.match(rf"\s*(?:{spelled})\s?:\s*", output, re.IGNORECASE)
        rest = output[found.end() :] if found else ""
        return rest if has_words(rest) else output

    def rewrite(text: str, context: Context) -> Optional[str]:
        language = facts(context.language)
        space = " " if ":" in language.spaced_marks else ""
        return f"{getattr(language, fact)}{space}: {text}" if has_words(text) else None

    return Instruction(
        f"{fact}-label",
        "label",
        phrases,
        obeys=lambda output, context: unwrap(output, context) != output,
        rewrite=rewrite,
        unwrap=unwrap,
        layer=Layer.LABEL,
        languages=languages_with(fact),
    )


INSTRUCTIONS = [
    _label(
        "note",
        "labelled as a note; as a note; with the word note in front;"
        "put the word note before it; start with the label note; mark it as a note",
    ),
    _label(
        "picture",
        "labelled as a picture; as the text of a picture; with the word picture in front;"
        "put the word picture before it; start with the label picture; mark it as a picture",
    ),
    _label(
        "translation",
        "labelled as a translation; with the word translation in front;"
        "say that it is a translation; put the word translation before it;"
        "start with the label translation; mark it as a translation",
    ),
]
