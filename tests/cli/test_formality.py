"""`fairseq-instr formality` with real models."""

from __future__ import annotations

import json

import pytest

from fairseq_instr.generation.translator import Translator

LINES = {
    "en": ["w1 w2 w3", "w4"],
    "formal.ann.de": ["v1 [F]Sie[/F] v2", "v4"],
    "informal.ann.de": ["v1 [F]du[/F] v2", "v4"],
}


@pytest.fixture
def arguments(data_bin, base, tuned, tmp_path):
    for name, text in LINES.items():
        (tmp_path / f"talk.{name}").write_text("\n".join(text) + "\n", encoding="utf-8")
    (tmp_path / "plain.en").write_text("w1 w2\n")
    (tmp_path / "plain.de").write_text("v1 v2\n")
    return [
        "formality", "--data", data_bin, "--base", base,
        "--systems", *(f"{name}={tuned}" for name in ("tuned", "guided", "reranked")),
        "-s", "en", "-t", "de", "--folder", tmp_path, "--domains", "talk",
        "--plain", tmp_path / "plain", "--beam", 2, "--output", tmp_path / "report",
    ]  # fmt: skip


def test_outputs_are_those_of_the_models(start, arguments, data_bin, tuned, tmp_path):
    done = start(*arguments, "--decoding", "guided=--guidance 0.5", "--rerank", "reranked")
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert list(report["systems"]) == ["references", "base", "tuned", "guided", "reranked"]
    assert set(report["plain"]) == {"base", "tuned", "guided", "reranked"}
    assert report["conditions"]["first hypothesis that obeys"] == "reranked"
    translator = Translator.from_pretrained(tuned, data_bin, None, "en", "de", beam=2)
    for name, rerank in (("tuned", 0), ("reranked", 2)):
        written = (tmp_path / "report" / "outputs" / name / "informal.de").read_text("utf-8")
        expected = translator.translate(LINES["en"], "informal", rerank=rerank)
        assert written.splitlines() == expected


def test_only_systems_are_reranked(start, arguments):
    done = start(*arguments, "--rerank", "other")
    assert done.status == 1 and "--rerank: other" in done.err
