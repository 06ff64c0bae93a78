"""What a base model and its tuned version are asked, and how their answers are scored.

Nothing here knows how a system translates: outputs come from a function that is given.
"""

from __future__ import annotations

import itertools
import random
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.quality import chrf2, measure_quality
from fairseq_instr.evaluation.response import (
    Response,
    applicable_lines,
    check_aligned,
    measure_response,
)
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import excluding
from fairseq_instr.text.lines import read_lines

Names = Tuple[str, ...]
"""Instructions that are asked for at once."""

JOINT = " + "
"""Between the names of instructions that are asked for at once, in reports."""

Translate = Callable[[Sequence[str], Sequence[str]], List[str]]
"""`(lines, instructions of each such as "formal,uppercase") -> outputs`"""


class InstructionTestSet:
    """Which lines each instruction, or pair of them, is measured on.

    Attributes:
        sources: raw sources of the plain test set.
        references: its references.
        cases: names asked for at once -> [(source, reference under them, plain reference)].
    """

    def __init__(self, sources: Sequence[str], references: Sequence[str], language: str):
        check_aligned(source=sources, reference=references)
        self.sources, self.references = sources, references
        self.language = language
        self.cases: Dict[Names, List[Tuple[str, str, str]]] = {}

    def add_rule_made(self, names: Names, limit: int) -> bool:
        """Lines that the instructions' rules apply to; the first `limit` of them."""
        instructions = [look_up(name) for name in names]
        lines = applicable_lines(instructions, self.sources, self.references, self.language)
        if lines:
            self.cases[names] = [
                (self.sources[i], rewritten, self.references[i]) for i, rewritten in lines[:limit]
            ]
        return bool(lines)

    def add_labelled(self, prefix: str, source: str, target: str) -> None:
        """Lines of a labelled test set, each with the one instruction that its label names."""
        columns = [read_lines(f"{prefix}.{e}") for e in (source, target, "instr")]
        check_aligned(**dict(zip((source, target, "instr"), columns)))
        for text, reference, label in zip(*columns):
            self.cases.setdefault((label,), []).append((text, reference, reference))

    def cut(self, cases: Sequence[Names], limit: int) -> "InstructionTestSet":
        """The same plain test set with the first lines of some cases."""
        shorter = InstructionTestSet(self.sources, self.references, self.language)
        shorter.cases = {case: self.cases[case][:limit] for case in cases}
        return shorter


def measure_instructed(
    translate: Translate, test: InstructionTestSet, cases: Sequence[Names]
) -> Tuple[List[str], Dict[Names, Response], Dict[Names, List[str]]]:
    """Translate plainly and under the given cases, in one go; score all of it.

    Returns:
        (plain outputs, names -> Response, names -> outputs)
    """
    jobs = [(source, "") for source in test.sources]
    extra: Dict[str, int] = {}  # plain translations of sources that are not in the plain test set
    known = {source: i for i, source in enumerate(test.sources)}
    for names in cases:
        for source, _, _ in test.cases[names]:
            if source not in known and source not in extra:
                extra[source] = len(jobs)
                jobs.append((source, ""))
    starts = {}
    for names in cases:
        starts[names] = len(jobs)
        jobs += [(source, ",".join(names)) for source, _, _ in test.cases[names]]
    outputs = translate([source for source, _ in jobs], [asked for _, asked in jobs])
    plain = {**known, **extra}
    responses, under = {}, {}
    for names in cases:
        lines = test.cases[names]
        under[names] = outputs[starts[names] : starts[names] + len(lines)]
        plain_outputs = [outputs[plain[source]] for source, _, _ in lines]
        responses[names] = respond(names, lines, under[names], plain_outputs, test.language)
    return outputs[: len(test.sources)], responses, under


def measure_plain(
    translate: Translate, test: InstructionTestSet, cases: Sequence[Names]
) -> Tuple[Dict[str, str], Dict[Names, Response]]:
    """Score a system that knows no instruction: it translates plainly, whatever is asked.

    Returns:
        (source -> output, names -> Response)
    """
    lines = [line[0] for case in cases for line in test.cases[case]]
    sources = list(dict.fromkeys([*test.sources, *lines]))
    outputs = dict(zip(sources, translate(sources, [""] * len(sources))))
    responses = {}
    for names in cases:
        under = [outputs[source] for source, _, _ in test.cases[names]]
        responses[names] = respond(names, test.cases[names], under, under, test.language)
    return outputs, responses


def respond(
    names: Names,
    lines: Sequence[Tuple[str, str, str]],
    outputs: Sequence[str],
    plain_outputs: Sequence[str],
    language: str,
) -> Response:
    """Score outputs under some instructions.

    Args:
        names: what was asked for.
        lines: as in `InstructionTestSet.cases`.
        outputs: under the instructions.
        plain_outputs: of the same system for the same lines.
        language: target language.
    """
    sources, references, plain_references = map(list, zip(*lines))
    return measure_response(
        [look_up(name) for name in names],
        sources,
        references,
        outputs,
        chrf2(plain_outputs, plain_references),
        language,
    )


def combinations(names: Sequence[str], size: int) -> List[Names]:
    """Valid combinations of instructions whose references rules can write."""
    by_rule = [name for name in names if look_up(name).rewrite]
    return [
        chosen
        for chosen in itertools.combinations(by_rule, size)
        if excluding([look_up(name) for name in chosen]) is None
    ]


def choose_pairs(names: Sequence[str], how_many: str, seed: int) -> List[Names]:
    """Valid pairs of instructions: all of them, or a random sample."""
    pairs = combinations(names, 2)
    if how_many == "all":
        return pairs
    if not how_many.isdigit():
        raise InputError(f"--pairs {how_many!r} is not accepted: give 'all' or a number")
    return sorted(random.Random(seed).sample(pairs, min(int(how_many), len(pairs))))


def summarise_mixed(
    responses: Mapping[Names, Response], outputs: Sequence[str], test: InstructionTestSet
) -> dict:
    """One weight of an interpolation: means over the instructions, and plain quality."""
    rows = list(responses.values())
    quality = measure_quality(outputs, test.references)
    return {
        "response_rate": round(sum(r.rate for r in rows) / len(rows), 4),
        "adequacy": round(sum(r.adequacy for r in rows) / len(rows), 4),
        "chrf2": quality["chrf2"],
        "bleu": quality["bleu"],
    }
