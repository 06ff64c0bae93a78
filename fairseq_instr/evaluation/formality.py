"""Formality of several systems on a test set in the layout of CoCoA-MT.

Every source is translated under `formal` and under `informal`; the base model, which takes no
instructions, translates it once. Accuracy stands beside coverage and quality.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError, check_at_least
from fairseq_instr.evaluation.metrics import Translations, check_aligned, measure
from fairseq_instr.evaluation.metrics import formality as metric
from fairseq_instr.evaluation.metrics.formality import ASKED, measure_formality
from fairseq_instr.evaluation.report import FORMALITY, new_report
from fairseq_instr.evaluation.systems import System, ask
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.instructions.reranking import first_obeying
from fairseq_instr.text.lines import read_lines

BASE, REFERENCES, PLAIN = "base", "references", "plain"
N_EXAMPLES = 8


class FormalityTestSet(NamedTuple):
    """Sources of one domain and their annotated references, `formal` and `informal`."""

    sources: Sequence[str]
    annotated: Mapping[str, Sequence[str]]


def read_test_set(folder, domain: str, source: str, target: str) -> FormalityTestSet:
    """Read `DOMAIN.SOURCE` and `DOMAIN.{formal,informal}.ann.TARGET` of a folder, plain or `.gz`.

    Raises:
        InputError: if a file is missing, not UTF-8, or not as long as the others.
    """
    names = {"source": f"{domain}.{source}"}
    names.update({kind: f"{domain}.{kind}.ann.{target}" for kind in ASKED})
    lines = {}
    for name, file in names.items():
        path = Path(folder, file)
        lines[name] = read_lines(path if path.exists() else f"{path}.gz")
    check_aligned(**lines)
    return FormalityTestSet(lines.pop("source"), lines)


def evaluate_formality(
    base: System,
    systems: Mapping[str, System],
    tests: Mapping[str, FormalityTestSet],
    target_language: str,
    *,
    reranked: Collection[str] = (),
    n_best: int = 4,
    plain: Optional[Tuple[Sequence[str], Sequence[str]]] = None,
    batch_size: int = 64,
    conditions: Optional[Mapping[str, str]] = None,
) -> Tuple[Dict[str, Any], Dict[str, Dict[str, List[str]]]]:
    """Translate and score.

    Args:
        base: the model that is asked for nothing.
        systems: models that take `formal` and `informal`, by name.
        reranked: systems whose first hypothesis is taken that a verifier accepts: it has words
            of the address asked for and none of the other.
        plain: sources and references that are translated without any instruction.
        conditions: more of what the report says about how it was made.

    Returns:
        (a report, see `evaluation.report`, and outputs by system and kind). Its `systems` have
        figures by kind: accuracy and coverage in 0..1, verdicts, all domains together and each of
        them, and quality; its `formality` is that of the first system.

    Raises:
        InputError: if there is no system or no test set, or one is empty.
    """
    check_at_least(1, batch_size=batch_size)
    if not systems or not tests:
        raise InputError("--systems and --domains: give at least one of each")
    sources = [line for test in tests.values() for line in test.sources]
    annotated = {k: [line for test in tests.values() for line in test.annotated[k]] for k in ASKED}
    references = {kind: list(map(metric.without_marks, lines)) for kind, lines in annotated.items()}
    outputs: Dict[str, Dict[str, List[str]]] = {}
    for name, system in {BASE: base, **systems}.items():
        by_kind = dict.fromkeys(ASKED, "") if name == BASE else {kind: kind for kind in ASKED}
        asked = {kind: [(line, instruct) for line in sources] for kind, instruct in by_kind.items()}
        if plain:
            asked[PLAIN] = [(line, "") for line in plain[0]]
        jobs = [job for own in asked.values() for job in own]
        answers = ask(system, jobs, name, batch_size, n_best if name in reranked else 1)
        outputs[name] = {
            kind: [_first(answers[job], job, target_language) for job in own]
            for kind, own in asked.items()
        }
    figures: Dict[str, Any] = {}
    for name, own_outputs in {REFERENCES: references, **outputs}.items():
        figures[name] = {}
        for kind in ASKED:
            texts = own_outputs[kind]
            whole = measure_formality(texts, annotated, kind, target_language)
            quality, signed = measure(Translations(texts, references[kind], target_language))
            rest, domains = iter(texts), {}
            for domain, test in tests.items():
                part = list(itertools.islice(rest, len(test.sources)))
                domains[domain] = measure_formality(part, test.annotated, kind, target_language)
            own = {} if name == REFERENCES else quality
            figures[name][kind] = {**whole, **own, "domains": domains}
    signatures = {"formality": metric.signature(target_language, len(sources)), **signed}
    first = next(iter(systems))
    report = new_report(
        FORMALITY,
        {
            **(conditions or {}),
            "test set": ", ".join(f"{name} {len(t.sources)} lines" for name, t in tests.items()),
        },
        formality={
            kind: {key: figures[first][kind][key] for key in ("accuracy", "coverage")}
            for kind in ASKED
        },
        systems=figures,
        signatures=signatures,
        plain={
            name: measure(Translations(by_kind[PLAIN], plain[1], target_language))[0]
            for name, by_kind in outputs.items()
        }
        if plain
        else {},
        examples=[
            {
                "source": source,
                **{kind: outputs[first][kind][i] for kind in ASKED},
                **{f"{kind} reference": references[kind][i] for kind in ASKED},
            }
            for i, source in enumerate(sources[:N_EXAMPLES])
        ],
    )
    return report, outputs


def _first(hypotheses: Sequence[str], job: Tuple[str, str], language: str) -> str:
    """The first hypothesis that obeys, or else the best."""
    source, asked = job
    if len(hypotheses) == 1 or not asked:
        return hypotheses[0]
    context = Context(source=source, language=language)
    return hypotheses[first_obeying(hypotheses, [look_up(asked)], context)]
