"""How the person spoken to is addressed. No rule makes such data: it comes labelled.

A language is served where precision and recall of both instructions are at least .9 on labelled
translations that nobody looked at when the words were chosen: see
`tests/instructions/test_formality.py`. Italian formal address has the words of the third person;
Romanian has no labelled translations.
"""

from __future__ import annotations

import functools
import re
from typing import Optional

from fairseq_instr.instructions.catalogue.kept import without_kept
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.text.languages import facts, languages_with
from fairseq_instr.text.letters import canonical

FORMAL, INFORMAL = "formal", "informal"


@functools.lru_cache(maxsize=None)
def _pattern(language: str, fact: str, any_case: bool) -> Optional[re.Pattern]:
    words = getattr(facts(language), fact)
    return re.compile(words, re.IGNORECASE if any_case else 0) if words else None


def address(text: str, language: str) -> Optional[str]:
    """`formal`, `informal`, or None where no word tells or words of both stand in a text.

    A word that tells for sure outweighs those that only perhaps do. In capitals or in small
    letters alone, no word is surely formal: German `SIE` may be she.
    """
    text = canonical(text)
    plain = without_kept(text)
    any_case = plain in (plain.upper(), plain.lower())

    def has(fact: str) -> bool:
        pattern = _pattern(language, fact, any_case)
        return pattern is not None and pattern.search(text) is not None

    formal, informal = has(FORMAL), has(INFORMAL)
    if formal and any_case and informal:
        return INFORMAL
    if not formal and not informal:
        formal, informal = has("perhaps_formal"), has("perhaps_informal")
    if formal == informal:
        return None
    return FORMAL if formal else INFORMAL


def _address(name: str, phrases: str) -> Instruction:
    return Instruction(
        name,
        "formality",
        phrases,
        obeys=lambda output, context: address(output, context.language) == name,
        languages=languages_with(FORMAL),
    )


INSTRUCTIONS = [
    _address(
        FORMAL,
        "formal; in a formal tone; addressing the reader politely; use a formal tone;"
        "use formal address; speak to a stranger",
    ),
    _address(
        INFORMAL,
        "informal; in an informal tone; addressing the reader as a friend; use an informal tone;"
        "use informal address; speak to a friend",
    ),
]
