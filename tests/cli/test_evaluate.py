"""`fairseq-instr evaluate` with real models."""

from __future__ import annotations

import json

import pytest

from fairseq_instr.cli.evaluate import parse_mixed
from fairseq_instr.errors import InputError


@pytest.fixture
def arguments(data_bin, base, tuned, corpus_maker, tmp_path):
    """The model of the tests knows uppercase, lowercase, formal, informal, and one of its own."""
    sources = corpus_maker.sentences(5, 7)
    references = [corpus_maker.translation(source) for source in sources]
    for side, lines in (("en", sources), ("de", references)):
        (tmp_path / f"test.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    formal = [corpus_maker.translation(source, "formal") for source in sources]
    for ending, lines in (("en", sources), ("de", formal), ("instr", ["formal"] * 5)):
        (tmp_path / f"address.{ending}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [
        "evaluate", "--data", data_bin, "--base", base, "--tuned", tuned, "-s", "en",
        "-t", "de", "--source", tmp_path / "test.en", "--reference", tmp_path / "test.de",
        "--labelled", tmp_path / "address", "--beam", 2, "--output", tmp_path / "report",
    ]  # fmt: skip


def test_a_report_of_everything(start, arguments, tuned, tmp_path):
    done = start(
        *arguments, "--pairs", "all", "--triples", 5, "--rerank", "--samples", 1,
        "--mixed", f"0.5={tuned}", "--decoding=--guidance 0.5",
    )  # fmt: skip
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert set(report["response_rate"]["by_instruction"]) == {"uppercase", "formal"}
    # an instruction of the user's own has no verifier: it is listed, the others are measured
    assert "exclaim (no verifier)" in report["conditions"]["not measured"]
    assert report["responses"]["tuned"]["uppercase"]["lines"] == 5
    assert report["pairs"]["count"] == 0  # no rule makes anything formal
    reranked = report["reranked"]
    assert reranked["response_rate"] >= reranked["best"]["response_rate"]
    assert reranked["best"]["response_rate"] == report["response_rate"]["mean"]
    assert set(report["samples"][0]["outputs"]) == {"base", "tuned", "reranked"}
    assert report["conditions"]["decoding"].endswith("tuned: --guidance 0.5")
    assert report["command"].startswith("fairseq-instr evaluate --data ")
    assert list(report["interpolation"]) == ["0", "0.5", "1"]
    assert report["bleu"]["mixed 0.5"] == report["bleu"]["tuned"]
    assert done.out.startswith("# Base against tuned")
    again = start(*arguments)
    assert again.status == 1 and "--force" in again.err


def test_base_and_tuned_in_each_other_s_place_are_refused(start, arguments, base, tuned, tmp_path):
    swapped = [{base: tuned, tuned: base}.get(argument, argument) for argument in arguments]
    done = start(*swapped)
    assert done.status == 1 and "--base" in done.err and "uppercase" in done.err
    assert not (tmp_path / "report" / "report.json").exists()


def test_wrong_options_are_one_line(start, arguments):
    for more, named in (
        (["--rerank", "--beam", 1], "--rerank"),
        (["--mixed", "much=a.pt"], "--mixed"),
        (["--decoding=--lenpen-of-nothing 1"], "--lenpen-of-nothing"),
    ):
        done = start(*arguments, *more)
        assert done.status == 1 and named in done.err and done.err.count("\n") == 1


def test_mixed_checkpoints_are_named_by_their_weight():
    assert parse_mixed(["0.7=a.pt", "0.2=b=c.pt"]) == {"0.7": "a.pt", "0.2": "b=c.pt"}
    for entries in (["a.pt"], ["x=a.pt"], ["0.5="], ["1=a.pt"], ["0.5=a.pt", "0.5=b.pt"]):
        with pytest.raises(InputError, match="--mixed"):
            parse_mixed(entries)
