from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.quality import chrf2
from fairseq_instr.evaluation.response import (
    applicable_lines,
    measure_response,
    wilson_interval,
)
from fairseq_instr.instructions import catalogue

SOURCES = ["Two dogs are running.", "A man reads.", "Three women are talking in the street."]
REFERENCES = ["Zwei Hunde rennen.", "Ein Mann liest.", "Drei Frauen reden auf der Straße."]


def named(*names):
    return [catalogue()[name] for name in names]


def test_wilson_interval_of_8_in_10():
    low, high = wilson_interval(8, 10)
    assert low == pytest.approx(0.4902, abs=1e-4)
    assert high == pytest.approx(0.9433, abs=1e-4)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_narrows_with_more_lines(counts):
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    wider_low, wider_high = wilson_interval(successes * 4, trials * 4)
    assert wider_high - wider_low < high - low


def test_only_lines_that_the_instruction_changes_count():
    lines = applicable_lines(named("digits"), SOURCES, REFERENCES, "de")
    assert lines == [(0, "2 Hunde rennen."), (2, "3 Frauen reden auf der Straße.")]


def test_both_rules_of_a_pair_must_apply():
    lines = applicable_lines(named("digits", "swiss"), SOURCES, REFERENCES, "de")
    assert lines == [(2, "3 Frauen reden auf der Strasse.")]


def test_what_is_found_counts_where_the_reference_obeys():
    # 18 characters for 21 are short, 15 for 12 are not, 33 for 38 are
    lines = applicable_lines(named("short"), SOURCES, REFERENCES, "de")
    assert lines == [(0, REFERENCES[0]), (2, REFERENCES[2])]
    lines = applicable_lines(named("short", "digits"), SOURCES, REFERENCES, "de")
    assert lines[0] == (0, "2 Hunde rennen.")


def test_rate_and_adequacy_on_literal_outputs():
    lines = applicable_lines(named("uppercase"), SOURCES, REFERENCES, "de")
    references = [text for _, text in lines]
    outputs = ["ZWEI HUNDE RENNEN.", "Ein Mann liest.", "DREI FRAUEN REDEN AUF DER STRASSE."]
    response = measure_response(named("uppercase"), SOURCES, references, outputs, 80.0, "de")
    assert (response.lines, response.rate) == (3, pytest.approx(2 / 3))
    assert response.chrf2 == pytest.approx(chrf2(outputs, references))
    assert response.adequacy == pytest.approx(response.chrf2 / 80.0)


def test_what_shouts_without_translating_obeys_but_is_not_adequate():
    references = [reference.upper() for reference in REFERENCES]
    good = measure_response(named("uppercase"), SOURCES, references, references, 100.0, "de")
    bad = measure_response(named("uppercase"), SOURCES, references, ["QQQ X"] * 3, 100.0, "de")
    assert good.rate == bad.rate == 1.0
    assert good.adequacy == pytest.approx(1.0)
    assert bad.adequacy < 0.1


def test_a_pair_is_obeyed_when_both_are():
    outputs = ["<b>ZWEI HUNDE</b>", "<b>Ein Mann</b>", "DREI FRAUEN"]
    names = named("html-bold", "uppercase")
    response = measure_response(names, SOURCES, REFERENCES, outputs, 50.0, "de")
    assert response.rate == pytest.approx(1 / 3)


def test_the_order_of_lines_says_nothing():
    outputs = ["ZWEI HUNDE.", "Ein Mann.", "FRAUEN"]
    forwards = measure_response(named("uppercase"), SOURCES, REFERENCES, outputs, 50.0, "de")
    backwards = measure_response(
        named("uppercase"), SOURCES[::-1], REFERENCES[::-1], outputs[::-1], 50.0, "de"
    )
    assert forwards.to_dict() == backwards.to_dict()


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="sources 3, references 3, outputs 2"):
        measure_response(named("uppercase"), SOURCES, REFERENCES, ["A", "B"], 50.0, "de")


def test_no_line_at_all_is_refused():
    with pytest.raises(InputError, match="no line to measure uppercase on"):
        measure_response(named("uppercase"), [], [], [], 50.0, "de")
