"""What each kind of report says."""

from __future__ import annotations

import pytest

from fairseq_instr.reports import describe
from fairseq_instr.reports.markdown import as_markdown


@pytest.fixture
def shown(make_report):
    return lambda kind, **changed: as_markdown(describe({**make_report(kind), **changed}))


def test_instructions(shown):
    text = shown("instructions")
    assert "**75.0%** (base 1.0%)" in text
    assert "| uppercase | case | 10 | 0.0% | 50.0% (45.0% to 100.0%) | 0.90 |" in text
    assert "| tuned | 37.79 | 0.010 | 62.30 |" in text
    assert "| reranked | 87.5% | 50.0% | – | 0.90 | 51.50 |" in text
    # what a model was trained on, a report can't know
    assert "single instructions only" not in text


def test_phrasings(shown):
    response = {"lines": 4, "rate": 0.5, "low": 0.4, "high": 0.6, "adequacy": 0.9}
    phrasings = {
        "trained": 1.0, "unseen": 0.75, "adequacy": {"trained": 1.0, "unseen": 0.9},
        "by_instruction": {"uppercase": {"trained": response, "unseen": response}},
    }  # fmt: skip
    text = shown("instructions", phrasings=phrasings)
    assert "100.0% under trained phrases (adequacy 1.00), 75.0% under unseen phrases" in text
    assert "| uppercase | 4 | 50.0% | 0.90 | 50.0% | 0.90 |" in text
    del phrasings["unseen"], phrasings["adequacy"]["unseen"]
    assert "unseen obeyed" not in shown("instructions", phrasings=phrasings)


def test_directions(shown, make_report):
    text = shown("directions")
    assert "| mt | 2 | 12.50 ± 12.50 |" in text
    assert "| floor | – | 12.50 |" in text
    assert "### de-fr, zero-shot" in text
    systems = make_report("directions")["systems"]
    systems["mt"]["directions"]["de-fr"] = {"off_target": 33.33}
    assert "| mt | 33.33 | – |" in shown("directions", systems=systems)


def test_formality(shown):
    text = shown("formality")
    row = "| tuned | informal | 91.2% | 50.0% | 1 / 1 | 50.0% of 25.0% | 30.00 | 55.00 |"
    assert row in text
    assert "| references | formal | 91.2% | 50.0% | 1 / 1 | 50.0% of 25.0% | – | – |" in text
    assert "| tuned | 12.34 | 45.60 |" in text


def test_robustness(shown):
    text = shown("robustness")
    assert "| all | 20 | 25.0% | 5.0% | 25.0% | 12.5% | 0.0% | 12.5% |" in text
    assert "‹U+200B›" in text  # what is not seen stands as its code


def test_general_tasks(shown):
    text = shown("general_tasks")
    assert "| before | 1.736 | 219 | 75.0% | 8 | 25.0% | 50.0% |" in text
    assert "| before | json | 4 | 25.0% (5.0% to 70.0%) | 50.0% | 0.0% |" in text
    assert "| plain | 2.000 | 0 | – | 0 | – | – |" in text  # what was not measured
