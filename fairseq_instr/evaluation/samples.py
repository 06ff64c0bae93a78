"""Sample outputs for a report: what systems make of a few lines, side by side, with marks.

In a report, a sample is `{"asked", "source", "reference", "outputs"}`; `outputs` has for each
system `{"text", "marks"}`, the marks being what was asked for -> whether the text obeys.
"""

from __future__ import annotations

import random
from typing import Dict, List, Mapping, Sequence

from fairseq_instr.evaluation.directions import Direction, Judge, TestSet, name_of
from fairseq_instr.evaluation.instructions import JOINT, InstructionTestSet, Names
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import verify
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.reports.presentation import Output, Sample, Samples, Section

N_COMPOSITIONS = 10
"""Pairs and triples that samples are shown of."""


def sample_cases(
    test: InstructionTestSet,
    outputs: Mapping[str, Mapping[Names, Sequence[str]]],
    singles: Sequence[Names],
    compositions: Sequence[Names],
    n: int,
    seed: int,
) -> List[dict]:
    """Random lines of every single instruction, and one of a few compositions.

    Args:
        test: has the lines.
        outputs: see `sample_instructed`.
        singles: all of these are shown.
        compositions: of these, up to `N_COMPOSITIONS`.
        n: lines an instruction, at most; with 0, there are no samples at all.
        seed: of the choice.
    """
    if not n:
        return []
    few = [compositions[i] for i in choose_lines(len(compositions), N_COMPOSITIONS, str(seed))]
    return [
        *sample_instructed(test, outputs, singles, n, seed),
        *sample_instructed(test, outputs, few, 1, seed),
    ]


def sample_instructed(
    test: InstructionTestSet,
    outputs: Mapping[str, Mapping[Names, Sequence[str]]],
    cases: Sequence[Names],
    n: int,
    seed: int,
) -> List[dict]:
    """Random lines of each case.

    Args:
        test: has the lines.
        outputs: system -> names -> its outputs for the lines of that case.
        cases: which ones.
        n: lines a case, at most.
        seed: of the choice; a case's lines don't depend on the other cases.
    """
    samples = []
    for names in cases:
        instructions = [look_up(name) for name in names]
        lines = test.cases[names]
        for i in choose_lines(len(lines), n, f"{seed} {names}"):
            source, reference, _ = lines[i]
            context = Context(source=source, language=test.language)
            found = {system: by_case[names][i] for system, by_case in outputs.items()}
            samples.append(
                {
                    "asked": JOINT.join(names),
                    "source": source,
                    "reference": reference,
                    "outputs": {
                        system: {"text": text, "marks": verify(instructions, text, context)}
                        for system, text in found.items()
                    },
                }
            )
    return samples


def sample_directions(
    tests: Mapping[Direction, TestSet],
    outputs: Mapping[str, Mapping[Direction, Sequence[str]]],
    judge: Judge,
    n: int,
    seed: int,
) -> List[dict]:
    """Random lines of each direction; the mark is the language, among the stated ones.

    Args:
        tests: direction -> sources and references.
        outputs: system -> direction -> its outputs.
        judge: identifies languages.
        n: lines a direction, at most.
        seed: of the choice; directions whose test sets are aligned get the same lines.
    """
    samples = []
    for direction, test in tests.items():
        for i in choose_lines(len(test.sources), n, str(seed)):
            shown: Dict[str, dict] = {}
            for system, by_direction in outputs.items():
                text = by_direction[direction][i]
                on_target = judge.languages_of([text], direction).restricted.on_target == 1
                shown[system] = {"text": text, "marks": {f"in {direction[1]}": on_target}}
            samples.append(
                {
                    "asked": name_of(direction),
                    "source": test.sources[i],
                    "reference": test.references[i],
                    "outputs": shown,
                }
            )
    return samples


def choose_lines(n_lines: int, n: int, seed: str) -> List[int]:
    """Up to `n` of the indices below `n_lines`, in their order."""
    return sorted(random.Random(seed).sample(range(n_lines), min(n, n_lines)))


def sample_sections(samples: Sequence[Mapping]) -> List[Section]:
    """Samples of a report for reading: a folded section for each thing asked for."""
    by_asked: Dict[str, List[Sample]] = {}
    for sample in samples:
        outputs = [Output("reference", sample["reference"])]
        outputs += [
            Output(system, output["text"], output["marks"])
            for system, output in sample["outputs"].items()
        ]
        asked = sample["asked"]
        by_asked.setdefault(asked, []).append(Sample(asked, sample["source"], outputs))
    return [
        Section("Sample outputs", []),
        *(
            Section(asked, [Samples(asked, found)], level=3, folded=True)
            for asked, found in by_asked.items()
        ),
    ]
