"""`fairseq-instr robustness` with real models."""

from __future__ import annotations

import json

from fairseq_instr.generation.translator import Translator


def test_examples_are_the_very_outputs_of_the_model(start, data_bin, base, tuned, tmp_path):
    source, clean, attacked = (tmp_path / name for name in ("test.en", "clean.en", "direct.x.en"))
    source.write_text("w1 w2 w3\nw4 w5\n", encoding="utf-8")
    clean.write_text("w1 w2\nw3\n", encoding="utf-8")
    attacked.write_text("w9 w9 w1 w2\nw9 w3\n", encoding="utf-8")
    arguments = [
        "robustness", "--data", data_bin, "--tuned", tuned, "--base", base, "-s", "en", "-t", "de",
        "--source", source, "--cases", 3, "--beam", 2, "--output", tmp_path / "report",
    ]  # fmt: skip
    refused = start(*arguments, "--prompts", clean)
    assert refused.status == 1 and "--prompts" in refused.err
    refused = start(*arguments, "--prompts", clean, attacked, tmp_path / "b" / "direct.en")
    assert refused.status == 1 and "--prompts" in refused.err and "'direct'" in refused.err
    done = start(*arguments, "--prompts", clean, attacked)
    assert done.status == 0, done.err
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    found = report["robustness"]
    assert list(found["by_kind"])[-1] == "prompts direct"
    assert found["cases"] == 3 * 5 + 2
    translator = Translator.from_pretrained(tuned, data_bin, None, "en", "de", beam=2)
    translator.allow_unknown = True
    for example in found["examples"]:
        assert translator.translate([example["source"]]) == [example["output"]]
    assert "| all | 17 |" in done.out
