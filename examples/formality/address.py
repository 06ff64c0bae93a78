"""Which German sentences say for certain how they address somebody.

`Sie` at the start of a sentence may be she, they or you; inside one its capital makes it you,
where the English says you too (some writers capitalise her and their). The possessive `Ihr`
likewise. Where the English has no you, only an imperative (`Kommen Sie`) is certain. `du` and
its forms are as they stand, but for French names (`Mont du Chat`): there too the English has
no you. The familiar plural `ihr` may be her and is left alone, `euch` and `eure` are certain.
"""

import re
from typing import Optional

# behind a word or a comma: never the first word of a sentence or of a quotation
_FORMAL = re.compile(r"(?<=[\w,;] )(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)(?!\w)")
_IMPERATIVE = re.compile(r"(?:^|[.!?] )[A-ZÄÖÜ]\w*n Sie(?!\w)")
_INFORMAL = re.compile(
    r"\b(?:du|dich|dir|dein(?:e[mnrs]?)?|euch|euer|eur(?:e[mnrs]?))\b", re.IGNORECASE
)
_YOU = re.compile(r"\b(?:you|your|yours|yourself|yourselves)\b", re.IGNORECASE)


def address(english: str, german: str) -> Optional[str]:
    """`formal`, `informal`, or None where the pair does not say, or says both.

    Example: `address("Are you coming?", "Kommen Sie?") == "formal"`;
    `address("She is coming.", "Sie kommt.") is None`.
    """
    says_you = _YOU.search(english) is not None
    formal = _FORMAL.search(german) is not None
    informal = {word.lower() for word in _INFORMAL.findall(german)}
    if formal and informal:
        return None
    if formal:
        return "formal" if says_you or _IMPERATIVE.search(german) else None
    return "informal" if informal - {"du"} or (informal and says_you) else None
