from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.directions import (
    Judge,
    KeptOutputs,
    Run,
    System,
    TestSet,
    evaluate,
    parse_directions,
    read_test_sets,
    read_vocabularies,
    translate_by_pivot,
)
from fairseq_instr.reports.directions import to_markdown, write_directions_report
from fairseq_instr.text.identification import LangidIdentifier

TEXT = {
    "en": ["The children play in the garden after school.", "Where can I find the old keys?"],
    "de": ["Die Kinder spielen nach der Schule im Garten.", "Wo kann ich die Schlüssel finden?"],
    "fr": ["Les enfants jouent dans le jardin après l'école.", "Où puis-je trouver les clés ?"],
}
LANGUAGES = sorted(TEXT)
DE_FR, FR_DE, EN_DE = ("de", "fr"), ("fr", "de"), ("en", "de")
TESTS = {
    (source, target): TestSet(TEXT[source], TEXT[target])
    for source, target in (DE_FR, FR_DE, EN_DE)
}
TRAINED = [("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en")]


def translate(lines, direction):
    """Perfect, by looking the sentence up."""
    source, target = direction
    return [TEXT[target][TEXT[source].index(line)] for line in lines]


def into_english(lines, direction):
    """Perfect in trained directions; for all others, into English."""
    source, target = direction
    return translate(lines, direction if direction in TRAINED else (source, "en"))


class Recorder:
    """A run that keeps what it was asked for."""

    def __init__(self, answer, digest="1"):
        self.asked, self.answer = [], answer
        self.run = Run("model.pt", digest, self.translate)

    def translate(self, lines, direction, title):
        self.asked.append(direction)
        return self.answer(lines, direction)


@pytest.fixture(scope="module")
def judge():
    return Judge(LangidIdentifier(), LANGUAGES, {name: set() for name in TEXT})


@pytest.fixture(scope="module")
def report(judge, tmp_path_factory):
    systems = [
        System("wrong", [Recorder(into_english).run], pivot=True),
        System("mixed", [Recorder(into_english).run, Recorder(translate).run]),
    ]
    folder = tmp_path_factory.mktemp("outputs")
    found = evaluate(systems, TESTS, TRAINED, judge, folder)
    return {"command": "python", "conditions": {"decoding": "beam 4"}, **found}, folder


def test_wrong_language_and_content_stand_beside_the_pivot(report):
    report, _ = report
    assert report["directions"] == {"zero_shot": ["de-fr", "fr-de"], "supervised": ["en-de"]}
    means = report["systems"]["wrong"]["means"]
    assert means["zero_shot"]["off_target"] == means["zero_shot"]["in_english"] == 100.0
    assert means["zero_shot"]["bleu"] < 10
    assert means["zero_shot"]["pivot_bleu"] == 100.0
    assert means["zero_shot"]["pivot_off_target"] == 0.0
    assert means["supervised"]["off_target"] == 0.0
    assert means["supervised"]["bleu"] == 100.0
    assert "pivot_bleu" not in means["supervised"]
    assert report["floor"]["de-fr"]["off_target"] == 0.0
    assert report["signatures"]["bleu"].startswith("nrefs:1|")
    assert "set:de+en+fr|lines:2" in report["signatures"]["language identification"]


def test_seeds_are_averaged_and_shown_each(report):
    system = report[0]["systems"]["mixed"]
    assert [seed["means"]["zero_shot"]["off_target"] for seed in system["seeds"]] == [100.0, 0.0]
    assert system["directions"]["de-fr"]["off_target"] == 50.0
    assert system["means"]["zero_shot"]["off_target"] == 50.0
    assert system["deviations"]["zero_shot"]["off_target"] == 70.71  # of 100 and 0: 50 sqrt 2
    assert system["deviations"]["supervised"]["off_target"] == 0.0
    assert "pivot_bleu" not in system["means"]["zero_shot"]


