"""Measuring systems: instructions, directions, formality, robustness, general tasks.

Each `evaluate` function takes systems (`Translator`, or anything like it) and text, and returns a
report; `fairseq_instr.reports.write_report` writes it. Knows instructions, never tasks.
"""

from fairseq_instr.evaluation.directions import evaluate_directions
from fairseq_instr.evaluation.formality import evaluate_formality
from fairseq_instr.evaluation.general_tasks import evaluate_general_tasks
from fairseq_instr.evaluation.instructions import evaluate
from fairseq_instr.evaluation.robustness import evaluate_robustness

__all__ = [
    "evaluate",
    "evaluate_directions",
    "evaluate_formality",
    "evaluate_general_tasks",
    "evaluate_robustness",
]
