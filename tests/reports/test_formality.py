"""Formality of systems on a test set in CoCoA-MT's layout, down to the script with a model."""

from __future__ import annotations

import gzip
import json

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.reports.formality import (
    evaluate,
    read_test_set,
    write_formality_report,
)

SOURCES = ["Are you coming?", "Take your bag!", "It rains."]
FORMAL = ["[F]Kommen Sie[/F] ?", "Nehmen [F]Sie[/F] [F]Ihre[/F] Tasche !", "Es regnet ."]
INFORMAL = ["[F]Kommst du[/F] ?", "[F]Nimm[/F] [F]deine[/F] Tasche !", "Es regnet ."]


@pytest.fixture
def folder(tmp_path):
    for name, lines in (("en", SOURCES), ("formal.ann.de", FORMAL), ("informal.ann.de", INFORMAL)):
        (tmp_path / f"chat.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (tmp_path / f"talk.{name}.gz").write_bytes(gzip.compress(f"{lines[0]}\n".encode("utf-8")))
    return tmp_path


def always_formal(lines, asked):
    known = dict(zip(SOURCES, ["Kommen Sie ?", "Nehmen Sie Ihre Tasche !", "Es regnet ."]))
    return [known[line] for line in lines]


def obedient(lines, asked):
    known = dict(zip(SOURCES, ["Kommst du ?", "Nimm die Tasche !", "Es regnet ."]))
    formal = always_formal(lines, asked)
    return [f if kind == "formal" else known[line] for line, kind, f in zip(lines, asked, formal)]


@pytest.fixture
def tests(folder):
    return {domain: read_test_set(folder, domain, "en", "de") for domain in ("chat", "talk")}


def test_scores_by_system_kind_and_domain(tests):
    """Of 4 lines one says nothing: coverage 3/4."""
    report, outputs = evaluate({"base": always_formal, "ours": obedient}, tests, "de")
    assert report["formality"] == {
        "formal": {"accuracy": 1.0, "coverage": 0.75},
        "informal": {"accuracy": 1.0, "coverage": 0.75},
    }
    base = report["systems"]["base"]
    assert (base["formal"]["accuracy"], base["informal"]["accuracy"]) == (1.0, 0.0)
    assert base["informal"]["counts"] == {"FORMAL": 3, "INFORMAL": 0, "OTHER": 0, "NEUTRAL": 1}
    assert report["systems"]["references"]["informal"]["accuracy"] == 1.0
    assert report["systems"]["ours"]["formal"]["domains"]["talk"]["coverage"] == 1.0
    assert report["systems"]["ours"]["formal"]["bleu"] == pytest.approx(100)
    assert base["informal"]["chrf2"] < report["systems"]["ours"]["informal"]["chrf2"]
    assert outputs["ours"]["informal"][0] == "Kommst du ?" and "references" not in outputs


def test_the_report(tests, tmp_path):
    report, _ = evaluate({"ours": obedient}, tests, "de")
    report = {"command": "python x", "conditions": {"beam": 4}, **report}
    report["plain"] = {"ours": {"bleu": 12.34, "chrf2": 45.6}}
    write_formality_report(report, tmp_path / "report")
    assert json.loads((tmp_path / "report" / "report.json").read_text("utf-8")) == report
    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "| ours | informal | 100.0% | 75.0% | 0 / 3 / 0 / 1 |" in text
    assert "| ours | 12.34 | 45.6 |" in text and "iwslt-formality\\|" not in text


def test_what_is_missing_is_named(folder, tests):
    with pytest.raises(InputError, match="music.en.gz can't be read"):
        read_test_set(folder, "music", "en", "de")
    (folder / "chat.formal.ann.de").write_text("eine Zeile\n")
    with pytest.raises(InputError, match="source 3, formal 1, informal 3"):
        read_test_set(folder, "chat", "en", "de")
    with pytest.raises(InputError, match="give at least one"):
        evaluate({"base": always_formal}, tests, "de")


def test_a_real_model_by_the_script(run_script, data_bin, base, tuned, tmp_path):
    lines = {"en": ["w1 w2 w3", "w4"], "formal.ann.de": ["v1 [F]Sie[/F] v2", "v4"]}
    lines["informal.ann.de"] = ["v1 [F]du[/F] v2", "v4"]
    for name, text in lines.items():
        (tmp_path / f"talk.{name}").write_text("\n".join(text) + "\n", encoding="utf-8")
    (tmp_path / "plain.en").write_text("w1 w2\n")
    (tmp_path / "plain.de").write_text("v1 v2\n")
    done = run_script(
        "evaluate_formality.py", "--data", data_bin,
        "--base", base, "--systems", f"tuned={tuned}", f"guided={tuned}", f"reranked={tuned}",
        "--decoding", "guided=--guidance 0.5", "--rerank", "reranked",
        "-s", "en", "-t", "de", "--folder", tmp_path,
        "--domains", "talk", "--plain", tmp_path / "plain", "--beam", 2,
        "--output", tmp_path / "report",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert list(report["systems"]) == ["references", "base", "tuned", "guided", "reranked"]
    assert set(report["plain"]) == {"base", "tuned", "guided", "reranked"}
    assert "reranked: the first hypothesis that obeys" in report["conditions"]["decoding"]
    translator = Translator.from_pretrained(tuned, data_bin, None, "en", "de", beam=2)
    for name, rerank in (("tuned", 0), ("reranked", 2)):
        written = (tmp_path / "report" / "outputs" / name / "informal.de").read_text("utf-8")
        expected = translator.translate(lines["en"], "informal", rerank=rerank)
        assert written.splitlines() == expected


def test_only_systems_are_reranked(run_script, data_bin, base, tuned, tmp_path):
    done = run_script(
        "evaluate_formality.py", "--data", data_bin, "--base", base,
        "--systems", f"tuned={tuned}", "--rerank", "other", "-s", "en", "-t", "de",
        "--folder", tmp_path, "--output", tmp_path / "report",
    )  # fmt: skip
    assert done.returncode == 1
    assert "--rerank: other is not among --systems base, tuned" in done.stderr
