from __future__ import annotations

from fairseq_instr.evaluation.directions import Judge, TestSet
from fairseq_instr.evaluation.instructions import InstructionTestSet
from fairseq_instr.evaluation.samples import (
    N_COMPOSITIONS,
    choose_lines,
    sample_cases,
    sample_directions,
    sample_sections,
)
from fairseq_instr.text.identification import LangidIdentifier

REFERENCES = [f"Zwei Hunde und {n} Katzen schlafen." for n in range(9)]
SOURCES = [f"Two dogs and {n} cats sleep." for n in range(9)]
CASES = [("uppercase",), ("html-bold",)]
PAIR = ("uppercase", "html-bold")


def systems(test):
    """One that shouts whatever is asked, one that does as it is told."""
    cases = [*CASES, PAIR]
    return {
        "base": {c: [plain.upper() for _, _, plain in test.cases[c]] for c in cases},
        "tuned": {c: [reference for _, reference, _ in test.cases[c]] for c in cases},
    }


def test_samples_show_what_each_verifier_says():
    test = InstructionTestSet(SOURCES, REFERENCES, "de")
    for case in (*CASES, PAIR):
        assert test.add_rule_made(case, 9)
    samples = sample_cases(test, systems(test), CASES, [PAIR], 2, 1)
    assert [s["asked"] for s in samples] == [
        "uppercase", "uppercase", "html-bold", "html-bold", "uppercase + html-bold"
    ]  # fmt: skip
    marks = [{name: o["marks"] for name, o in s["outputs"].items()} for s in samples]
    assert marks[0] == {"base": {"uppercase": True}, "tuned": {"uppercase": True}}
    assert marks[2] == {"base": {"html-bold": False}, "tuned": {"html-bold": True}}
    assert marks[4]["base"] == {"uppercase": True, "html-bold": False}
    for sample in samples:
        i = SOURCES.index(sample["source"])
        assert sample["outputs"]["base"]["text"] == REFERENCES[i].upper()
        assert sample["outputs"]["tuned"]["text"] == sample["reference"]
    # what is shown of one case does not depend on the others
    assert sample_cases(test, systems(test), CASES[1:], [], 2, 1) == samples[2:4]
    assert sample_cases(test, systems(test), CASES, [PAIR], 0, 1) == []
    sections = sample_sections(samples)
    assert [s.title for s in sections[1:]] == ["uppercase", "html-bold", "uppercase + html-bold"]


def test_lines_are_chosen_by_the_seed_and_compositions_are_few():
    assert choose_lines(3, 9, "1") == [0, 1, 2]
    assert choose_lines(0, 9, "1") == []
    chosen = choose_lines(1000, 5, "1")
    assert chosen == sorted(set(chosen)) == choose_lines(1000, 5, "1") != choose_lines(1000, 5, "2")
    test = InstructionTestSet(SOURCES, REFERENCES, "de")
    test.add_rule_made(PAIR, 9)
    many = [PAIR] * (N_COMPOSITIONS + 5)
    assert len(sample_cases(test, {}, [], many, 3, 1)) == N_COMPOSITIONS


def test_directions_are_marked_by_their_language():
    tests = {("en", "de"): TestSet(SOURCES, REFERENCES), ("de", "en"): TestSet(REFERENCES, SOURCES)}
    copies = {direction: test.sources for direction, test in tests.items()}
    right = {direction: test.references for direction, test in tests.items()}
    judge = Judge(LangidIdentifier(), ["de", "en"])
    samples = sample_directions(tests, {"copies": copies, "right": right}, judge, 2, 1)
    assert [sample["asked"] for sample in samples] == ["en-de", "en-de", "de-en", "de-en"]
    for sample in samples:
        (mark,) = sample["outputs"]["right"]["marks"]
        assert mark == f"in {sample['asked'][3:]}"
        assert sample["outputs"]["right"]["marks"][mark] is True
        assert sample["outputs"]["copies"]["marks"][mark] is False
    # aligned test sets show the same lines in every direction
    assert [s["source"] for s in samples[:2]] == [s["reference"] for s in samples[2:]]
