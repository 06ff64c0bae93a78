"""Base against tuned: which lines are asked, what is counted, what is refused."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import evaluate
from fairseq_instr.evaluation.instructions import (
    N_COMPOSITIONS,
    Cases,
    Labelled,
    check_roles,
    choose_pairs,
    choose_singles,
    choose_triples,
    read_labelled,
    sample_cases,
)
from fairseq_instr.evaluation.systems import ask
from fairseq_instr.instructions import Instruction, Inventory, catalogue

SOURCES = ["Two dogs run.", "A man reads.", "Children play.", "42"]
REFERENCES = ["Zwei Hunde laufen.", "Ein Mann liest.", "Kinder spielen.", "42"]
PLAIN = {**dict(zip(SOURCES, REFERENCES)), "How are you?": "Wie geht es Ihnen?"}
NAMES = ["uppercase", "lowercase", "no-punctuation", "html-bold", "double-quotes"]
SINGLES = [(name,) for name in NAMES]
OWN = Instruction("our-own", "ours", ("as we like it",))
INVENTORY = Inventory([*(catalogue()[name] for name in NAMES), OWN])


def obedient(line, asked):
    """Perfect translations; obeys `uppercase`, and `html-bold` in the second hypothesis."""
    text = PLAIN[line].upper() if "uppercase" in asked else PLAIN[line]
    return [text, f"<b>{text}</b>"]


def plainly(line, asked):
    assert not asked  # a base model is asked for nothing
    return PLAIN[line]


@pytest.fixture
def test_set():
    return Cases(SOURCES, REFERENCES, "de")


@pytest.fixture
def measured(fake_system):
    """`measured(**options)` -> the report, and the tuned system with what it was asked."""

    def measured(**options):
        tuned = fake_system(obedient, INVENTORY)
        base = fake_system(plainly)
        return evaluate(base, tuned, SOURCES, REFERENCES, "de", **options), tuned

    return measured


# -- which lines ------------------------------------------------------------------------------


def test_lines_that_an_instruction_changes_are_those_measured(test_set):
    assert test_set.add_by_rule(("uppercase",), 10)
    # the number is the same in capitals
    assert [line.source for line in test_set.lines[("uppercase",)]] == SOURCES[:3]
    assert test_set.lines[("uppercase",)][0].reference == "ZWEI HUNDE LAUFEN."
    numbers = Cases(["42"], ["42"], "de")
    assert not numbers.add_by_rule(("uppercase",), 10)
    assert numbers.lines == {}


def test_what_cannot_be_measured_is_named_with_its_reason(test_set):
    inventory = Inventory(
        [*INVENTORY, *(catalogue()[n] for n in ("formal", "begin-with", "swiss", "short"))]
    )
    labelled = [Labelled(["How are you?"], ["Wie geht es Ihnen?"], ["formal"])]
    left_out = choose_singles(test_set, inventory, labelled, 10)
    assert [reason.split()[0] for reason in left_out] == ["our-own", "begin-with", "swiss", "short"]
    assert ("formal",) in test_set.lines and ("our-own",) not in test_set.lines
    english = Cases(["Hallo."], ["Hello."], "cs")
    assert choose_singles(english, Inventory([catalogue()["greeting"]]), [], 10)[0].startswith("gr")


def test_labelled_lines_are_read_with_their_instruction(tmp_path, test_set):
    for extension, line in (("en", "How are you?"), ("de", "Wie geht es?"), ("instr", "formal")):
        (tmp_path / f"test.{extension}").write_text(f"{line}\n", encoding="utf-8")
    labelled = read_labelled(str(tmp_path / "test"), "en", "de")
    test_set.add_labelled(labelled)
    assert [tuple(line) for line in test_set.lines[("formal",)]] == [
        ("How are you?", "Wie geht es?", "Wie geht es?")
    ]
    (tmp_path / "test.de").write_text("a\nb\n")
    with pytest.raises(InputError, match="test.de 2"):
        read_labelled(str(tmp_path / "test"), "en", "de")


def test_pairs_are_valid_and_the_same_for_a_seed(test_set):
    every = choose_pairs(test_set, SINGLES, "all", 1, 10)
    assert ("uppercase", "lowercase") not in every
    assert ("uppercase", "html-bold") in every
    some = choose_pairs(test_set, SINGLES, 2, 1, 10)
    assert len(some) == 2 and set(some) <= set(every)
    assert some == choose_pairs(test_set, SINGLES, "2", 1, 10)
    assert choose_pairs(test_set, SINGLES, 0, 1, 10) == []
    with pytest.raises(InputError, match="--pairs"):
        choose_pairs(test_set, SINGLES, "some", 1, 10)


def test_triples_are_valid_seeded_and_have_lines(test_set):
    triples, n_valid = choose_triples(test_set, SINGLES, 4, 1, 2)
    # uppercase and lowercase exclude each other: 10 triples of 5, less the 3 that have both
    assert (len(triples), n_valid) == (4, 7)
    for triple in triples:
        assert not {"uppercase", "lowercase"} <= set(triple)
        assert triple in itertools.combinations(NAMES, 3)
        assert len(test_set.lines[triple]) <= 2
    assert choose_triples(Cases(SOURCES, REFERENCES, "de"), SINGLES, 4, 1, 2)[0] == triples
    drawn = [choose_triples(test_set, SINGLES, 4, seed, 2)[0] for seed in range(2, 8)]
    assert any(found != triples for found in drawn)
    numbers = Cases(["1 2"], ["1 2"], "de")
    assert choose_triples(numbers, SINGLES, 5, 1, 9)[0] == []


# -- what is counted --------------------------------------------------------------------------


def test_each_job_is_asked_once(fake_system):
    system = fake_system(obedient)
    jobs = [("Two dogs run.", ""), ("Two dogs run.", "uppercase"), ("Two dogs run.", "")]
    answers = ask(system, jobs, "title", 64)
    assert system.asked == [jobs[:2]]
    assert answers[jobs[1]] == ["ZWEI HUNDE LAUFEN."]
    assert ask(system, jobs, "title", 64, n_best=2)[jobs[0]][1] == "<b>Zwei Hunde laufen.</b>"


def test_an_obedient_system_scores_full_and_its_base_by_chance(measured):
    report, tuned = measured(pairs="all", triples=2)
    rates = report["response_rate"]
    assert rates["by_instruction"]["uppercase"] == 1.0
    assert rates["by_instruction"]["html-bold"] == rates["base_by_instruction"]["uppercase"] == 0.0
    assert rates["mean"] == 0.2 and rates["base_mean"] == 0.0
    assert report["adequacy"]["by_instruction"]["uppercase"] == 1.0
    assert report["responses"]["tuned"]["uppercase"]["lines"] == 3
    assert report["pairs"]["by_pair"]["uppercase + html-bold"]["rate"] == 0.0
    assert report["pairs"]["count"] == 9 and report["triples"]["count"] == 2
    assert report["axes"]["uppercase"] == "case"
    assert report["bleu"] == {"base": 100.0, "tuned": 100.0}
    assert "our-own" in report["conditions"]["not measured"]
    assert len(tuned.asked) == 1  # all in one go
    assert (report["kind"], report["version"]) == ("instructions", 2)
    assert json.loads(json.dumps(report)) == report


def test_verifiers_choose_among_what_was_decoded_once(measured):
    report, tuned = measured(pairs="all", rerank=2)
    reranked = report["reranked"]
    assert len(tuned.asked) == 1
    assert reranked["by_instruction"]["html-bold"]["rate"] == 1.0
    # where none obeys, the best stays
    assert reranked["by_instruction"]["double-quotes"]["rate"] == 0.0
    assert reranked["best"]["response_rate"] == report["response_rate"]["mean"] == 0.2
    assert reranked["response_rate"] == 0.4
    assert reranked["best"]["pairs"] == report["pairs"]["mean"] < reranked["pairs"]
    assert reranked["triples"] is None and reranked["n_best"] == 2
    assert list(report["samples"][0]["outputs"]) == ["base", "tuned", "reranked"]


def test_interpolations_stand_between_base_and_tuned(measured, fake_system):
    mixed = fake_system(lambda line, asked: PLAIN[line])
    report, _ = measured(mixed={"0.5": mixed}, mixed_lines=1)
    rows = report["interpolation"]
    assert list(rows) == ["0", "0.5", "1"]
    assert rows["0.5"]["response_rate"] == 0.0 and rows["1"]["response_rate"] == 0.2
    assert rows["0.5"]["bleu"] == report["bleu"]["mixed 0.5"] == 100.0
    asked = [job for job in mixed.asked[0] if job[1]]
    assert len(asked) == len(NAMES)  # one line an instruction


def test_samples_show_what_each_verifier_says(measured, test_set):
    report, _ = measured(pairs=1, samples=2)
    samples = report["samples"]
    asked = [sample["asked"] for sample in samples]
    assert asked[:4] == ["uppercase", "uppercase", "lowercase", "lowercase"]
    assert " + " in asked[-1] and len(asked) == 2 * len(NAMES) + 1
    marks = [{name: o["marks"] for name, o in s["outputs"].items()} for s in samples]
    assert marks[0] == {"base": {"uppercase": False}, "tuned": {"uppercase": True}}
    assert samples[0]["outputs"]["tuned"]["text"] == samples[0]["reference"]
    assert measured(samples=0)[0]["samples"] == []
    pair = ("uppercase", "html-bold")
    test_set.add_by_rule(pair, 9)
    many = [pair] * (N_COMPOSITIONS + 5)
    assert len(sample_cases(test_set, {}, [], many, 3, 1)) == N_COMPOSITIONS


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, named",
    [
        ({"triples": -1}, "--triples"),
        ({"lines": 0}, "--lines"),
        ({"phrasing_lines": 0}, "--phrasing-lines"),
        ({"samples": -2}, "--samples"),
        ({"pairs": -1}, "--pairs"),
        ({"phrasings": ("trained",)}, "--phrasings"),
    ],
)
def test_numbers_are_checked_before_anything_is_translated(measured, options, named):
    with pytest.raises(InputError, match=named):
        measured(**options)


def test_text_that_nothing_can_be_measured_on_is_refused(fake_system):
    systems = fake_system(plainly), fake_system(obedient, INVENTORY)
    with pytest.raises(InputError, match="--source"):
        evaluate(*systems, [], [], "de")
    with pytest.raises(InputError, match="source 1, reference 2"):
        evaluate(*systems, ["a"], ["b", "c"], "de")
    with pytest.raises(InputError, match="our-own"):
        evaluate(systems[0], fake_system(obedient, Inventory([OWN])), SOURCES, REFERENCES, "de")


def test_base_and_tuned_in_each_other_s_place_are_refused():
    tuned, base = SimpleNamespace(learned=INVENTORY), SimpleNamespace(learned=Inventory())
    check_roles(base, tuned)
    check_roles(tuned, tuned)
    check_roles(SimpleNamespace(), tuned)  # nobody knows
    with pytest.raises(InputError, match="--base .* uppercase"):
        check_roles(tuned, base)
