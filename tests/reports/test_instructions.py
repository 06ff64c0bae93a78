from __future__ import annotations

import json

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.quality import measure_quality, paired_significance
from fairseq_instr.evaluation.response import measure_response
from fairseq_instr.instructions import catalogue
from fairseq_instr.reports.instructions import summarise, to_markdown, write_report

SOURCES = ["Two dogs.", "A man | reads."]
REFERENCES = ["Zwei Hunde.", "Ein Mann liest."]


def respond(names, outputs):
    instructions = [catalogue()[name] for name in names]
    return measure_response(instructions, SOURCES, REFERENCES, outputs, 90.0, "de")


@pytest.fixture
def report():
    plain = {"base": ["Zwei Hunde.", "Ein Mann."], "tuned": REFERENCES}
    return summarise(
        command="python scripts/evaluate.py",
        conditions={"decoding": "beam 4"},
        axes={"uppercase": "case", "html-bold": "markup"},
        base={name: respond([name], plain["base"]) for name in ("uppercase", "html-bold")},
        tuned={
            "uppercase": respond(["uppercase"], ["ZWEI HUNDE.", "Ein Mann"]),
            "html-bold": respond(["html-bold"], ["<b>Zwei Hunde.</b>", "<b>Ein Mann liest.</b>"]),
        },
        quality={name: measure_quality(outputs, REFERENCES) for name, outputs in plain.items()},
        significance=paired_significance(plain, REFERENCES, samples=10),
        pairs={"uppercase + html-bold": respond(["uppercase", "html-bold"], ["<b>A</b>", "b"])},
        mixed={"0": {"response_rate": 0.0, "adequacy": 0.9, "chrf2": 70.0, "bleu": 40.0}},
        examples={"uppercase": {"source": SOURCES[1], "base": "Ein Mann.", "tuned": "<b>|</b>"}},
    )


def test_the_figures_that_scripts_read(report):
    assert report["response_rate"]["mean"] == 0.75
    assert report["response_rate"]["base_mean"] == 0.0
    assert report["response_rate"]["by_instruction"] == {"uppercase": 0.5, "html-bold": 1.0}
    assert report["response_rate"]["base_by_instruction"] == {"uppercase": 0.0, "html-bold": 0.0}
    assert report["responses"]["tuned"]["uppercase"]["rate"] == 0.5
    assert report["axes"] == {"uppercase": "case", "html-bold": "markup"}
    assert report["adequacy"]["min"] == min(report["adequacy"]["by_instruction"].values())
    assert report["pairs"]["both_obeyed"] == 0.5
    assert set(report["chrf2"]) == set(report["bleu"]) == {"base", "tuned"}
    assert report["chrf2"]["tuned"] == 100.0
    assert report["command"] == "python scripts/evaluate.py"


def test_markdown_shows_the_numbers_and_escapes_what_models_write(report):
    text = to_markdown(report)
    assert "**75.0%** (base 0.0%)" in text
    assert "| uppercase | case | 2 | 0.0% | 50.0% (" in text
    assert "&lt;b>\\|&lt;/b>" in text
    assert "A man \\| reads." in text
    assert all(signature in text for signature in report["signatures"].values())


def test_files_and_plots_are_written_once(report, tmp_path):
    write_report(report, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    for plot in ("response.png", "pairs.png", "interpolation.png"):
        assert (tmp_path / plot).read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "report.md").read_bytes()
    with pytest.raises(InputError, match="report.json exists; give --force"):
        write_report(report, tmp_path)
    assert (tmp_path / "report.md").read_bytes() == before
    write_report(report, tmp_path, force=True)
