"""scripts/evaluate.py with real models, as a user starts it."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.quality import measure_quality
from fairseq_instr.generation.translator import Translator, parse_task_options
from fairseq_instr.instructions import Inventory, catalogue


@pytest.fixture(scope="module")
def start(run_script):
    return functools.partial(run_script, "evaluate.py")


@pytest.fixture(scope="module")
def evaluated(start, multilingual, tmp_path_factory):
    root = multilingual.root
    first, second = multilingual.checkpoints
    folder = tmp_path_factory.mktemp("report")
    arguments = [
        "--directions", "de-fr,fr-de,en-de", "--trained", "en-de,de-en,en-fr,fr-en",
        "--data", multilingual.data, "--text", root / "test", "--training-text", root / "train",
        "--systems", f"one={first}", f"two={first},{second}", "--pivot", "one",
        "--decoding", "two=--lenpen-of-nothing 1", "--beam", 2, "--output", folder,
    ]  # fmt: skip
    refused = start(*arguments)
    assert refused.returncode
    assert "error: options of decoding: unrecognized arguments: --lenpen-of-nothing" in (
        refused.stderr
    )
    at = arguments.index("--decoding")
    del arguments[at : at + 2]
    done = start(*arguments)
    assert done.returncode == 0, done.stderr
    return arguments, folder, done


def test_the_report_says_what_the_models_say(evaluated, multilingual):
    _, folder, done = evaluated
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
    assert scores["bleu"] == measure_quality(outputs, sides[1])["bleu"]
    assert scores["lines"] == 9
    step = translator.for_direction("de", "en").translate(sides[0])
    pivot = translator.for_direction("en", "fr").translate(step)
    assert scores["pivot_bleu"] == measure_quality(pivot, sides[1])["bleu"]
    assert report["directions"] == {"zero_shot": ["de-fr", "fr-de"], "supervised": ["en-de"]}
    assert len(report["systems"]["two"]["seeds"]) == 2
    assert "one/1 de-fr" in done.stderr  # the progress bar
    assert (folder / "directions.png").read_bytes().startswith(b"\x89PNG")
    assert "| two | 2 |" in done.stdout
    sample = report["samples"][0]
    assert sample["asked"] == "de-fr"
    i = sides[0].index(sample["source"])
    assert (sample["reference"], sample["outputs"]["one"]["text"]) == (sides[1][i], outputs[i])
    assert set(sample["outputs"]["two"]["marks"]) == {"in fr"}


def test_a_second_start_translates_nothing_and_scores_the_same(start, evaluated):
    arguments, folder, _ = evaluated
    before = (folder / "report.json").read_bytes()
    assert "report.json exists; give --force" in start(*arguments).stderr
    again = start(*arguments, "--force")
    assert again.returncode == 0, again.stderr
    assert "one/1" not in again.stderr
    after = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert after["systems"] == json.loads(before)["systems"]


def test_one_model_serves_all_directions(multilingual):
    translator = Translator.from_pretrained(
        multilingual.checkpoints[0], multilingual.data, None, "en", "de"
    )
    english = ["the dog plays with two children", "somebody sleeps"]
    for source, target in (("en", "fr"), ("fr", "en"), ("en", "de")):
        own = Translator.from_pretrained(
            multilingual.checkpoints[0], multilingual.data, None, source, target
        )
        shared = translator.for_direction(source, target)
        assert shared.models is translator.models
        assert shared.translate(english) == own.translate(english)
    with pytest.raises(InputError, match="dict.it.txt does not exist"):
        translator.for_direction("en", "it")


def test_options_of_decoding_are_those_of_the_task():
    assert parse_task_options("") == {}
    assert parse_task_options("--instruct 'formal, uppercase'") == {"instruct": "formal, uppercase"}
    assert parse_task_options("--max-source-positions 7") == {"max_source_positions": 7}
    with pytest.raises(InputError, match="invalid int value: 'x'"):
        parse_task_options("--max-source-positions x")


def test_instructions_are_measured_as_before(start, base, own_data_bin, corpus_maker, tmp_path):
    Inventory(catalogue()[name] for name in ("uppercase", "html-bold", "double-quotes")).save(
        own_data_bin / "instructions.yaml", force=True
    )
    sources = corpus_maker.sentences(5, 7)
    for side, lines in (("en", sources), ("de", map(corpus_maker.translation, sources))):
        (tmp_path / f"test.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = start(
        "--data", own_data_bin, "--base", base, "--tuned", base, "-s", "en", "-t", "de",
        "--source", tmp_path / "test.en", "--reference", tmp_path / "test.de", "--pairs", "all",
        "--mixed", f"0.5={base}", "--beam", 2, "--decoding=--guidance 0.5",
        "--triples", 5, "--rerank", "--samples", 1,
        "--output", tmp_path / "report",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert set(report["response_rate"]["by_instruction"]) == {
        "uppercase", "html-bold", "double-quotes",
    }  # fmt: skip
    assert report["response_rate"]["base_by_instruction"]["html-bold"] == 0.0
    assert report["responses"]["tuned"]["uppercase"]["lines"] == 5
    assert report["axes"]["uppercase"] == "case"
    assert report["pairs"]["count"] == 3
    assert report["pairs"]["mean"] == report["pairs"]["both_obeyed"]
    assert report["triples"]["count"] == 1
    assert report["conditions"]["triples"].startswith("1 of 1 valid ones, drawn with seed 1")
    # five lines a pair and a triple, all asked for again in another order
    assert report["order"] == {"lines": 20, "identical": 1.0}
    reranked = report["reranked"]
    assert reranked["response_rate"] >= reranked["best"]["response_rate"]
    assert reranked["best"]["response_rate"] == report["response_rate"]["mean"]
    assert reranked["best"]["triples"] == report["triples"]["mean"]
    assert 0 <= reranked["chrf2"] <= 100
    assert len(report["samples"]) == 3 + 4  # singles, then compositions
    assert set(report["samples"][0]["outputs"]) == {"base", "tuned", "reranked"}
    assert report["conditions"]["decoding"].endswith("tuned: --guidance 0.5")
    assert list(report["interpolation"]) == ["0", "0.5", "1"]
