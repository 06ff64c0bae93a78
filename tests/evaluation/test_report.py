"""What report.json holds, and reports of before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairseq_instr.evaluation.report import SCHEMA, WRAPPER_COUNTED, complete, new_report

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OLD = {
    "command": "python scripts/evaluate.py", "conditions": {"decoding": "beam 4"},
    "response_rate": {"mean": 0.5, "base_mean": 0.1, "by_instruction": {"uppercase": 0.5},
                      "base_by_instruction": {"uppercase": 0.1}},
    "pairs": {"both_obeyed": 0.25, "by_pair": {"uppercase + json": 0.25}},
}  # fmt: skip


@pytest.mark.parametrize("kind", SCHEMA)
def test_a_report_of_nothing_has_all_keys_and_no_figure(kind):
    found = complete(new_report(kind, {}))
    assert (found["kind"], found["version"]) == (kind, 2)
    assert set(SCHEMA[kind]) <= set(found)
    assert complete(found) == found


def test_reports_of_version_1_have_gaps_and_the_names_of_today():
    found = complete(OLD)
    assert found["kind"] == "instructions"
    assert found["pairs"]["mean"] == 0.25
    assert found["pairs"]["by_pair"]["uppercase + json"]["rate"] == 0.25
    assert found["responses"]["tuned"]["uppercase"] == {
        "rate": 0.5, "lines": None, "low": None, "high": None, "chrf2": None, "adequacy": None,
    }  # fmt: skip
    assert found["triples"]["mean"] is None and found["samples"] == []
    # how adequacy was measured then is said wherever the report is shown
    assert found["conditions"]["adequacy"] == WRAPPER_COUNTED
    assert "adequacy" not in complete({**OLD, "kind": "instructions", "version": 2})["conditions"]
    assert "adequacy" not in OLD["conditions"]


@pytest.mark.parametrize(
    "path, kind",
    [
        ("instruction_finetuning/results.json", "instructions"),
        ("instruction_finetuning/robustness.json", "robustness"),
        ("instruction_catalogue/results.json", "instructions"),
        ("formality/results.json", "formality"),
    ],
)
def test_results_of_the_examples_are_read(path, kind):
    content = json.loads((EXAMPLES / path).read_text(encoding="utf-8"))
    assert complete(content)["kind"] == kind