def test_the_report_is_written_once_and_says_all_this(report, tmp_path):
    report, _ = report
    text = to_markdown(report)
    assert "| mixed | 2 | 50.00 ± 70.71 |" in text
    assert "| floor | – | 0.00 |" in text
    assert "### de-fr, zero-shot" in text
    assert "### en-de, supervised" in text
    write_directions_report(report, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    assert (tmp_path / "directions.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="report.json exists; give --force"):
        write_directions_report(report, tmp_path)


def test_outputs_lie_where_they_are_looked_for(report):
    folder = report[1] / "mixed" / "2"
    for source, target in TESTS:
        path = folder / f"{source}-{target}.txt"
        assert path.read_text(encoding="utf-8").splitlines() == TEXT[target]
    assert (report[1] / "wrong" / "1" / "de-fr.en.txt").exists()


# -- kept outputs -------------------------------------------------------------------------------


def test_an_evaluation_that_was_broken_off_goes_on(tmp_path):
    first = Recorder(translate)
    assert KeptOutputs(first.run, tmp_path, "a").translate(TEXT["de"], DE_FR) == TEXT["fr"]

    def fail(lines, direction):
        raise KeyboardInterrupt

    second = Recorder(fail)
    with pytest.raises(KeyboardInterrupt):
        KeptOutputs(second.run, tmp_path, "a").translate(TEXT["fr"], FR_DE)
    third = Recorder(translate)
    kept = KeptOutputs(third.run, tmp_path, "a")
    assert kept.translate(TEXT["de"], DE_FR) == TEXT["fr"]
    assert kept.translate(TEXT["fr"], FR_DE) == TEXT["de"]
    assert third.asked == [FR_DE]
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("digest, sources", [("2", TEXT["de"]), ("1", TEXT["de"][:1])])
def test_outputs_of_another_model_or_text_are_never_taken(tmp_path, digest, sources):
    KeptOutputs(Recorder(translate).run, tmp_path, "a").translate(TEXT["de"], DE_FR)
    other = Recorder(translate, digest)
    with pytest.raises(InputError, match="de-fr.txt was made by another model.*give --force"):
        KeptOutputs(other.run, tmp_path, "a").translate(sources, DE_FR)
    assert other.asked == []
    KeptOutputs(other.run, tmp_path, "a", force=True).translate(sources, DE_FR)
    assert other.asked == [DE_FR]
    KeptOutputs(other.run, tmp_path, "a").translate(sources, DE_FR)
    assert other.asked == [DE_FR]


def test_one_output_is_one_line(tmp_path):
    odd = Recorder(lambda lines, direction: ["a\nb\r c", ""])
    kept = KeptOutputs(odd.run, tmp_path, "a")
    assert kept.translate(["x", "y"], DE_FR) == kept.translate(["x", "y"], DE_FR) == ["a b c", ""]
    assert odd.asked == [DE_FR]


def test_a_pivot_shares_its_first_step_and_leaves_the_pivot_language_alone(tmp_path):
    model = Recorder(translate)
    kept = KeptOutputs(model.run, tmp_path, "a")
    assert kept.translate(TEXT["de"], ("de", "en")) == TEXT["en"]
    assert translate_by_pivot(kept, TEXT["de"], DE_FR, "en") == TEXT["fr"]
    assert model.asked == [("de", "en"), ("en", "fr")]
    assert translate_by_pivot(kept, TEXT["en"], EN_DE, "en") == TEXT["de"]
    assert model.asked == [("de", "en"), ("en", "fr"), ("en", "de")]


# -- reading ------------------------------------------------------------------------------------


def write(path: Path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_text_is_multi_way_or_a_pair_s_own(tmp_path):
    for language, lines in TEXT.items():
        write(tmp_path / f"test.{language}", lines)
    write(tmp_path / "own.de-fr.de", ["a", "b", "c"])
    write(tmp_path / "own.de-fr.fr", ["A", "B", "C"])
    tests = read_test_sets(f"{tmp_path}/test", [DE_FR, EN_DE], lines=1)
    assert tests[DE_FR] == TestSet(TEXT["de"][:1], TEXT["fr"][:1])
    own = read_test_sets(f"{tmp_path}/own.{{pair}}", [DE_FR])
    assert own[DE_FR].references == ["A", "B", "C"]
    words = read_vocabularies(f"{tmp_path}/test", ["de", "fr"])
    assert "kinder" in words["de"]
    assert "kinder" not in words["fr"]


def test_text_that_does_not_fit_is_refused(tmp_path):
    write(tmp_path / "a.de", ["x"])
    write(tmp_path / "a.fr", ["x", "y"])
    with pytest.raises(InputError, match=r"a.de 1, .*a.fr 2"):
        read_test_sets(f"{tmp_path}/a", [DE_FR])
    with pytest.raises(InputError, match="a.en can't be read"):
        read_test_sets(f"{tmp_path}/a", [EN_DE])
    write(tmp_path / "b.de", [])
    write(tmp_path / "b.fr", [])
    with pytest.raises(InputError, match="b.de has no line"):
        read_test_sets(f"{tmp_path}/b", [DE_FR])


@pytest.mark.parametrize("text", ["de", "de-", "-fr", "de-fr,de-fr", "de-de"])
def test_directions_that_are_none_are_refused(text):
    with pytest.raises(InputError, match="--directions .* is not accepted; give each"):
        parse_directions(text, "--directions")


def test_directions():
    assert parse_directions(" de-fr,fr-de, ", "--directions") == [DE_FR, FR_DE]
    assert parse_directions("", "--trained") == []
