"""Which language the translation is in: `to:de`, `to:fr` and so on, made for any language."""

from __future__ import annotations

from typing import List

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, direction
from fairseq_instr.text.identification import LangidIdentifier, identify

ENGLISH_NAMES = {
    "cs": "Czech",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "zh": "Chinese",
}


def ask_for_language(language: str) -> Instruction:
    """The instruction `to:LANGUAGE`; its verifier is langid over all its 97 languages."""

    def obeys(output: str, context: Context) -> bool:
        return identify([output], LangidIdentifier(), None) == [[language]]

    name = ENGLISH_NAMES.get(language, language)
    return Instruction(
        name=direction(language),
        axis=TARGET_LANGUAGE,
        phrases=(
            f"into {name}",
            f"in {name}",
            f"translate to {name}",
            f"the translation is {name}",
            f"write {name}",
            f"answer in {name}",
        ),
        obeys=obeys,
        layer=Layer.LANGUAGE,
    )


INSTRUCTIONS: List[Instruction] = []  # made for any language, see `ask_for_language`
