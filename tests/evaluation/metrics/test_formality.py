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


def test_accuracy_and_coverage_on_four_lines():
    outputs = ["Gehen Sie", "mit Ihrer", "Geh", "Tasche"]
    lines = references(4)
    formal = measure_formality(outputs, lines, "formal", "de")
    assert formal["counts"] == {FORMAL: 2, INFORMAL: 1, OTHER: 0, NEUTRAL: 1}
    assert (formal["accuracy"], formal["coverage"]) == (pytest.approx(2 / 3, abs=1e-4), 3 / 4)
    informal = measure_formality(outputs, lines, "informal", "de")
    assert (informal["accuracy"], informal["coverage"]) == (pytest.approx(1 / 3, abs=1e-4), 3 / 4)
    assert signature("de", 4) == "iwslt-formality|lang:de|match:tokens|lines:4"


def test_a_space_inside_the_marks_is_a_token_of_its_own():
    spaced = "[F]Gehen Sie [/F]langsam"
    assert marked_phrases(spaced) == ["Gehen Sie "]
    assert classify("Gehen Sie langsam", spaced, INFORMAL_REFERENCE, "de") == NEUTRAL
    assert classify("Gehen Sie  langsam", spaced, INFORMAL_REFERENCE, "de") == FORMAL


def test_japanese_phrases_are_found_inside_the_text():
    formal, informal = "これは本[F]です[/F]。", "これは本[F]だ[/F]。"
    assert classify("それは本です。", formal, informal, "ja") == FORMAL
    assert classify("それは本だ。", formal, informal, "ja") == INFORMAL
    assert (
        measure_formality(["です"], {"formal": [formal], "informal": [informal]}, "formal", "ja")[
            "accuracy"
        ]
        == 1.0
    )


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
    with pytest.raises(InputError, match="polite"):
        measure_formality(["x"], references(1), "polite", "de")
    with pytest.raises(InputError, match="formal 2"):
        measure_formality(["x"], references(2), "formal", "de")
    with pytest.raises(InputError, match="no line"):
        measure_formality([], references(0), "formal", "de")
