"""Formal and informal address: how often the words tell right, on labelled translations.

    INSTR_DATA=... python -m pytest -s -m slow tests/instructions/test_formality.py

prints the figures. The words were chosen with the even lines of each file in view; figures are of
the odd ones.
"""

from __future__ import annotations

import pytest

from fairseq_instr.instructions import catalogue
from fairseq_instr.instructions.catalogue.formality import FORMAL, INFORMAL, address
from fairseq_instr.text.lines import read_lines

LEAST = 0.9
COCOA_MT = ("train/en-{0}/telephony", "train/en-{0}/topical_chat", "test/en-{0}/telephony",
            "test/en-{0}/call_center")  # fmt: skip
SETS = [f"formality/{name}" for name in COCOA_MT]
BOTH_WAYS = ["formality_apps/train.en-{0}", "formality_tatoeba/train.en-{0}"]
LANGUAGES = {"de": SETS + BOTH_WAYS, "fr": SETS, "nl": SETS + BOTH_WAYS}


def test_served_are_the_languages_that_are_measured():
    assert catalogue()[FORMAL].languages == catalogue()[INFORMAL].languages == set(LANGUAGES)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_precision_and_recall_on_the_half_that_nobody_looked_at(language, real_text):
    held_out = {FORMAL: [], INFORMAL: []}
    for prefix in LANGUAGES[language]:
        for label, lines in held_out.items():
            path = real_text(f"{prefix.format(language)}.{label}.{language}.gz")
            lines += [(line, language) for line in read_lines(path)[1::2]]
    news = read_lines(real_text(f"ntrex/ntrex128.{language}.gz"))[1::2]
    for wanted, other in ((FORMAL, INFORMAL), (INFORMAL, FORMAL)):
        found = [address(*line) == wanted for line in held_out[wanted]]
        wrong = [address(*line) == wanted for line in held_out[other]]
        precision = sum(found) / (sum(found) + sum(wrong))
        recall = sum(found) / len(found)
        in_news = sum(address(line, language) == wanted for line in news) / len(news)
        print(
            f"{language} {wanted:8} lines {len(found):5} precision {precision:.3f} "
            f"recall {recall:.3f} of news {in_news:.3f}"
        )
        assert min(precision, recall) >= LEAST
