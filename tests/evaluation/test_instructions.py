from __future__ import annotations

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.instructions import (
    InstructionTestSet,
    choose_pairs,
    measure_instructed,
    measure_plain,
    summarise_mixed,
)

SOURCES = ["Two dogs run.", "A man reads.", "42"]
REFERENCES = ["Zwei Hunde laufen.", "Ein Mann liest.", "42"]
PLAIN = dict(zip(SOURCES, REFERENCES))


def obedient(lines, asked):
    """Perfect translations, in capitals where these were asked for."""
    return [
        PLAIN.get(line, "Wie geht es Ihnen?").upper()
        if "uppercase" in names
        else PLAIN.get(line, "Wie geht es Ihnen?")
        for line, names in zip(lines, asked)
    ]


@pytest.fixture
def test_set():
    test = InstructionTestSet(SOURCES, REFERENCES, "de")
    assert test.add_rule_made(("uppercase",), 10)
    return test


def test_lines_that_an_instruction_changes_are_those_measured(test_set):
    # the number is the same in capitals
    assert [line[0] for line in test_set.cases[("uppercase",)]] == SOURCES[:2]
    assert test_set.cases[("uppercase",)][0][1] == "ZWEI HUNDE LAUFEN."
    assert [c[0] for c in test_set.cut([("uppercase",)], 1).cases[("uppercase",)]] == SOURCES[:1]
    numbers = InstructionTestSet(["42"], ["42"], "de")
    assert not numbers.add_rule_made(("uppercase",), 10)
    assert numbers.cases == {}


def test_an_obedient_system_scores_full_and_its_base_by_chance(test_set):
    cases = [("uppercase",)]
    plain, responses, under = measure_instructed(obedient, test_set, cases)
    assert plain == REFERENCES
    assert under[cases[0]] == ["ZWEI HUNDE LAUFEN.", "EIN MANN LIEST."]
    assert (responses[cases[0]].rate, responses[cases[0]].adequacy) == (1.0, 1.0)
    outputs, base = measure_plain(obedient, test_set, cases)
    assert outputs == PLAIN
    assert base[cases[0]].rate == 0.0
    row = summarise_mixed(responses, plain, test_set)
    assert row == {"response_rate": 1.0, "adequacy": 1.0, "chrf2": 100.0, "bleu": 100.0}


def test_labelled_lines_outside_the_test_set_are_translated_plainly_too(test_set, tmp_path):
    for extension, line in (("en", "How are you?"), ("de", "Wie geht es Ihnen?"),
                            ("instr", "formal")):  # fmt: skip
        (tmp_path / f"test.{extension}").write_text(f"{line}\n", encoding="utf-8")
    test_set.add_labelled(str(tmp_path / "test"), "en", "de")
    seen = []

    def translate(lines, asked):
        seen.extend(zip(lines, asked))
        return obedient(lines, asked)

    plain, responses, _ = measure_instructed(translate, test_set, [("formal",)])
    assert seen == [*((s, "") for s in SOURCES), ("How are you?", ""), ("How are you?", "formal")]
    assert plain == REFERENCES
    assert responses[("formal",)].rate == 1.0


def test_pairs_are_valid_and_the_same_for_a_seed():
    names = ["uppercase", "lowercase", "no-punctuation", "html-bold"]
    every = choose_pairs(names, "all", 1)
    assert ("uppercase", "lowercase") not in every
    assert ("uppercase", "html-bold") in every
    some = choose_pairs(names, "2", 1)
    assert len(some) == 2
    assert set(some) <= set(every)
    assert some == choose_pairs(names, "2", 1)
    assert choose_pairs(names, "0", 1) == []
    with pytest.raises(InputError, match="--pairs 'some' is not accepted"):
        choose_pairs(names, "some", 1)
