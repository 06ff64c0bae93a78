"""Instructions asked for together: which triples, in which order, and reranked by verifiers.

Nothing here knows how a system translates: outputs come from a function that is given.
"""

from __future__ import annotations

import itertools
import random
from statistics import mean
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from fairseq_instr.evaluation.instructions import (
    InstructionTestSet,
    Names,
    Translate,
    combinations,
    respond,
)
from fairseq_instr.evaluation.response import Response
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.instructions.reranking import first_obeying

TranslateNBest = Callable[[Sequence[str], Sequence[str]], List[List[str]]]
"""As `Translate`, with all hypotheses of each line, the best first."""


def add_triples(
    test: InstructionTestSet, names: Sequence[str], how_many: int, seed: int, limit: int
) -> Tuple[List[Names], int]:
    """Add a random sample of the valid triples to a test set.

    Triples whose rules don't all apply to any line are passed over.

    Args:
        test: gets a case for each.
        names: instructions that they are made of.
        how_many: triples; there may be fewer.
        seed: of the sample.
        limit: lines a triple, at most.

    Returns:
        (the triples, how many valid ones there are to draw from)
    """
    candidates = combinations(names, 3)
    drawn: List[Names] = []
    for triple in random.Random(seed).sample(candidates, len(candidates)):
        if len(drawn) == how_many:
            break
        if test.add_rule_made(triple, limit):
            drawn.append(triple)
    return sorted(drawn), len(candidates)


def measure_order(
    translate: Translate,
    test: InstructionTestSet,
    under: Mapping[Names, Sequence[str]],
    cases: Sequence[Names],
    n_lines: int,
    seed: int,
) -> Dict[str, Optional[float]]:
    """Translate again with the instructions in another order, and compare letter for letter.

    A composition is put in canonical order before a model reads it, so the order can't matter;
    what may still differ is the batch that a line is decoded in, and with it the last bits of
    its scores.

    Args:
        translate: the system that `under` is of.
        test: has the lines.
        under: names -> outputs for its lines, asked for in the order of the names.
        cases: compositions to choose from.
        n_lines: lines over all of them, at most.
        seed: of the lines and of the orders.

    Returns:
        `{"lines": how many, "identical": share of outputs that stay the same}`; without any
        line the share is None.
    """
    chooser = random.Random(seed)
    pool = [(names, i) for names in cases for i in range(len(test.cases[names]))]
    drawn = chooser.sample(pool, min(n_lines, len(pool)))
    if not drawn:
        return {"lines": 0, "identical": None}
    others = [chooser.choice(list(itertools.permutations(names))[1:]) for names, _ in drawn]
    sources = [test.cases[names][i][0] for names, i in drawn]
    outputs = translate(sources, [",".join(order) for order in others])
    same = sum(output == under[names][i] for output, (names, i) in zip(outputs, drawn))
    return {"lines": len(drawn), "identical": round(same / len(drawn), 4)}


class RememberedHypotheses:
    """Translates, and keeps all hypotheses, so that choosing among them costs no decoding.

    Args:
        translate: gives the hypotheses.
    """

    def __init__(self, translate: TranslateNBest):
        self._translate = translate
        self._known: Dict[Tuple[str, str], List[str]] = {}

    def __call__(self, lines: Sequence[str], asked: Sequence[str]) -> List[str]:
        """The best hypothesis of each line: a `Translate`."""
        found = self._translate(lines, asked)
        self._known.update(zip(zip(lines, asked), found))
        return [hypotheses[0] for hypotheses in found]

    def of(self, line: str, asked: str = "") -> List[str]:
        """Hypotheses of a line that was translated."""
        return self._known[line, asked]


def measure_reranked(
    hypotheses: RememberedHypotheses, test: InstructionTestSet, cases: Sequence[Names]
) -> Tuple[Dict[Names, Response], Dict[Names, List[str]]]:
    """Score the first hypothesis that obeys, see `generation.reranking`.

    Args:
        hypotheses: of all lines of the cases, under their instructions and plainly.
        test: has the lines.
        cases: what is asked for.

    Returns:
        (names -> Response, names -> outputs)
    """
    responses: Dict[Names, Response] = {}
    under: Dict[Names, List[str]] = {}
    for names in cases:
        lines = test.cases[names]
        instructions = [look_up(name) for name in names]
        under[names] = []
        for source, _, _ in lines:
            found = hypotheses.of(source, ",".join(names))
            context = Context(source=source, language=test.language)
            under[names].append(found[first_obeying(found, instructions, context)])
        plain = [hypotheses.of(source)[0] for source, _, _ in lines]
        responses[names] = respond(names, lines, under[names], plain, test.language)
    return responses, under


def summarise_reranked(
    n_best: int, best: Mapping[Names, Response], reranked: Mapping[Names, Response]
) -> dict:
    """Reranking beside what beam search puts first.

    Args:
        n_best: hypotheses a line.
        best: names -> response of the best hypotheses.
        reranked: names -> response of those that verifiers chose.

    Returns:
        `response_rate`, `adequacy` and `chrf2`: means over the single instructions; `pairs`,
        `triples`: mean shares that obey all, None without any; the same in `best`;
        `by_instruction`, and `n_best`.
    """
    return {
        "n_best": n_best,
        **_means(reranked),
        "best": _means({names: best[names] for names in reranked}),
        "by_instruction": {n[0]: r.to_dict() for n, r in reranked.items() if len(n) == 1},
    }


def _means(responses: Mapping[Names, Response]) -> Dict[str, Optional[float]]:
    by_size = {n: [r for names, r in responses.items() if len(names) == n] for n in (1, 2, 3)}

    def over(size: int, attribute: str) -> Optional[float]:
        values = [getattr(response, attribute) for response in by_size[size]]
        return round(mean(values), 4) if values else None

    return {
        "response_rate": over(1, "rate"),
        "adequacy": over(1, "adequacy"),
        "chrf2": over(1, "chrf2"),
        "pairs": over(2, "rate"),
        "triples": over(3, "rate"),
    }
