"""General quality through sacreBLEU: BLEU and chrF2 with their signatures, and significance."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Sequence, cast

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, Result


def chrf2(outputs: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2, 0..100."""
    return CHRF().corpus_score(list(outputs), [list(references)]).score


def measure_quality(
    outputs: Sequence[str], references: Sequence[str], language: str = ""
) -> Dict[str, Any]:
    """BLEU and chrF2 with signatures: `{"bleu", "chrf2", "signatures": {"bleu", "chrf2"}}`.

    Args:
        outputs: translations, raw text.
        references: as many.
        language: target language; sacreBLEU splits some, such as `zh`, in a way of their own.
    """
    bleu, chrf = BLEU(trg_lang=language), CHRF()
    return {
        "bleu": round(bleu.corpus_score(list(outputs), [list(references)]).score, 2),
        "chrf2": round(chrf.corpus_score(list(outputs), [list(references)]).score, 2),
        "signatures": {
            "bleu": str(bleu.get_signature()),
            "chrf2": str(chrf.get_signature()),
        },
    }


def paired_significance(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    samples: int = 1000,
    seed: int = 12345,
) -> Dict[str, Dict[str, dict]]:
    """Paired bootstrap (Koehn, 2004) of every system against the first one.

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
            {"BLEU": BLEU(references=[expected]), "chrF2": CHRF(references=[expected])},
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
