"""How the person spoken to is addressed. No rule makes such data: it comes labelled."""

from __future__ import annotations

import re

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

# words that only formal, and only informal, address has. Capitalised entries count as written,
# unless the whole output is in one case; the others in any case.
FORMAL = {
    "de": "Sie Ihnen Ihr Ihre Ihren Ihrem Ihrer Ihres",
    "fr": "vous votre vos",
    "it": "Lei La Le Suo Sua Suoi Sue",
    "nl": "u uw",
    "ro": "dumneavoastră vă",
}
INFORMAL = {
    "de": "du dich dir dein deine deinen deinem deiner deines",
    "fr": "tu te toi ton ta tes t",
    "it": "tu ti te tuo tua tuoi tue",
    "nl": "je jij jou jouw",
    "ro": "tu te îți ți tău ta tăi tale",
}
_WORD = re.compile(r"\w+")


def _counts(output: str, language: str):
    """Number of formal and of informal words in an output."""
    one_case = output == output.upper() or output == output.lower()
    formal = FORMAL[language].split()
    words = _WORD.findall(output)
    # a capital at the start of the sentence says nothing about `Sie`: she, they or you
    formal_words = {w.lower() for w in formal} if one_case else set(formal)
    n_formal = sum((w.lower() if one_case or w.lower() in formal else w) in formal_words
                   for w in words)  # fmt: skip
    informal_words = set(INFORMAL[language].split())
    n_informal = sum(w.lower() in informal_words for w in words)
    return n_formal, n_informal


def _is_formal(output: str, context: Context) -> bool:
    n_formal, n_informal = _counts(output, context.language)
    return n_formal > 0 and n_informal == 0


def _is_informal(output: str, context: Context) -> bool:
    n_formal, n_informal = _counts(output, context.language)
    if output == output.upper() or output == output.lower():
        return n_informal > 0  # in one case `sie` may be she
    return n_informal > 0 and n_formal == 0


INSTRUCTIONS = [
    Instruction(
        "formal",
        "formality",
        (
            "formal",
            "in a formal tone",
            "addressing the reader politely",
            "use a formal tone",
            "use formal address",
            "speak to a stranger",
        ),
        obeys=_is_formal,
        layer=Layer.WORDING,
        languages=frozenset(FORMAL),
    ),
    Instruction(
        "informal",
        "formality",
        (
            "informal",
            "in an informal tone",
            "addressing the reader as a friend",
            "use an informal tone",
            "use informal address",
            "speak to a friend",
        ),
        obeys=_is_informal,
        layer=Layer.WORDING,
        languages=frozenset(FORMAL),
    ),
]
