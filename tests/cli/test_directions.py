"""`fairseq-instr directions` with real models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairseq_instr.evaluation.metrics import Translations, measure
from fairseq_instr.generation.translator import Translator
from fairseq_instr.serving.export import export_ctranslate2
from fairseq_instr.serving.translator import CTranslate2Translator
from fairseq_instr.text.lines import read_lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture
def arguments(multilingual, folder):
    root = multilingual.root
    first, second = multilingual.checkpoints
    return [
        "directions", "--directions", "de-fr,fr-de,en-de", "--trained", "en-de,de-en,en-fr,fr-en",
        "--data", multilingual.data, "--text", root / "test", "--training-text", root / "train",
        "--systems", f"one={first}", f"two={first},{second}", "--pivot", "one", "--beam", 2,
        "--output", folder,
    ]  # fmt: skip


def test_options_are_checked_before_anything_is_translated(start, arguments, folder):
    for more, named in (
        (["--decoding", "two=--lenpen-of-nothing 1"], "--lenpen-of-nothing"),
        (["--decoding", "three=--guidance 1"], "--decoding"),
        (["--pivot", "three"], "--pivot"),
        (["--lines", "0"], "--lines"),
        (["--directions", ""], "--directions"),
        (["--languages", "de,fr"], "--languages"),
        (["--identifier", "fasttext"], "fasttext"),
    ):
        done = start(*arguments, *more)
        assert done.status == 1 and named in done.err and done.err.count("\n") == 1
    assert not (folder / "outputs").exists()


def test_the_report_says_what_the_models_say(start, arguments, folder, multilingual):
    done = start(*arguments)
    assert done.status == 0, done.err
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    translator = Translator.from_pretrained(
        multilingual.checkpoints[0], multilingual.data, None, "de", "fr", beam=2
    )
    sides = [
        Path(multilingual.root, f"test.{language}").read_text(encoding="utf-8").splitlines()
        for language in ("de", "fr")
    ]
    outputs = translator.translate(sides[0])
    kept = (folder / "outputs" / "one" / "1" / "de-fr.txt").read_text(encoding="utf-8")
    assert kept.splitlines() == outputs
    scores = report["systems"]["one"]["directions"]["de-fr"]
    assert scores["bleu"] == measure(Translations(outputs, sides[1], "fr"))[0]["bleu"]
    assert scores["lines"] == 9
    step = translator.for_direction("de", "en").translate(sides[0])
    pivot = translator.for_direction("en", "fr").translate(step)
    assert scores["pivot_bleu"] == measure(Translations(pivot, sides[1], "fr"))[0]["bleu"]
    assert report["directions"] == {"zero_shot": ["de-fr", "fr-de"], "supervised": ["en-de"]}
    assert len(report["systems"]["two"]["seeds"]) == 2
    assert "one/1 de-fr" in done.err  # the progress bar
    assert "| two | 2 |" in done.out
    assert set(report["samples"][0]["outputs"]["two"]["marks"]) == {"in fr"}
    assert "set:de+en+fr|" in report["signatures"]["language identification"]


def test_a_second_start_translates_nothing_and_scores_the_same(start, arguments, folder):
    before = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert "--force" in start(*arguments).err
    again = start(*arguments, "--force")
    assert again.status == 0, again.err
    assert "one/1" not in again.err
    after = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert after["systems"] == before["systems"]


def test_an_exported_folder_is_a_system_too(start, arguments, multilingual, tmp_path):
    pytest.importorskip("ctranslate2")
    checkpoint, served = multilingual.checkpoints[0], tmp_path / "served"
    export_ctranslate2(checkpoint, multilingual.data, served, source="en", target="de")
    systems = ["--systems", f"fairseq={checkpoint}", f"served={served}"]
    given = [*arguments[: arguments.index("--systems")], *systems, "--pivot", "served", "--beam", 2]
    done = start(*given, "--output", tmp_path / "report")
    assert done.status == 0, done.err
    outputs = read_lines(tmp_path / "report" / "outputs" / "served" / "1" / "de-fr.txt")
    translator = CTranslate2Translator.from_pretrained(served, target="fr", beam=2)
    assert outputs == translator.translate(read_lines(multilingual.root / "test.de"))
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert "pivot_bleu" in report["systems"]["served"]["directions"]["de-fr"]
    refused = start(*given, "--decoding", "served=--guidance 1", "--output", tmp_path / "other")
    assert "--decoding" in refused.err and str(served) in refused.err
