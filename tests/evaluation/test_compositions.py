from __future__ import annotations

import itertools

import pytest

from fairseq_instr.evaluation.compositions import (
    RememberedHypotheses,
    add_triples,
    measure_order,
    measure_reranked,
    summarise_reranked,
)
from fairseq_instr.evaluation.instructions import InstructionTestSet, measure_instructed

SOURCES = ["Two dogs run.", "A man reads.", "Children play."]
REFERENCES = ["Zwei Hunde laufen.", "Ein Mann liest.", "Kinder spielen."]
PLAIN = dict(zip(SOURCES, REFERENCES))
NAMES = ["uppercase", "lowercase", "no-punctuation", "html-bold", "double-quotes"]
SINGLE, PAIR = ("uppercase",), ("uppercase", "html-bold")


@pytest.fixture
def test_set():
    return InstructionTestSet(SOURCES, REFERENCES, "de")


def n_best(lines, asked):
    """The best hypothesis never shouts, the second does, the third is set in bold too."""
    found = []
    for line, names in zip(lines, asked):
        plain = PLAIN[line]
        found.append([plain, plain.upper(), f"<b>{plain.upper()}</b>"] if names else [plain])
    return found


def test_triples_are_valid_seeded_and_have_lines(test_set):
    triples, n_valid = add_triples(test_set, NAMES, 4, 1, 2)
    # uppercase and lowercase exclude each other: 10 triples of 5, less the 3 that have both
    assert n_valid == 7
    assert len(triples) == 4
    for triple in triples:
        assert not {"uppercase", "lowercase"} <= set(triple)
        assert triple in itertools.combinations(NAMES, 3)
        assert len(test_set.cases[triple]) <= 2
    again = InstructionTestSet(SOURCES, REFERENCES, "de")
    assert add_triples(again, NAMES, 4, 1, 2) == (triples, 7)
    assert again.cases == test_set.cases
    other = InstructionTestSet(SOURCES, REFERENCES, "de")
    drawn = [add_triples(other, NAMES, 4, seed, 2)[0] for seed in range(2, 8)]
    assert any(found != triples for found in drawn)


def test_triples_without_lines_are_passed_over():
    numbers = InstructionTestSet(["1 2"], ["1 2"], "de")
    assert add_triples(numbers, ["uppercase", "html-bold", "double-quotes"], 5, 1, 9) == ([], 1)
    assert numbers.cases == {}


def test_all_orders_are_compared_with_what_was_said_first(test_set):
    triples, _ = add_triples(test_set, NAMES, 2, 1, 3)
    seen = []

    def first_named(lines, asked):
        seen.extend(asked)
        return [names.partition(",")[0] + line for line, names in zip(lines, asked)]

    under = measure_instructed(first_named, test_set, triples)[2]
    del seen[:]
    found = measure_order(first_named, test_set, under, triples, 100, 1)
    n_lines = sum(len(test_set.cases[names]) for names in triples)
    canonical = {",".join(names) for names in triples}
    assert found["lines"] == len(seen) == n_lines
    assert not canonical & set(seen)  # always another order
    sorted_names = {tuple(sorted(names.split(","))) for names in seen}
    assert sorted_names <= {tuple(sorted(names)) for names in triples}
    # this system goes by the instruction that is named first, whatever else is asked
    kept = sum(any(names.partition(",")[0] == triple[0] for triple in triples
                   if set(triple) == set(names.split(","))) for names in seen)  # fmt: skip
    assert found["identical"] == round(kept / n_lines, 4) < 1

    def orderless(lines, asked):
        return [f"{line} {sorted(names.split(','))}" for line, names in zip(lines, asked)]

    under = measure_instructed(orderless, test_set, triples)[2]
    assert measure_order(orderless, test_set, under, triples, 3, 1) == {"lines": 3, "identical": 1}
    assert measure_order(orderless, test_set, under, [], 3, 1) == {"lines": 0, "identical": None}


def test_verifiers_choose_among_what_was_decoded_once(test_set):
    for case in (SINGLE, PAIR):
        assert test_set.add_rule_made(case, 3)
    calls = []

    def counted(lines, asked):
        calls.append(len(lines))
        return n_best(lines, asked)

    hypotheses = RememberedHypotheses(counted)
    plain, best, under = measure_instructed(hypotheses, test_set, [SINGLE, PAIR])
    assert plain == REFERENCES
    assert under[PAIR] == REFERENCES
    assert (best[SINGLE].rate, best[PAIR].rate) == (0.0, 0.0)
    responses, chosen = measure_reranked(hypotheses, test_set, [SINGLE, PAIR])
    assert len(calls) == 1
    assert chosen[SINGLE] == [reference.upper() for reference in REFERENCES]
    assert chosen[PAIR] == [f"<b>{reference.upper()}</b>" for reference in REFERENCES]
    assert (responses[SINGLE].rate, responses[SINGLE].adequacy) == (1.0, 1.0)
    summary = summarise_reranked(3, best, responses)
    assert (summary["response_rate"], summary["chrf2"], summary["pairs"]) == (1.0, 100.0, 1.0)
    assert summary["best"]["response_rate"] == summary["best"]["pairs"] == 0.0
    assert summary["best"]["chrf2"] == round(best[SINGLE].chrf2, 4) < 100
    assert summary["triples"] is None
    assert list(summary["by_instruction"]) == ["uppercase"]


def test_where_none_obeys_the_best_stays(test_set):
    assert test_set.add_rule_made(("double-quotes",), 3)
    hypotheses = RememberedHypotheses(n_best)
    best = measure_instructed(hypotheses, test_set, [("double-quotes",)])[1]
    responses, chosen = measure_reranked(hypotheses, test_set, [("double-quotes",)])
    assert chosen[("double-quotes",)] == REFERENCES
    assert responses == best
