"""A metric is one file: its figures appear wherever translations are measured."""

import sys
import textwrap

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import metrics

EXAMPLE = textwrap.dedent(metrics.__doc__.split("`length_ratio.py`:")[1])
METRIC = f"from fairseq_instr.evaluation.metrics import Score\n{EXAMPLE}"


@pytest.fixture
def length_ratio(tmp_path, monkeypatch):
    """The folder of metrics with one file more."""
    (tmp_path / "length_ratio.py").write_text(METRIC)
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    metrics._metrics.cache_clear()
    yield
    metrics._metrics.cache_clear()
    sys.modules.pop("fairseq_instr.evaluation.metrics.length_ratio", None)


def test_one_file_is_a_metric(length_ratio):
    (score,) = [score for score in metrics.all_scores() if score.name == "length_ratio"]
    assert (score.title, score.of_pivot.name) == ("length ratio", "pivot_length_ratio")
    figures, signatures = metrics.measure(metrics.Translations(["abc"], ["abcd"], "de"))
    assert figures["length_ratio"] == 0.75 and set(figures) == {"bleu", "chrf2", "length_ratio"}
    assert signatures["length_ratio"] == "unit:characters"


def test_it_is_in_the_reports_too(length_ratio):
    from fairseq_instr.evaluation.directions import Pair, evaluate_directions
    from fairseq_instr.reports import describe
    from fairseq_instr.reports.markdown import as_markdown

    class Copies:
        def for_direction(self, source, target):
            return self

        def translate(self, lines, instruct, batch_size, progress):
            return list(lines)

    report = evaluate_directions({"copies": [Copies()]}, {("en", "de"): Pair(["A"], ["Ein"])})
    text = as_markdown(describe(report))
    assert "length ratio" in text and "0.333" in text  # three decimals, as it says


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="outputs 1, references 2"):
        metrics.measure(metrics.Translations(["a"], ["b", "c"], "de"))
