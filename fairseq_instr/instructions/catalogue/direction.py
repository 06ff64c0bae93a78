"""Which language the translation is in: `to:de`, `to:fr` and so on, made for any language."""

from __future__ import annotations

from typing import List

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, direction
from fairseq_instr.text.identification import LangidIdentifier, identify, is_in
from fairseq_instr.text.languages import facts
from fairseq_instr.text.letters import whole_words

IN_LATIN = 0.2
"""Share of words in Latin letters from which they show a language: 89 % of Russian news has it
when it is transliterated, and 1 % of English news."""


def ask_for_language(language: str) -> Instruction:
    """The instruction `to:LANGUAGE`; its verifier is langid over all its 97 languages.

    langid knows no Russian in Latin letters, as `latin-script` asks for it: there, words tell.
    """

    def obeys(output: str, context: Context) -> bool:
        in_latin = facts(language).in_latin
        if in_latin:
            words = len(output.split())
            if words and len(whole_words(in_latin).findall(output)) >= IN_LATIN * words:
                return True
        ((found,),) = identify([output], LangidIdentifier(), None)
        return is_in(found, language)

    name = facts(language).name
    return Instruction(
        direction(language),
        TARGET_LANGUAGE,
        f"into {name}; in {name}; translate to {name}; the translation is {name};"
        f"write {name}; answer in {name}",
        obeys=obeys,
        layer=Layer.LANGUAGE,
    )


INSTRUCTIONS: List[Instruction] = []  # made for any language, see `ask_for_language`
