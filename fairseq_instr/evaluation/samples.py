"""Sample outputs for a report: what systems make of a few lines, side by side.

A sample is `{"asked", "source", "reference", "outputs"}`; `outputs` has for each system
`{"text", "marks"}`, the marks being what was asked for -> whether the text obeys.
"""

from __future__ import annotations

import random
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

Lines = Sequence[Tuple[str, str]]  # (source, reference)
Mark = Callable[[str, int], Dict[str, bool]]  # `(output, index of its line) -> marks`


def choose_lines(n_lines: int, n: int, seed: str) -> List[int]:
    """Up to `n` of the indices below `n_lines`, in their order."""
    return sorted(random.Random(seed).sample(range(n_lines), min(n, n_lines)))


def draw_samples(
    asked: str, lines: Lines, outputs: Mapping[str, Sequence[str]], mark: Mark, n: int, seed: str
) -> List[dict]:
    """Random lines with what each system made of them.

    Args:
        outputs: system -> outputs, as many as lines.
        seed: of the choice; the same lines are chosen for as many lines.
    """
    return [
        {
            "asked": asked,
            "source": lines[i][0],
            "reference": lines[i][1],
            "outputs": {
                system: {"text": texts[i], "marks": mark(texts[i], i)}
                for system, texts in outputs.items()
            },
        }
        for i in choose_lines(len(lines), n, seed)
    ]
