"""Which sentences say for certain how they address somebody.

In German, `Sie` at the start of a sentence may be she, they or you. Inside a sentence its capital
makes it you, where the English says you too (some writers capitalise her and their). The
possessive `Ihr` likewise. Where the English has no you, only an imperative (`Kommen Sie`) is
certain. `du` and its forms are as they stand, but for French names (`Mont du Chat`): there too the
English has no you. The familiar plural `ihr` may be her and is left alone, `euch` and `eure` are
certain.

In other languages the words that the catalogue's verifiers know count, where the English says you.
"""

import re
from typing import Optional

from fairseq_instr.instructions import Context, catalogue

# behind a word or a comma: never the first word of a sentence or of a quotation
_FORMAL = re.compile(r"(?<=[\w,;] )(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)(?!\w)")
_IMPERATIVE = re.compile(r"(?:^|[.!?] )[A-ZÄÖÜ]\w*n Sie(?!\w)")
_INFORMAL = re.compile(
    r"\b(?:du|dich|dir|dein(?:e[mnrs]?)?|euch|euer|eur(?:e[mnrs]?))\b", re.IGNORECASE
)
_YOU = re.compile(r"\b(?:you|your|yours|yourself|yourselves)\b", re.IGNORECASE)


def address(english: str, translation: str, language: str = "de") -> Optional[str]:
    """`formal`, `informal`, or None where the pair does not say, or says both.

    Example: `address("Are you coming?", "Kommen Sie?") == "formal"`;
    `address("She is coming.", "Sie kommt.") is None`.
    """
    says_you = _YOU.search(english) is not None
    if language != "de":
        context = Context(source=english, language=language)
        kinds = [k for k in ("formal", "informal") if catalogue()[k].obeys(translation, context)]
        return kinds[0] if says_you and len(kinds) == 1 else None
    formal = _FORMAL.search(translation) is not None
    informal = {word.lower() for word in _INFORMAL.findall(translation)}
    if formal and informal:
        return None
    if formal:
        return "formal" if says_you or _IMPERATIVE.search(translation) else None
    return "informal" if informal - {"du"} or (informal and says_you) else None
