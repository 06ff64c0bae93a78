"""Formality accuracy, as the scorer of the IWSLT formality tasks counts it.

Nadejde et al. (2022), CoCoA-MT. Two references of each line, formal and informal, have the
phrases that show it marked: `[F]Sie gehen[/F] langsam`. A phrase is found in an output when all
its tokens are, in any order and place; an output in which formal phrases are found and no
informal ones is FORMAL, the other way round INFORMAL. The two other verdicts, OTHER (both) and
NEUTRAL (none), leave the accuracy's denominator, so coverage stands beside it.

Kept as the scorer has it: tokens are split at single spaces, so that a phrase with a space just
inside its marks holds an empty token and is hardly ever found, and `Sie` is not found in `Sie,`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Dict, List, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import check_aligned

FORMAL, INFORMAL, OTHER, NEUTRAL = "FORMAL", "INFORMAL", "OTHER", "NEUTRAL"
ASKED = {"formal": FORMAL, "informal": INFORMAL}
# written without spaces: a phrase is found where it stands in the output
UNSPACED = frozenset({"ja", "zh", "th"})
_MARKED = re.compile(r"\[F\](.*?)\[/F\]")


@dataclass(frozen=True)
class Formality:
    """How often outputs have the formality that was asked for.

    Attributes:
        asked: `formal` or `informal`.
        lines: outputs looked at.
        accuracy: of those FORMAL or INFORMAL, the share that is as asked, 0..1; 0 if there is
            none.
        coverage: share of the lines that are FORMAL or INFORMAL, 0..1.
        counts: lines by verdict.
        signature: what was counted and how.
    """

    asked: str
    lines: int
    accuracy: float
    coverage: float
    counts: Dict[str, int]
    signature: str

    def to_dict(self) -> dict:
        """The figures for `report.json`, rounded."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


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
    if language in UNSPACED:
        return any(phrase in output for phrase in phrases)
    tokens = set(output.split(" "))
    return any(tokens.issuperset(phrase.split(" ")) for phrase in phrases)


def classify(output: str, formal: str, informal: str, language: str) -> str:
    """The verdict on an output.

    Args:
        output: a translation, raw text.
        formal: the formal reference, annotated.
        informal: the informal one.
        language: target language.

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
    outputs: Sequence[str],
    formal: Sequence[str],
    informal: Sequence[str],
    asked: str,
    language: str,
) -> Formality:
    """Score outputs that were all asked to be formal, or all informal.

    Args:
        outputs: translations, raw text.
        formal: annotated formal references, as many.
        informal: annotated informal ones, as many.
        asked: `formal` or `informal`.
        language: target language.

    Raises:
        InputError: if `asked` is neither, or the lists differ in length or are empty.

    Example: verdicts FORMAL, FORMAL, INFORMAL, NEUTRAL for outputs asked to be formal: accuracy
    2/3, coverage 3/4.
    """
    if asked not in ASKED:
        raise InputError(f"formality {asked!r} is not accepted; choose {' or '.join(ASKED)}")
    check_aligned(outputs=outputs, formal=formal, informal=informal)
    if not outputs:
        raise InputError("no line to measure formality on; give outputs and their references")
    verdicts = Counter(
        classify(*line, language=language) for line in zip(outputs, formal, informal)
    )
    counted = verdicts[FORMAL] + verdicts[INFORMAL]
    matching = "substring" if language in UNSPACED else "tokens"
    return Formality(
        asked=asked,
        lines=len(outputs),
        accuracy=verdicts[ASKED[asked]] / counted if counted else 0.0,
        coverage=counted / len(outputs),
        counts={verdict: verdicts[verdict] for verdict in (FORMAL, INFORMAL, OTHER, NEUTRAL)},
        signature=f"iwslt-formality|lang:{language}|match:{matching}|lines:{len(outputs)}",
    )
