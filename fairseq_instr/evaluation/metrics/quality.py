"""General quality through sacreBLEU: BLEU and chrF2 with their signatures, and significance."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Sequence, Tuple, cast

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, Result

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import Score, Translations
from fairseq_instr.text.languages import language_of

SCORES = (Score("bleu", "BLEU", by_pivot=True), Score("chrf2", "chrF2", by_pivot=True))


def measure(translations: Translations) -> Tuple[Dict[str, float], Dict[str, str]]:
    """Corpus BLEU and chrF2, 0..100.

    Raises:
        InputError: as `bleu_of`.
    """
    outputs, references = list(translations.outputs), [list(translations.references)]
    metrics = {"bleu": bleu_of(translations.target_language), "chrf2": CHRF()}
    figures = {n: round(m.corpus_score(outputs, references).score, 2) for n, m in metrics.items()}
    return figures, {name: str(metric.get_signature()) for name, metric in metrics.items()}


def bleu_of(language: str, **options: Any) -> BLEU:
    """BLEU that splits words as sacreBLEU does for a target language; `zh_CN` is `zh`.

    Raises:
        InputError: if sacreBLEU splits this language by a package that is not installed.
    """
    try:
        return BLEU(trg_lang=language_of(language), **options)
    except RuntimeError:
        extra = f"sacrebleu[{language_of(language)}]"
        raise InputError(
            f"BLEU into {language} needs words that a package splits; run pip install '{extra}'"
        ) from None


def chrf2(outputs: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2, 0..100."""
    return CHRF().corpus_score(list(outputs), [list(references)]).score


def paired_significance(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    language: str,
    samples: int = 1000,
    seed: int = 12345,
) -> Dict[str, Dict[str, dict]]:
    """Paired bootstrap (Koehn, 2004) of every system against the first one.

    Args:
        language: code of the target language.

    Returns:
        metric -> system -> `{"score", "p_value"}`; the first system has no p-value, and a
        system with the same outputs as the first has 1 (sacreBLEU's would be near 0).
    """
    expected = list(references)
    first = list(next(iter(systems.values())))
    same = {name for name, outputs in systems.items() if list(outputs) == first}
    before = os.environ.get("SACREBLEU_SEED")
    # the only way in to sacreBLEU's seed; it takes 0 for no seed at all
    os.environ["SACREBLEU_SEED"] = str(seed or 12345)
    try:
        test = PairedTest(
            [(name, list(outputs)) for name, outputs in systems.items()],
            {
                "BLEU": bleu_of(language, references=[expected]),
                "chrF2": CHRF(references=[expected]),
            },
            references=None,
            test_type="bs",
            n_samples=samples,
        )
        _, scores = test()
    finally:
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
    return {
        metric: {
            name: {
                "score": round(result.score, 2),
                "p_value": 1.0 if result.p_value is not None and name in same else result.p_value,
            }
            for name, result in zip(systems, cast(List[Result], results))
        }
        for metric, results in scores.items()
        if metric != "System"  # whose entries are names
    }
