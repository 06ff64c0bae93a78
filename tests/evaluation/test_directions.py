"""Directions: languages and content side by side, by pivot, with outputs that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.directions import (
    KeptOutputs,
    Pair,
    evaluate_directions,
    read_test_sets,
    read_vocabularies,
    translate_by_pivot,
)

TEXT = {
    "en": ["The children play in the garden after school.", "Where can I find the old keys?"],
    "de": ["Die Kinder spielen nach der Schule im Garten.", "Wo kann ich die Schlüssel finden?"],
    "fr": ["Les enfants jouent dans le jardin après l'école.", "Où puis-je trouver les clés ?"],
}
LANGUAGES = sorted(TEXT)
DE_FR, FR_DE, EN_DE = ("de", "fr"), ("fr", "de"), ("en", "de")
TESTS = {
    (source, target): Pair(TEXT[source], TEXT[target]) for source, target in (DE_FR, FR_DE, EN_DE)
}
TRAINED = [("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en")]
INTO_ENGLISH = ["The children play in the garden after school."] * 2


def perfect(lines, direction):
    """Looks the sentence up."""
    source, target = direction
    return [TEXT[target][TEXT[source].index(line)] for line in lines]


def drifting(lines, direction):
    """Perfect in trained directions; in all others, into English."""
    return perfect(lines, direction if direction in TRAINED else (direction[0], "en"))


class Model:
    """Translates by `answer(lines, direction)` and keeps the directions that it was asked for."""

    def __init__(self, answer=perfect, digest="1"):
        self.asked, self.answer = [], answer
        self.name, self.digest = "model.pt", digest

    def for_direction(self, source, target):
        return Direction(self, (source, target))


class Direction:
    def __init__(self, model, direction):
        self.model, self.direction = model, direction

    def translate(self, lines, instruct, batch_size, progress):
        assert not any(instruct)
        self.model.asked.append(self.direction)
        return self.model.answer(lines, self.direction)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    systems = {"wrong": [Model(drifting)], "mixed": [Model(drifting), Model()]}
    folder = tmp_path_factory.mktemp("outputs")
    return evaluate_directions(
        systems, TESTS, trained=TRAINED, pivot=["wrong"], languages=LANGUAGES, outputs=folder,
        vocabularies={name: set() for name in TEXT}, samples=1,
    ), folder  # fmt: skip


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
    assert report["floor"]["de-fr"]["off_target"] == 0.0 and "bleu" not in report["floor"]["de-fr"]
    assert report["signatures"]["bleu"].startswith("nrefs:1|")
    assert "set:de+en+fr|lines:2" in report["signatures"]["language identification"]
    assert json.loads(json.dumps(report)) == report


def test_means_by_pivot_are_over_the_directions_of_those_beside_them():
    """English to German is untrained here: by way of English it is as it is."""
    model = Model(lambda lines, d: ["?"] * len(lines) if d == EN_DE else perfect(lines, d))
    found = evaluate_directions({"a": [model]}, TESTS, pivot=["a"], languages=LANGUAGES)
    scores = found["systems"]["a"]["directions"]
    assert scores["en-de"]["pivot_bleu"] == scores["en-de"]["bleu"] == 0.0
    assert model.asked.count(EN_DE) == 2  # for itself, and behind French


def test_seeds_are_averaged_and_shown_each(report):
    system = report[0]["systems"]["mixed"]
    assert [seed["means"]["zero_shot"]["off_target"] for seed in system["seeds"]] == [100.0, 0.0]
    assert system["seeds"][0]["checkpoint"] == "model.pt"
    assert system["directions"]["de-fr"]["off_target"] == 50.0
    assert system["means"]["zero_shot"]["off_target"] == 50.0
    deviations = system["deviations"]
    assert deviations["zero_shot"]["off_target"] == pytest.approx(70.71, abs=0.01)  # 50 sqrt 2
    assert deviations["supervised"]["off_target"] == 0.0
    assert "pivot_bleu" not in system["means"]["zero_shot"]


def test_outputs_lie_where_they_are_looked_for(report):
    folder = report[1] / "mixed" / "2"
    for source, target in TESTS:
        path = folder / f"{source}-{target}.txt"
        assert path.read_text(encoding="utf-8").splitlines() == TEXT[target]
    assert (report[1] / "wrong" / "1" / "de-fr.en.txt").exists()


def test_samples_are_marked_by_their_language(report):
    samples = report[0]["samples"]
    assert [sample["asked"] for sample in samples] == ["de-fr", "fr-de", "en-de"]
    assert samples[0]["outputs"]["wrong"]["marks"] == {"in fr": False}
    assert samples[2]["outputs"]["wrong"]["marks"] == {"in de": True}
    # aligned test sets show the same line in every direction
    assert samples[0]["source"] == samples[1]["reference"]


# -- the stated set ---------------------------------------------------------------------------


def test_english_is_in_the_stated_set_though_no_direction_has_it():
    """A model that drifts into English is found there: among de and fr alone it would not be."""
    model = Model(lambda lines, direction: INTO_ENGLISH)
    tests = {direction: TESTS[direction] for direction in (DE_FR, FR_DE)}
    spoken = ["it", "deu_Latn", "tlh"]
    report = evaluate_directions({"a": [model]}, tests, inventory_languages=spoken)
    figures = report["systems"]["a"]["means"]["zero_shot"]
    assert figures["off_target"] == figures["in_english"] == 100.0
    assert "set:de+en+fr+it|" in report["signatures"]["language identification"]
    assert report["conditions"]["languages left out of the stated set"] == "tlh"


def test_codes_with_a_region_or_script_are_their_language():
    test = {("deu_Latn", "fr_FR"): Pair(TEXT["de"], TEXT["fr"])}
    model = Model(lambda lines, direction: TEXT["fr"])
    report = evaluate_directions({"a": [model]}, test, languages=["de_DE", "fr", "en"])
    found = report["systems"]["a"]["directions"]["deu_Latn-fr_FR"]
    assert found["on_target"] == 100 and found["in_source"] == 0
    assert report["samples"][0]["outputs"]["a"]["marks"] == {"in fr_FR": True}


def test_a_set_that_leaves_languages_out_says_so():
    report = evaluate_directions({"a": [Model()]}, {DE_FR: TESTS[DE_FR]}, languages=["de", "fr"])
    assert report["conditions"]["languages left out of the stated set"] == "en"
    with pytest.raises(InputError, match="--languages"):
        evaluate_directions({"a": [Model()]}, {DE_FR: TESTS[DE_FR]}, languages=["de", "en"])


# -- kept outputs -----------------------------------------------------------------------------


def kept(model, folder, force=False):
    return KeptOutputs(model, folder, "a", 64, force)


def test_an_evaluation_that_was_broken_off_goes_on(tmp_path):
    assert kept(Model(), tmp_path).translate(TEXT["de"], DE_FR) == TEXT["fr"]

    def fail(lines, direction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(Model(fail), tmp_path).translate(TEXT["fr"], FR_DE)
    third = Model()
    outputs = kept(third, tmp_path)
    assert outputs.translate(TEXT["de"], DE_FR) == TEXT["fr"]
    assert outputs.translate(TEXT["fr"], FR_DE) == TEXT["de"]
    assert third.asked == [FR_DE]
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("digest, sources", [("2", TEXT["de"]), ("1", TEXT["de"][:1])])
def test_outputs_of_another_model_or_text_are_never_taken(tmp_path, digest, sources):
    kept(Model(), tmp_path).translate(TEXT["de"], DE_FR)
    other = Model(digest=digest)
    with pytest.raises(InputError, match="de-fr.txt .*--force"):
        kept(other, tmp_path).translate(sources, DE_FR)
    assert other.asked == []
    kept(other, tmp_path, force=True).translate(sources, DE_FR)
    assert other.asked == [DE_FR]
    kept(other, tmp_path).translate(sources, DE_FR)
    assert other.asked == [DE_FR]


def test_what_has_no_digest_is_not_kept(tmp_path):
    model = Model(digest=None)
    for _ in range(2):
        assert kept(model, tmp_path).translate(TEXT["de"], DE_FR) == TEXT["fr"]
    assert model.asked == [DE_FR, DE_FR] and not list(tmp_path.iterdir())


def test_one_output_is_one_line(tmp_path):
    odd = Model(lambda lines, direction: ["a\nb\r c", ""])
    outputs = kept(odd, tmp_path)
    assert outputs.translate(["x", "y"], DE_FR) == outputs.translate(["x", "y"], DE_FR)
    assert outputs.translate(["x", "y"], DE_FR) == ["a b c", ""]
    assert odd.asked == [DE_FR]


def test_a_pivot_shares_its_first_step(tmp_path):
    model = Model()
    outputs = kept(model, tmp_path)
    assert outputs.translate(TEXT["de"], ("de", "en")) == TEXT["en"]
    assert translate_by_pivot(outputs, TEXT["de"], DE_FR, "en") == TEXT["fr"]
    assert model.asked == [("de", "en"), ("en", "fr")]


# -- reading ------------------------------------------------------------------------------------


def write(path: Path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_text_is_multi_way_or_a_pair_s_own(tmp_path):
    for language, lines in TEXT.items():
        write(tmp_path / f"test.{language}", lines)
    write(tmp_path / "own.de-fr.de", ["a", "b", "c"])
    write(tmp_path / "own.de-fr.fr", ["A", "B", "C"])
    tests = read_test_sets(f"{tmp_path}/test", [DE_FR, EN_DE], lines=1)
    assert tests[DE_FR] == Pair(TEXT["de"][:1], TEXT["fr"][:1])
    own = read_test_sets(f"{tmp_path}/own.{{pair}}", [DE_FR])
    assert own[DE_FR].references == ["A", "B", "C"]
    words = read_vocabularies(f"{tmp_path}/test", ["de", "fr"], others=["en", "it"])
    assert "kinder" in words["de"] and "kinder" not in words["fr"]
    assert set(words) == {"de", "en", "fr"}
    with pytest.raises(InputError, match="test.it"):
        read_vocabularies(f"{tmp_path}/test", ["de", "it"])


def test_text_that_does_not_fit_is_refused(tmp_path):
    write(tmp_path / "a.de", ["x"])
    write(tmp_path / "a.fr", ["x", "y"])
    with pytest.raises(InputError, match=r"a.de 1, .*a.fr 2"):
        read_test_sets(f"{tmp_path}/a", [DE_FR])
    with pytest.raises(InputError, match="a.en"):
        read_test_sets(f"{tmp_path}/a", [EN_DE])
    write(tmp_path / "b.de", [])
    write(tmp_path / "b.fr", [])
    with pytest.raises(InputError, match="b.de"):
        read_test_sets(f"{tmp_path}/b", [DE_FR])
