"""Off-target ratio (OTR): the share of outputs that are not in the language asked for.

100 - OTR is the line-level pass rate. Read it beside the same figure of the references, which is
the identifier's own error, and beside BLEU: a model may copy or babble in the right language. An
identifier judges a line by most of its words; `foreign_words` counts other languages' words.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import Score, Translations
from fairseq_instr.text.identification import identify, is_in
from fairseq_instr.text.languages import language_of

SCORES = (
    Score("off_target", "OTR", by_pivot=True),
    Score("off_target_unrestricted", "OTR, all languages"),
    Score("in_source", "in source", in_means=False),
    Score("in_english", "in English", in_means=False),
    Score("foreign_words", "foreign words"),
    Score("empty", "empty", decimals=1, in_means=False),
    Score("short", "short", decimals=1, in_means=False),
)
ENGLISH = "en"
SHORT_WORDS = 3
"""An output of fewer words is short: identification is little better than a guess there."""

_WORD = re.compile(r"[^\W\d_]+")


def measure(translations: Translations) -> Tuple[Dict[str, float], Dict[str, str]]:
    """Which languages outputs are in, percent; an empty output is in none, so it is off target.

    Codes that name a region or script, such as `de_DE`, stand for their language.

    Returns:
        `lines`, `empty` and `short` (one or two words) are counts. `off_target`, `on_target`,
        `in_source` and `in_english` are percentages among the stated languages, with the ending
        `_unrestricted` among all. `foreign_words` is a percentage of words; it is missing where
        no output holds a word.

    Raises:
        InputError: if the stated set lacks the source or the target language, the identifier
            doesn't know one of its languages, or the vocabularies lack the target's.
    """
    languages = translations.languages
    if languages is None:
        return {}, {}
    source, target = map(language_of, (translations.source_language, translations.target_language))
    stated = sorted(set(map(language_of, languages.stated)))
    missing = sorted({source, target} - set(stated))
    if missing:
        raise InputError(
            f"--languages {','.join(stated) or '(none)'} lacks {', '.join(missing)}: the stated "
            "set must hold the source and the target language, add them"
        )
    outputs = list(translations.outputs)
    n_words = [len(line.split()) for line in outputs]
    figures: Dict[str, float] = {
        "lines": len(outputs),
        "empty": n_words.count(0),
        "short": sum(0 < n < SHORT_WORDS for n in n_words),
    }
    restricted, unrestricted = identify(outputs, languages.identifier, stated, None)
    shares = {"on_target": target, "in_source": source, "in_english": ENGLISH}
    for codes, ending in ((restricted, ""), (unrestricted, "_unrestricted")):
        for name, language in shares.items():
            figures[name + ending] = _percentage(_count(codes, language), len(codes))
        off_target = len(codes) - _count(codes, target)
        figures["off_target" + ending] = _percentage(off_target, len(codes))
    if languages.vocabularies is not None:
        share = foreign_words(outputs, translations.target_language, languages.vocabularies)
        if share is not None:
            figures["foreign_words"] = share
    signature = f"lid:{languages.identifier.signature}|set:{'+'.join(stated)}|lines:{len(outputs)}"
    return figures, {"language identification": signature}


def _count(codes: Sequence[Optional[str]], language: str) -> int:
    return sum(is_in(code, language) for code in codes)


def _percentage(count: int, total: int) -> float:
    return round(100 * count / total, 2) if total else 0.0


def build_vocabulary(lines: Iterable[str], min_count: int = 1) -> Dict[str, int]:
    """Words of a language's reference text with their counts, case folded.

    Args:
        min_count: words seen less often are left out: text in one language quotes others.

    Example: `build_vocabulary(["Der Hund, der bellt"]) == {"der": 2, "hund": 1, "bellt": 1}`.
    """
    counts = Counter(word for line in lines for word in _words(line))
    return {word: count for word, count in counts.items() if count >= min_count}


def foreign_words(
    outputs: Sequence[str], target_language: str, vocabularies: Mapping[str, Collection[str]]
) -> Optional[float]:
    """Percentage of running words that other languages' text has and the target's has not.

    None without a word: empty outputs are not free of foreign words.

    Names and words that languages share are in the target's text too, and words in no text at
    all may be new compounds: neither counts.

    Args:
        vocabularies: language -> its words, case folded; text of similar size for each, parallel
            text at best.
    """
    if target_language not in vocabularies:
        raise InputError(
            f"--training-text: no vocabulary for the target language {target_language!r}; there "
            f"are {', '.join(sorted(vocabularies)) or 'none'}: add its text"
        )
    foreign = set().union(*vocabularies.values()) - set(vocabularies[target_language])
    words = [word for line in outputs for word in _words(line)]
    return _percentage(sum(word in foreign for word in words), len(words)) if words else None


def _words(line: str) -> List[str]:
    return _WORD.findall(line.casefold())
