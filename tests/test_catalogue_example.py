"""The figures of the catalogue are those of its reports."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from fairseq_instr.errors import InputError

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "instruction_catalogue" / "collect.py"
REPORT = {
    "command": "evaluate",
    "conditions": {"decoding": "beam 4"},
    "axes": {"uppercase": "case", "lowercase": "case", "json": "structure"},
    "response_rate": {"mean": 0.7, "by_instruction": {"uppercase": 0.9, "lowercase": 0.5}},
    "adequacy": {"mean": 1.0, "min": 0.8, "by_instruction": {"uppercase": 1.2}},
    "pairs": {"count": 1, "mean": 0.4, "adequacy": 0.9, "by_pair": {"a + b": {"rate": 0.4}}},
    "chrf2": {"base": 50.0, "tuned": 51.0},
    "examples": ["long texts"],
}


FORMAL = {"accuracy": 0.9, "coverage": 0.8}
BETTER = {"accuracy": 0.95, "coverage": 0.85, "bleu": 20.0}
FORMALITY = {
    "command": "f",
    "formality": {"formal": FORMAL},
    "systems": {"likelihood": {"formal": FORMAL}, "contrast": {"formal": BETTER}},
}


def write(folder, report):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(*arguments):
        output = tmp_path / "results.json"
        monkeypatch.setattr(
            sys, "argv", [str(EXAMPLE), *map(str, arguments), "--output", str(output)]
        )
        runpy.run_path(str(EXAMPLE), run_name="__main__")
        return json.loads(output.read_text(encoding="utf-8"))

    return run


def test_all_reports_in_one_file_without_their_texts(run, tmp_path):
    robust = {"command": "r", "conditions": {}, "robustness": {"cases": 3, "changed": 0.0}}
    results = run(
        "--catalogue", write(tmp_path / "a", REPORT), "--unguided", write(tmp_path / "b", REPORT),
        "--robustness", write(tmp_path / "c", robust),
        "--formality", write(tmp_path / "d", FORMALITY),
    )  # fmt: skip
    assert (results["instructions"], results["axes"]) == (3, 2)
    assert results["response_rate"]["min"] == 0.5
    assert results["pairs"]["by_pair"] == {"a + b": 0.4}
    assert results["adequacy"] == {"mean": 1.0, "min": 0.8}
    assert results["robustness"]["cases"] == 3
    assert results["formality"]["formal"] == {"accuracy": 0.9, "coverage": 0.8}
    assert "examples" not in results
    assert results["unguided"]["chrf2"] == results["chrf2"] == REPORT["chrf2"]
    assert "phrasings" not in results


def test_the_system_that_is_named(run, tmp_path):
    folders = ["--catalogue", write(tmp_path / "a", REPORT)]
    folders += ["--formality", write(tmp_path / "d", FORMALITY), "--formality-system"]
    found = run(*folders, "contrast")["formality"]
    assert (found["system"], found["formal"]) == ("contrast", {"accuracy": 0.95, "coverage": 0.85})
    with pytest.raises(InputError, match="'other' is not in the report; there: likelihood, contr"):
        run(*folders, "other", "--force")


def test_a_folder_without_a_report_and_an_output_that_is_there(run, tmp_path):
    output = tmp_path / "results.json"
    with pytest.raises(InputError, match="report.json does not exist"):
        run("--catalogue", tmp_path / "nothing")
    assert not output.exists()
    output.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="--force"):
        run("--catalogue", write(tmp_path / "a", REPORT))
    assert output.read_text(encoding="utf-8") == "mine"
