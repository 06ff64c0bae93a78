from __future__ import annotations

import os

import pytest
import sacrebleu

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import Translations, quality
from fairseq_instr.evaluation.metrics.quality import chrf2, measure, paired_significance

REFERENCES = [f"Ein Mann sieht {n} Hunde auf der Straße ." for n in range(30)]
GOOD = [line.replace("sieht", "hat") for line in REFERENCES]
BAD = [line.replace("Mann", "Baum").replace("Hunde auf der", "Katzen") for line in REFERENCES]


def test_scores_are_sacrebleu_s_with_their_signatures():
    figures, signatures = measure(Translations(GOOD, REFERENCES, "de"))
    assert figures["bleu"] == round(sacrebleu.corpus_bleu(GOOD, [REFERENCES]).score, 2)
    assert figures["chrf2"] == round(sacrebleu.corpus_chrf(GOOD, [REFERENCES]).score, 2)
    assert chrf2(REFERENCES, REFERENCES) == pytest.approx(100)
    assert "tok:13a" in signatures["bleu"] and "nc:6" in signatures["chrf2"]


@pytest.mark.parametrize("code", ["zh", "zh-Hans", "zho_Hans", "zh_CN"])
def test_words_are_split_as_the_language_of_a_code_wants_it(code):
    outputs, references = ["我今天去学校了因为有课"] * 3, ["我今天去学校因为有课了"] * 3
    expected = round(sacrebleu.corpus_bleu(outputs, [references], tokenize="zh").score, 2)
    figures, signatures = measure(Translations(outputs, references, code))
    assert figures["bleu"] == expected > 0 and "tok:zh" in signatures["bleu"]
    systems = {"base": outputs, "same": outputs}
    found = paired_significance(systems, references, code, samples=10)
    assert found["BLEU"]["base"]["score"] == expected


def test_a_language_that_needs_a_package_names_it(monkeypatch):
    def missing(**options):
        raise RuntimeError("Please install them like so.\n\npip install sacrebleu[ja]")

    monkeypatch.setattr(quality, "BLEU", missing)
    with pytest.raises(InputError, match=r"pip install 'sacrebleu\[ja\]'"):
        measure(Translations(["本"], ["本"], "ja_XX"))


def test_a_clear_difference_is_significant_and_none_is_not():
    systems = {"base": GOOD, "same": list(GOOD), "worse": BAD}
    for scores in paired_significance(systems, REFERENCES, "de", samples=200).values():
        assert scores["base"]["p_value"] is None
        assert scores["worse"]["p_value"] < 0.05
        assert scores["same"]["p_value"] > 0.5
        assert scores["worse"]["score"] < scores["base"]["score"]


@pytest.mark.parametrize("seed", [0, 3])
def test_the_seed_decides_and_the_environment_is_left_as_it_was(monkeypatch, seed):
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    systems = {
        "base": [line if n % 3 else good for n, (line, good) in enumerate(zip(REFERENCES, GOOD))],
        "other": [line if n % 5 else bad for n, (line, bad) in enumerate(zip(REFERENCES, BAD))],
    }
    first = paired_significance(systems, REFERENCES, "de", seed=seed)
    assert first == paired_significance(systems, REFERENCES, "de", seed=seed)
    assert "SACREBLEU_SEED" not in os.environ
