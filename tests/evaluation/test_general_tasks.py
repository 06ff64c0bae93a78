"""General tasks: what each figure counts, with answers that are written here."""

from __future__ import annotations

import pytest

from fairseq_instr.curation.general_tasks import GeneralTask
from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.general_tasks import (
    CONSTRAINTS,
    evaluate_general_tasks,
    loose_variants,
)
from fairseq_instr.text.identification import LangidIdentifier

OBEYS = {constraint.name: constraint.obeys for constraint in CONSTRAINTS}
ENGLISH = "This is a whole sentence that everybody can read."
GERMAN = "Das ist ein ganzer Satz, den alle lesen können."


class Answers:
    """A model that says what it is told to: plainly, and where a constraint was added."""

    def __init__(self, plain, constrained):
        self.said = [plain, constrained]
        self.asked = []

    def answer(self, prompts, new_tokens, batch_size, progress):
        self.asked.append(prompts)
        return self.said[len(self.asked) - 1]

    def score(self, prompts, answers, batch_size, progress):
        return [(3.0 * len(answer.split()), 2 * len(answer.split())) for answer in answers]


@pytest.fixture(scope="module")
def measure():
    """`measure(tasks, **systems)` -> the report and what it was made of."""
    identifier = LangidIdentifier()

    def measure(tasks, languages=("en", "de"), **systems):
        return evaluate_general_tasks(
            {name: lambda system=system: system for name, system in systems.items()}, tasks,
            identifier=identifier, languages=languages,
        )  # fmt: skip

    return measure


@pytest.mark.parametrize(
    "name, obeying, failing",
    [
        ("words", ["one", "w " * 30], ["", " ", "w " * 31]),
        ("bullets", ["- a\n- b\n- c", "So:\n- a\n- b\n- c\n"], ["- a\n- b", "* a\n* b\n* c",
                                                                "- a\n" * 4]),
        ("json", ['{"a": 1}', " [1]\n", '```json\n{"a": 1}\n```'], ["", "1", "{a: 1}", "x {}",
                                                                  "[" * 100000]),
        ("lowercase", ["a b 1.", "é\nß"], ["A b", "12", ""]),
    ],
)  # fmt: skip
def test_constraints(name, obeying, failing):
    assert all(map(OBEYS[name], obeying))
    assert not any(map(OBEYS[name], failing))


def test_loose_variants():
    """All, without the first line, without the last, without both; each without asterisks."""
    assert set(loose_variants("Sure:\n*a*\nBye.")) == {
        "Sure:\n*a*\nBye.", "Sure:\na\nBye.", "*a*\nBye.", "a\nBye.", "Sure:\n*a*", "Sure:\na",
        "*a*", "a",
    }  # fmt: skip
    assert set(loose_variants("")) == {""}


def test_figures(measure):
    """Four tasks have a reference, of 1, 9, 9 and 9 words; one reference is German."""
    tasks = [
        GeneralTask("No reference."),
        GeneralTask("Say a.", output="a"),
        GeneralTask("Say it.", output=ENGLISH),
        GeneralTask("Say it.", "now", output=ENGLISH),
        GeneralTask("Say it in German.", output=GERMAN),
    ]
    model = Answers(
        ["a", ENGLISH, GERMAN, GERMAN],
        ["few words", "Here you are:\n- a\n- b", "Sure:\n{}", "Small\nletters\nBye"],
    )
    report, answers, answered = measure(tasks, one=model)
    assert answered == tasks[1:] and answers == {"one": model.said[0]}
    plain, constrained = model.asked
    assert plain == [task.prompt for task in answered]
    for constraint, task, prompt in zip(CONSTRAINTS, answered, constrained):
        assert f"{task.instruction} {constraint.words}\n" in prompt
    found = report["systems"]["one"]
    assert found["nll"] == 1.5 and found["tokens"] == 2 * (1 + 9 + 9 + 9)
    # of "a" nobody can say the language: langid's guess among the two decides
    english = measure(answered[:1], one=Answers(["a"], ["a"]))[0]["systems"]["one"]
    n_english = 2 + english["english_tasks"]
    assert found["english_tasks"] == n_english
    assert found["english"] == round((n_english - 1) / n_english, 4)
    assert (found["strict"], found["loose"], found["unasked"]) == (0.25, 0.75, 0.25)
    by_name = found["constraints"]
    assert {name: own["strict"] for name, own in by_name.items()} == {
        "words": 1.0, "bullets": 0.0, "json": 0.0, "lowercase": 0.0
    }  # fmt: skip
    assert by_name["json"]["loose"] == by_name["lowercase"]["loose"] == 1.0
    assert by_name["words"]["unasked"] == 1.0
    assert [sample["asked"] for sample in report["samples"]] == [c.words for c in CONSTRAINTS]


def test_fewer_samples_than_none_are_refused():
    with pytest.raises(InputError, match="--samples -1"):
        evaluate_general_tasks({}, [], identifier=LangidIdentifier(), samples=-1)


def test_nothing_to_measure(measure):
    with pytest.raises(InputError):
        measure([GeneralTask("No reference.")], one=Answers([], []))
    with pytest.raises(InputError):
        measure([GeneralTask("Say a.", output="a")])
