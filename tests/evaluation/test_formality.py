"""Formality of systems on a test set in CoCoA-MT's layout."""

from __future__ import annotations

import gzip

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import evaluate_formality
from fairseq_instr.evaluation.formality import read_test_set

SOURCES = ["Are you coming?", "Take your bag!", "It rains."]
FORMAL = ["[F]Kommen Sie[/F] ?", "Nehmen [F]Sie[/F] [F]Ihre[/F] Tasche !", "Es regnet ."]
INFORMAL = ["[F]Kommst du[/F] ?", "[F]Nimm[/F] [F]deine[/F] Tasche !", "Es regnet ."]
SAID = {
    "formal": dict(zip(SOURCES, ["Kommen Sie ?", "Nehmen Sie Ihre Tasche !", "Es regnet ."])),
    "informal": dict(zip(SOURCES, ["Kommst du ?", "Nimm die Tasche !", "Es regnet ."])),
}


@pytest.fixture
def folder(tmp_path):
    for name, lines in (("en", SOURCES), ("formal.ann.de", FORMAL), ("informal.ann.de", INFORMAL)):
        (tmp_path / f"chat.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (tmp_path / f"talk.{name}.gz").write_bytes(gzip.compress(f"{lines[0]}\n".encode("utf-8")))
    return tmp_path


@pytest.fixture
def tests(folder):
    return {domain: read_test_set(folder, domain, "en", "de") for domain in ("chat", "talk")}


@pytest.fixture
def base(fake_system):
    """Always formal; asked for nothing."""
    return fake_system(lambda line, asked: SAID["formal"][line] if not asked else None)


@pytest.fixture
def ours(fake_system):
    """Does as it is told; what is asked for comes second, behind the other."""
    return fake_system(lambda line, asked: SAID[asked or "formal"][line])


def test_scores_by_system_kind_and_domain(tests, base, ours):
    """Of 4 lines one says nothing: coverage 3/4."""
    report, outputs = evaluate_formality(base, {"ours": ours}, tests, "de")
    assert report["formality"] == {
        "formal": {"accuracy": 1.0, "coverage": 0.75},
        "informal": {"accuracy": 1.0, "coverage": 0.75},
    }
    figures = report["systems"]
    assert figures["base"]["formal"]["accuracy"] == 1.0
    assert figures["base"]["informal"]["accuracy"] == 0.0
    assert figures["base"]["informal"]["counts"] == {
        "FORMAL": 3, "INFORMAL": 0, "OTHER": 0, "NEUTRAL": 1,
    }  # fmt: skip
    assert figures["references"]["informal"]["accuracy"] == 1.0
    assert "bleu" not in figures["references"]["informal"]
    assert figures["ours"]["formal"]["domains"]["talk"]["coverage"] == 1.0
    assert figures["ours"]["formal"]["bleu"] == pytest.approx(100)
    assert figures["base"]["informal"]["chrf2"] < figures["ours"]["informal"]["chrf2"]
    assert outputs["ours"]["informal"][0] == "Kommst du ?" and "references" not in outputs
    assert report["kind"] == "formality" and report["plain"] == {}


def test_reranked_systems_and_plain_translation(tests, base, fake_system):
    hypotheses = fake_system(
        lambda line, asked: [SAID["formal"][line], SAID[asked or "informal"][line]]
    )
    plain = SOURCES[:2], ["Kommen Sie ?", "Nehmen Sie die Tasche !"]
    systems = {"best": hypotheses, "reranked": hypotheses}
    report, outputs = evaluate_formality(
        base, systems, tests, "de", reranked=["reranked"], n_best=2, plain=plain
    )
    assert outputs["best"]["informal"][0] == "Kommen Sie ?"
    assert outputs["reranked"]["informal"][0] == "Kommst du ?"
    assert set(report["plain"]) == {"base", "best", "reranked"}
    assert outputs["reranked"]["plain"] == [SAID["formal"][line] for line in SOURCES[:2]]


def test_what_is_missing_is_named(folder, tests, base, ours):
    with pytest.raises(InputError, match="music.en.gz"):
        read_test_set(folder, "music", "en", "de")
    (folder / "chat.formal.ann.de").write_text("eine Zeile\n")
    with pytest.raises(InputError, match="source 3, formal 1, informal 3"):
        read_test_set(folder, "chat", "en", "de")
    with pytest.raises(InputError, match="--systems"):
        evaluate_formality(base, {}, tests, "de")
    with pytest.raises(InputError, match="--domains"):
        evaluate_formality(base, {"ours": ours}, {}, "de")
