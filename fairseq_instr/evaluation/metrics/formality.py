"""Formality accuracy, as the scorer of the IWSLT formality tasks counts it.

Nadejde et al. (2022), CoCoA-MT. References have the phrases marked that show their formality,
`[F]Sie gehen[/F] langsam`; a phrase is found where all its tokens are, in any order. Kept as the
scorer has it: tokens are split at single spaces, so that `Sie` is not found in `Sie,`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Dict, List, Mapping, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import check_aligned
from fairseq_instr.text.languages import UNSPACED, language_of

FORMAL, INFORMAL, OTHER, NEUTRAL = "FORMAL", "INFORMAL", "OTHER", "NEUTRAL"
ASKED = {"formal": FORMAL, "informal": INFORMAL}
_MARKED = re.compile(r"\[F\](.*?)\[/F\]")


def marked_phrases(annotated: str) -> List[str]:
    """Marked phrases of an annotated reference, as they stand between the marks.

    Example: `marked_phrases("[F]Gehen Sie[/F] mit [F]Ihrer [/F]Tasche")
    == ["Gehen Sie", "Ihrer "]`.
    """
    return _MARKED.findall(annotated)


def without_marks(annotated: str) -> str:
    """The plain reference of an annotated one."""
    return annotated.replace("[F]", "").replace("[/F]", "")


def has_phrase(output: str, phrases: Sequence[str], language: str) -> bool:
    """Whether any of the phrases is found in an output; case counts."""
    if language_of(language) in UNSPACED:  # a phrase is found where it stands in the output
        return any(phrase in output for phrase in phrases)
    tokens = set(output.split(" "))
    return any(tokens.issuperset(phrase.split(" ")) for phrase in phrases)


def classify(output: str, formal: str, informal: str, language: str) -> str:
    """The verdict on an output.

    Returns:
        `FORMAL`, `INFORMAL`, `OTHER` or `NEUTRAL`.
    """
    is_formal = has_phrase(output, marked_phrases(formal), language)
    is_informal = has_phrase(output, marked_phrases(informal), language)
    if is_formal and is_informal:
        return OTHER
    if is_formal:
        return FORMAL
    return INFORMAL if is_informal else NEUTRAL


def measure_formality(
    outputs: Sequence[str], annotated: Mapping[str, Sequence[str]], asked: str, language: str
) -> Dict[str, Any]:
    """Score outputs that were all asked to be formal, or all informal.

    Args:
        annotated: `formal` and `informal` -> annotated references of that kind, as many.
        asked: `formal` or `informal`.

    Returns:
        `lines`; `coverage`, the share of lines that are FORMAL or INFORMAL, 0..1; `accuracy`, the
        share of those that is as asked, 0 if there is none; `counts`, lines by verdict.

    Raises:
        InputError: if `asked` is neither, or the lists differ in length or are empty.

    Example: verdicts FORMAL, FORMAL, INFORMAL, NEUTRAL for outputs asked to be formal: accuracy
    2/3, coverage 3/4.
    """
    if asked not in ASKED:
        raise InputError(f"formality {asked!r} is not accepted; choose {' or '.join(ASKED)}")
    formal, informal = (annotated[kind] for kind in ASKED)
    check_aligned(outputs=outputs, formal=formal, informal=informal)
    if not outputs:
        raise InputError("no line to measure formality on; give outputs and their references")
    verdicts = Counter(
        classify(*line, language=language) for line in zip(outputs, formal, informal)
    )
    counted = verdicts[FORMAL] + verdicts[INFORMAL]
    return {
        "lines": len(outputs),
        "accuracy": round(verdicts[ASKED[asked]] / counted, 4) if counted else 0.0,
        "coverage": round(counted / len(outputs), 4),
        "counts": {verdict: verdicts[verdict] for verdict in (FORMAL, INFORMAL, OTHER, NEUTRAL)},
    }


def signature(language: str, lines: int) -> str:
    """What was counted, and how."""
    matching = "substring" if language_of(language) in UNSPACED else "tokens"
    return f"iwslt-formality|lang:{language}|match:{matching}|lines:{lines}"
