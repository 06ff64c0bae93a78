"""Base against tuned: which lines are asked, what is counted, what is refused."""

from __future__ import annotations

import itertools
import json

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import evaluate
from fairseq_instr.evaluation.instructions import (
    N_COMPOSITIONS,
    Cases,
    Labelled,
    check_roles,
    choose_singles,
    compose_cases,
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
    lines = test_set.by_rule(("uppercase",), 10)
    # the number is the same in capitals
    assert [line.source for line in lines] == SOURCES[:3]
    assert lines[0].reference == "ZWEI HUNDE LAUFEN."
    assert len(test_set.by_rule(("uppercase",), 2)) == 2
    numbers = Cases(["42"], ["42"], "de")
    assert not numbers.add(("uppercase",), numbers.by_rule(("uppercase",), 10))
    assert numbers.lines == {}


def test_what_cannot_be_measured_is_named_with_its_reason(test_set, fake_system):
    inventory = Inventory(
        [*INVENTORY, *(catalogue()[n] for n in ("formal", "begin-with", "swiss", "short"))]
    )
    labelled = [Labelled(["How are you?"], ["Wie geht es Ihnen?"], ["formal"])]
    left_out = choose_singles(test_set, fake_system(obedient, inventory), labelled, 10)
    assert [reason.split()[0] for reason in left_out] == ["our-own", "begin-with", "swiss", "short"]
    assert ("formal",) in test_set.lines and ("our-own",) not in test_set.lines
    czech = Cases(SOURCES, REFERENCES, "cs")
    greeting = fake_system(obedient, Inventory([catalogue()["greeting"]]))
    assert choose_singles(czech, greeting, [], 10) == ["greeting (not for cs)"]
    # an instruction at the end of the inventory that the checkpoint does not know yet
    tuned = fake_system(obedient, INVENTORY)
    tuned.n_learned = 1
    fresh = Cases(SOURCES, REFERENCES, "de")
    assert len(choose_singles(fresh, tuned, [], 10)) == len(INVENTORY) - 1
    assert list(fresh.lines) == SINGLES[:1]


def test_labelled_lines_are_read_and_follow_those_of_the_rule(tmp_path, test_set, fake_system):
    lines = {"en": ["How are you?", "Hi!"], "de": ["Wie geht es?", "HE!"],
             "instr": ["formal", "uppercase"]}  # fmt: skip
    for ending, column in lines.items():
        (tmp_path / f"test.{ending}").write_text("\n".join(column) + "\n", encoding="utf-8")
    labelled = read_labelled(str(tmp_path / "test"), "en", "de")
    inventory = Inventory(catalogue()[name] for name in ("formal", "uppercase"))
    assert choose_singles(test_set, fake_system(obedient, inventory), [labelled], 2) == []
    assert test_set.lines[("formal",)] == [("How are you?", "Wie geht es?", "Wie geht es?", None)]
    assert [line.source for line in test_set.lines[("uppercase",)]] == [*SOURCES[:2], "Hi!"]
    (tmp_path / "test.de").write_text("a\n")
    with pytest.raises(InputError, match="test.de 1"):
        read_labelled(str(tmp_path / "test"), "en", "de")


def test_labels_with_arguments_are_asked_and_judged_by_their_own(fake_system):
    lines = {"A cough.": ("Ein Husten.", "cough=Husten"), "A dog.": ("Ein Köter.", "dog=Köter")}

    def by_term(line, asked):
        reference, term = lines[line]
        return reference if asked == f'use-term="{term}"' else "Ein Hund mit Husten."

    inventory = Inventory([catalogue()["use-term"]])
    labels = [f'use-term="{term}"' for _, term in lines.values()]
    test = Labelled([*lines], [reference for reference, _ in lines.values()], labels)
    report = evaluate(
        fake_system(by_term), fake_system(by_term, inventory), [*lines], test.references, "de",
        labelled=[test],
    )  # fmt: skip
    assert report["response_rate"]["by_instruction"] == {"use-term": 1.0}
    assert report["response_rate"]["base_by_instruction"] == {"use-term": 0.5}
    marks = [sample["outputs"]["tuned"]["marks"] for sample in report["samples"]]
    assert marks == [{"use-term": True}] * 2
    with pytest.raises(InputError, match="use-term"):  # the label lacks its argument
        choose_singles(
            Cases([], [], "de"), fake_system(by_term, inventory),
            [test._replace(labels=["use-term"] * 2)], 9,
        )  # fmt: skip


def test_compositions_are_valid_seeded_and_have_lines(test_set):
    def compose(size, how_many, seed, test=test_set):
        return compose_cases(test, SINGLES, size, how_many, seed, 2)

    # uppercase and lowercase exclude each other: 10 pairs of 5 less one, 10 triples less three
    pairs, n_pairs = compose(2, "all", 1)
    assert (len(pairs), n_pairs, compose(3, 4, 1)[1]) == (9, 9, 7)
    assert ("uppercase", "lowercase") not in pairs and ("uppercase", "html-bold") in pairs
    for names in compose(3, 4, 1)[0]:
        assert names in itertools.combinations(NAMES, 3)
        assert 1 <= len(test_set.lines[names]) <= 2
    some = compose(3, "4", 1)[0]
    assert some == compose(3, 4, 1)[0] and len(some) == 4
    assert any(compose(3, 4, seed)[0] != some for seed in range(2, 8))
    assert compose(2, 0, 1)[0] == []
    assert compose(3, 5, 1, Cases(["1 2"], ["1 2"], "de"))[0] == []
    for how_many in ("some", -1):
        with pytest.raises(InputError, match="--pairs"):
            compose(2, how_many, 1)


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


def test_all_weights_of_an_interpolation_are_measured_on_the_same_lines(fake_system):
    def after_the_first(line, asked):
        return PLAIN[line] if line == SOURCES[0] else obedient(line, asked)[0]

    tuned, base = fake_system(after_the_first, INVENTORY), fake_system(plainly)
    report = evaluate(base, tuned, SOURCES, REFERENCES, "de", mixed={"0.5": tuned}, mixed_lines=1)
    assert report["response_rate"]["mean"] > 0
    assert {row["response_rate"] for row in report["interpolation"].values()} == {0.0}


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
    test_set.add(pair, test_set.by_rule(pair, 9))
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


def test_base_and_tuned_in_each_other_s_place_are_refused(fake_system):
    tuned, base = fake_system(obedient, INVENTORY), fake_system(plainly, INVENTORY)
    check_roles(base, tuned)  # nobody knows
    tuned.n_learned, base.n_learned = 2, 0
    check_roles(base, tuned)
    check_roles(tuned, tuned)
    with pytest.raises(InputError, match="--base .* uppercase, lowercase;"):
        evaluate(tuned, base, SOURCES, REFERENCES, "de")
