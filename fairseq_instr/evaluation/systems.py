"""What evaluations ask of a system that translates: `Translator` has it, and so has any like it."""

from __future__ import annotations

from typing import Dict, Iterable, List, Protocol, Sequence, Tuple

from fairseq_instr.instructions.inventory import Inventory

Job = Tuple[str, str]  # (source, instructions such as "formal,uppercase"; empty for none)
Answers = Dict[Job, List[str]]  # what a system answered: hypotheses of each job, the best first


class System(Protocol):
    """A model that translates lines under instructions, as `LineTranslator` does."""

    @property
    def inventory(self) -> Inventory: ...

    def translate(
        self, lines: Sequence[str], instruct: Sequence[str], *, batch_size: int, progress: str
    ) -> List[str]: ...

    def translate_n_best(
        self, lines: Sequence[str], instruct: Sequence[str], n_best: int, *, batch_size: int,
        progress: str,
    ) -> Sequence[Sequence]:  # fmt: skip
        """The `n_best` translations of each line, each with its `text`, the best first."""


def ask(
    system: System, jobs: Iterable[Job], title: str, batch_size: int, n_best: int = 1
) -> Answers:
    """Have a system translate, each job once."""
    jobs = list(dict.fromkeys(jobs))
    lines, asked = [source for source, _ in jobs], [instruct for _, instruct in jobs]
    if n_best == 1:
        texts = system.translate(lines, asked, batch_size=batch_size, progress=title)
        found = [[text] for text in texts]
    else:
        by_job = system.translate_n_best(
            lines, asked, n_best, batch_size=batch_size, progress=title
        )
        found = [[hypothesis.text for hypothesis in hypotheses] for hypotheses in by_job]
    return dict(zip(jobs, found))
