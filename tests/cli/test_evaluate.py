"""`fairseq-instr evaluate` with real models."""

from __future__ import annotations

import json

import pytest

from fairseq_instr.cli.evaluate import parse_mixed
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory, catalogue

NAMES = ("uppercase", "html-bold", "double-quotes")


@pytest.fixture
def arguments(base, own_data_bin, corpus_maker, tmp_path):
    inventory = Inventory(
        [*(catalogue()[name] for name in NAMES), Instruction("our-own", "ours", ("so",))]
    )
    inventory.save(own_data_bin / "instructions.yaml", force=True)
    sources = corpus_maker.sentences(5, 7)
    for side, lines in (("en", sources), ("de", map(corpus_maker.translation, sources))):
        (tmp_path / f"test.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [
        "evaluate", "--data", own_data_bin, "--base", base, "--tuned", base, "-s", "en",
        "-t", "de", "--source", tmp_path / "test.en", "--reference", tmp_path / "test.de",
        "--beam", 2, "--output", tmp_path / "report",
    ]  # fmt: skip


def test_a_report_of_everything(start, arguments, base, tmp_path):
    done = start(
        *arguments, "--pairs", "all", "--triples", 5, "--rerank", "--samples", 1,
        "--mixed", f"0.5={base}", "--decoding=--guidance 0.5",
    )  # fmt: skip
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert set(report["response_rate"]["by_instruction"]) == set(NAMES)
    # an instruction of the user's own has no verifier: it is listed, the others are measured
    assert "our-own" in report["conditions"]["not measured"]
    assert report["response_rate"]["base_by_instruction"]["html-bold"] == 0.0
    assert report["responses"]["tuned"]["uppercase"]["lines"] == 5
    assert report["pairs"]["count"] == 3 and report["triples"]["count"] == 1
    reranked = report["reranked"]
    assert reranked["response_rate"] >= reranked["best"]["response_rate"]
    assert reranked["best"]["response_rate"] == report["response_rate"]["mean"]
    assert 0 <= reranked["chrf2"] <= 100
    assert len(report["samples"]) == 3 + 4  # singles, then compositions
    assert report["conditions"]["decoding"].endswith("tuned: --guidance 0.5")
    assert report["command"].startswith("fairseq-instr evaluate --data ")
    assert list(report["interpolation"]) == ["0", "0.5", "1"]
    assert done.out.startswith("# Base against tuned")
    again = start(*arguments)
    assert again.status == 1 and "--force" in again.err


def test_text_is_read_as_curation_reads_it(start, arguments, tmp_path):
    """CRLF and a byte order mark change no figure."""
    found = []
    for ending in ("\n", "\r\n"):
        for side in ("en", "de"):
            path = tmp_path / f"test.{side}"
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            mark = "\ufeff" if ending == "\r\n" else ""
            text = mark + "".join(line + ending for line in lines)
            path.write_bytes(text.encode("utf-8"))
        assert start(*arguments, "--force").status == 0
        report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
        # rows of instructions that a model was never tuned on are random: the base's figures
        found.append([report["responses"]["base"], report["bleu"]["base"], report["chrf2"]["base"]])
    assert found[0] == found[1]


def test_wrong_options_are_one_line(start, arguments, tmp_path):
    for more, named in (
        (["--rerank", "--beam", 1], "--rerank"),
        (["--mixed", "much=a.pt"], "--mixed"),
        (["--triples", -1], "--triples"),
        (["--decoding=--lenpen-of-nothing 1"], "--lenpen-of-nothing"),
        (["--phrasings", "trained"], "--prompt-rendering"),
    ):
        done = start(*arguments, *more)
        assert done.status == 1 and named in done.err and done.err.count("\n") == 1
    (tmp_path / "test.en").write_text("")
    (tmp_path / "test.de").write_text("")
    done = start(*arguments)
    assert done.status == 1 and "--source" in done.err


def test_mixed_checkpoints_are_named_by_their_weight():
    assert parse_mixed(["0.7=a.pt", "1=b=c.pt"]) == {"0.7": "a.pt", "1": "b=c.pt"}
    for entries in (["a.pt"], ["x=a.pt"], ["0.5="], ["2=a.pt"], ["0.5=a.pt", "0.5=b.pt"]):
        with pytest.raises(InputError, match="--mixed"):
            parse_mixed(entries)
