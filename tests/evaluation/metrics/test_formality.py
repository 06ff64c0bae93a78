"""Formality as the IWSLT scorer counts it: the arithmetic, and its edge cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics.formality import (
    FORMAL,
    INFORMAL,
    NEUTRAL,
    OTHER,
    classify,
    marked_phrases,
    measure_formality,
    signature,
    without_marks,
)

FORMAL_REFERENCE = "[F]Gehen Sie[/F] mit [F]Ihrer[/F] Tasche"
INFORMAL_REFERENCE = "[F]Geh[/F] mit [F]deiner[/F] Tasche"


def references(n):
    return {"formal": [FORMAL_REFERENCE] * n, "informal": [INFORMAL_REFERENCE] * n}


SPACED = ("[F]Gehen Sie [/F]langsam", INFORMAL_REFERENCE, "de")
JAPANESE = ("これは本[F]です[/F]。", "これは本[F]だ[/F]。", "ja")


@pytest.mark.parametrize(
    "output, verdict",
    [
        ("Gehen Sie mit der Tasche", FORMAL),
        ("Sie sollen gehen , Gehen", FORMAL),  # order and place say nothing
        ("gehen Sie mit der Tasche", NEUTRAL),  # case does
        ("Gehen Sie, mit Ihrer, Tasche", NEUTRAL),  # and so do marks at a word
        ("Bitte mit Ihrer Tasche", FORMAL),
        ("Geh mit der Tasche", INFORMAL),
        ("Geh mit Ihrer Tasche", OTHER),
        ("Mit der Tasche", NEUTRAL),
        ("", NEUTRAL),
    ],
)
def test_verdicts(output, verdict):
    assert classify(output, FORMAL_REFERENCE, INFORMAL_REFERENCE, "de") == verdict


@pytest.mark.parametrize(
    "output, references, verdict",
    [
        # a space inside the marks is a token of its own
        ("Gehen Sie langsam", SPACED, NEUTRAL),
        ("Gehen Sie  langsam", SPACED, FORMAL),
        # Japanese phrases are found inside the text
        ("それは本です。", JAPANESE, FORMAL),
        ("それは本だ。", JAPANESE, INFORMAL),
        ("それは本だ。", (*JAPANESE[:2], "ja_XX"), INFORMAL),
    ],
)
def test_what_a_token_is(output, references, verdict):
    assert classify(output, *references) == verdict


def test_accuracy_and_coverage_on_four_lines():
    outputs = ["Gehen Sie", "mit Ihrer", "Geh", "Tasche"]
    lines = references(4)
    formal = measure_formality(outputs, lines, "formal", "de")
    assert formal["counts"] == {FORMAL: 2, INFORMAL: 1, OTHER: 0, NEUTRAL: 1}
    assert (formal["accuracy"], formal["coverage"]) == (pytest.approx(2 / 3, abs=1e-4), 3 / 4)
    informal = measure_formality(outputs, lines, "informal", "de")
    assert (informal["accuracy"], informal["coverage"]) == (pytest.approx(1 / 3, abs=1e-4), 3 / 4)
    assert signature("de", 4) == "iwslt-formality|lang:de|match:tokens|lines:4"


def test_a_mark_that_is_not_closed_marks_nothing():
    assert marked_phrases("[F]a[/F] [F]b") == ["a"]
    assert without_marks("[F]a[/F] [F]b") == "a b"


@given(st.lists(st.sampled_from(["Gehen Sie", "Ihrer", "Geh", "x"]), min_size=1, max_size=8))
def test_the_two_accuracies_add_up_where_anything_counts(outputs):
    lines = references(len(outputs))
    formal = measure_formality(outputs, lines, "formal", "de")
    informal = measure_formality(outputs, lines, "informal", "de")
    assert formal["coverage"] == informal["coverage"]
    total = formal["accuracy"] + informal["accuracy"]
    assert total == (pytest.approx(1.0, abs=2e-4) if formal["coverage"] else 0.0)
    assert sum(formal["counts"].values()) == len(outputs)


def test_wrong_input_is_named():
    for outputs, n, asked in ((["x"], 1, "polite"), (["x"], 2, "formal"), ([], 0, "formal")):
        with pytest.raises(InputError, match=asked if n else "no line"):
            measure_formality(outputs, references(n), asked, "de")
