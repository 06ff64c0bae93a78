"""Do models obey instructions? A base model against its tuned version.

Measured are the tuned model's answers to every instruction of its inventory, to pairs and triples
of them, in the model's own wording or in trained and unseen phrases, taken from the top of the
beam or chosen by verifiers; models between the two; and what all this does to plain translation.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import Translations, check_aligned, measure
from fairseq_instr.evaluation.metrics.quality import chrf2, paired_significance
from fairseq_instr.evaluation.metrics.response import Response, applicable_lines, measure_response
from fairseq_instr.evaluation.phrasings import choose_phrases, summarise_phrasings
from fairseq_instr.evaluation.report import INSTRUCTIONS, JOINT, new_report
from fairseq_instr.evaluation.samples import choose_lines, draw_samples
from fairseq_instr.evaluation.systems import Answers, Job, System, ask, check_counts
from fairseq_instr.instructions.asking import parse_line
from fairseq_instr.instructions.catalogue import find, look_up
from fairseq_instr.instructions.composition import excluding, verify
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.reranking import first_obeying
from fairseq_instr.text.lines import read_lines

Names = Tuple[str, ...]
"""Instructions that are asked for at once."""
Outputs = Dict[Names, List[str]]
"""Names -> outputs of one system for the lines of that case."""
ALL = "all"
BASE, TUNED, RERANKED = "base", "tuned", "reranked"
N_COMPOSITIONS = 10
"""Pairs and triples that samples are shown of."""
NO_VERIFIER = "no verifier"


class Labelled(NamedTuple):
    """Lines of a labelled test set: sources, references, and what each reference obeys."""

    sources: Sequence[str]
    references: Sequence[str]
    labels: Sequence[str]


def read_labelled(prefix: str, source: str, target: str) -> Labelled:
    """Read `PREFIX.SOURCE`, `PREFIX.TARGET` and `PREFIX.instr`.

    Raises:
        InputError: if a file is missing, or they differ in length.
    """
    columns = {f"{prefix}.{ending}": read_lines(f"{prefix}.{ending}")
               for ending in (source, target, "instr")}  # fmt: skip
    check_aligned(**columns)
    return Labelled(*columns.values())


class Line(NamedTuple):
    """A line that an instruction is measured on.

    Attributes:
        source: raw text.
        reference: the reference under the instruction.
        plain: the reference without it.
    """

    source: str
    reference: str
    plain: str


@dataclass
class Cases:
    """Which lines each instruction, or composition of several, is measured on.

    Attributes:
        sources: raw sources of the plain test set.
        references: as many.
        language: target language.
        lines: names asked for at once -> lines.
    """

    sources: Sequence[str]
    references: Sequence[str]
    language: str
    lines: Dict[Names, List[Line]] = field(default_factory=dict)

    def add_by_rule(self, names: Names, limit: int) -> bool:
        """Add the first lines that the instructions' rules apply to; whether there are any."""
        found = applicable_lines(
            [look_up(name) for name in names], self.sources, self.references, self.language
        )
        if found:
            self.lines[names] = [
                Line(self.sources[i], rewritten, self.references[i])
                for i, rewritten in found[:limit]
            ]
        return bool(found)

    def add_labelled(self, labelled: Labelled) -> None:
        """Add lines of a labelled test set, each to the instructions that its label names."""
        check_aligned(**labelled._asdict())
        for source, reference, label in zip(*labelled):
            self.lines.setdefault(parse_line(label), []).append(Line(source, reference, reference))

    def jobs(self, cases: Iterable[Names]) -> List[Job]:
        """What to ask a system: the lines of some cases, plainly and under their instructions."""
        return [
            (line.source, asked)
            for names in cases
            for line in self.lines[names]
            for asked in ("", ",".join(names))
        ]

    def outputs(self, answers: Answers, cases: Iterable[Names], plain: bool = False) -> Outputs:
        """The best hypotheses for the lines of some cases; `plain`: without instructions."""
        return {
            names: [
                answers[line.source, "" if plain else ",".join(names)][0]
                for line in self.lines[names]
            ]
            for names in cases
        }

    def respond(self, outputs: Outputs, answers: Answers) -> Dict[Names, Response]:
        """Score outputs of a system beside its plain translations of the same lines."""
        found = {}
        for names, texts in outputs.items():
            lines = self.lines[names]
            plain = [answers[line.source, ""][0] for line in lines]
            found[names] = measure_response(
                [look_up(name) for name in names],
                [line.source for line in lines],
                [line.reference for line in lines],
                texts,
                chrf2(plain, [line.plain for line in lines]),
                self.language,
            )
        return found


def evaluate(
    base: System,
    tuned: System,
    sources: Sequence[str],
    references: Sequence[str],
    target_language: str,
    *,
    mixed: Optional[Mapping[str, System]] = None,
    labelled: Sequence[Labelled] = (),
    lines: int = 1000,
    pairs: Union[int, str] = 0,
    triples: int = 0,
    pair_lines: int = 50,
    mixed_lines: int = 100,
    rerank: int = 0,
    phrasings: Sequence[str] = (),
    phrasing_lines: int = 100,
    samples: int = 2,
    batch_size: int = 64,
    seed: int = 1,
    conditions: Optional[Mapping[str, str]] = None,
) -> Dict[str, Any]:
    """Measure how a base model and its tuned version answer instructions.

    Args:
        base: the model that was never told about instructions; it is asked for none.
        tuned: the model that takes them.
        sources: raw sources of the test set.
        references: as many.
        target_language: code such as `de`.
        mixed: weight of the tuned model, such as `0.7` -> interpolation of the two.
        labelled: more test sets, for instructions that no rule can write references for.
        lines: lines an instruction, at most.
        pairs: how many pairs of instructions, or `all`.
        triples: how many triples.
        pair_lines: lines a pair and a triple, at most.
        mixed_lines: lines an instruction for `mixed`, at most.
        rerank: also take the first of so many hypotheses that verifiers accept; 0 for not.
        phrasings: `trained`, `unseen` or both: also ask in those phrases.
        phrasing_lines: lines an instruction for `phrasings`, at most.
        samples: outputs shown an instruction.
        batch_size: sentences decoded together.
        seed: of the choice of pairs, triples and samples, and of the bootstrap.
        conditions: more of what the report says about how it was made.

    Returns:
        A report, see `evaluation.report`; `reports.write_report` writes it. Rates are in 0..1,
        scores in 0..100. Instructions that can't be measured are listed in its conditions.

    Raises:
        InputError: if a number is not accepted, the test set is empty or not aligned, or no
            instruction can be measured on it.

    Example: `evaluate(Translator.from_pretrained("base.pt", "data-bin"),
    Translator.from_pretrained("tuned.pt", "data-bin"), sources, references, "de")`.
    """
    check_counts(triples=triples, samples=samples, rerank=rerank)
    check_counts(1, lines=lines, pair_lines=pair_lines, mixed_lines=mixed_lines,
                 phrasing_lines=phrasing_lines, batch_size=batch_size)  # fmt: skip
    check_aligned(source=sources, reference=references)
    if not sources:
        raise InputError("--source and --reference hold no line; give text")
    check_roles(base, tuned)
    phrases = choose_phrases(tuned.inventory, phrasings) if phrasings else {}
    test = Cases(sources, references, target_language)
    not_measured = choose_singles(test, tuned.inventory, labelled, lines)
    singles = [(name,) for name in tuned.inventory.names if (name,) in test.lines]
    if not singles:
        raise InputError(
            "no instruction of the model can be measured on this test set: "
            + (", ".join(not_measured) or "its inventory is empty")
        )
    chosen_pairs = choose_pairs(test, singles, pairs, seed, pair_lines)
    chosen_triples, n_valid = choose_triples(test, singles, triples, seed, pair_lines)
    cases = [*singles, *chosen_pairs, *chosen_triples]

    plain_jobs = [(source, "") for source in sources]
    answers = ask(tuned, [*plain_jobs, *test.jobs(cases)], TUNED, batch_size, rerank or 1)
    outputs = {TUNED: test.outputs(answers, cases)}
    responses = test.respond(outputs[TUNED], answers)
    reranked: Dict[str, Any] = {}
    if rerank:
        outputs[RERANKED] = rerank_outputs(test, answers, cases)
        chosen = test.respond(outputs[RERANKED], answers)
        reranked = summarise_reranked(rerank, responses, chosen)
    in_phrases = {}
    for kind, by_name in phrases.items():
        said = ask_in_phrases(test, singles, by_name, phrasing_lines)
        answered = ask(tuned, [job for jobs in said.values() for job in jobs], kind, batch_size)
        under = {names: [answered[job][0] for job in jobs] for names, jobs in said.items()}
        cut = cut_lines(test, list(said), phrasing_lines)
        in_phrases[kind] = {names[0]: r for names, r in cut.respond(under, answers).items()}

    base_answers = ask(base, [job for job in [*plain_jobs, *test.jobs(cases)] if not job[1]],
                       BASE, batch_size)  # fmt: skip
    outputs = {BASE: test.outputs(base_answers, cases, plain=True), **outputs}
    base_responses = test.respond({names: outputs[BASE][names] for names in singles}, base_answers)
    systems = {BASE: base_answers, TUNED: answers}
    by_weight = {"0": base_responses}
    for weight, system in (mixed or {}).items():
        cut = cut_lines(test, singles, mixed_lines)
        found = ask(system, [*plain_jobs, *cut.jobs(singles)], f"weight {weight}", batch_size)
        systems[f"mixed {weight}"] = found
        by_weight[weight] = cut.respond(cut.outputs(found, singles), found)
    by_weight["1"] = {names: responses[names] for names in singles}

    plain = {n: [found[job][0] for job in plain_jobs] for n, found in systems.items()}
    quality: Dict[str, Dict[str, float]] = {}
    for name, texts in plain.items():
        quality[name], signatures = measure(Translations(texts, references, target_language))
    of_weight = {"0": BASE, "1": TUNED}
    return new_report(
        INSTRUCTIONS,
        {
            **(conditions or {}),
            "test set": f"{len(sources)} lines into {target_language}",
            "lines": f"up to {lines} an instruction, {pair_lines} a pair or triple, {mixed_lines} "
            "an instruction for interpolations; those where the instruction changes the reference",
            "triples": f"{len(chosen_triples)} of {n_valid} valid ones, drawn with seed {seed} "
            "among those whose rules apply to some line",
            "base": "translates plainly; its rate is how often that obeys by chance",
            "not measured": ", ".join(not_measured) or "none",
        },
        **_summarise(
            {names[0]: base_responses[names] for names in singles},
            {names[0]: responses[names] for names in singles},
        ),
        axes={name: tuned.inventory[tuned.inventory.position(name)].axis for (name,) in singles},
        pairs=_summarise_compositions("by_pair", chosen_pairs, responses),
        triples=_summarise_compositions("by_triple", chosen_triples, responses),
        reranked=reranked,
        phrasings=summarise_phrasings(in_phrases, phrases),
        **{
            score: {system: figures[score] for system, figures in quality.items()}
            for score in quality[BASE]
        },
        signatures=signatures,
        significance=paired_significance(plain, references, seed=seed),
        interpolation={
            weight: {**_means(rows.values()), **quality[of_weight.get(weight, f"mixed {weight}")]}
            for weight, rows in by_weight.items()
        }
        if mixed
        else {},
        samples=sample_cases(
            test, outputs, singles, [*chosen_pairs, *chosen_triples], samples, seed
        ),
    )


def check_roles(base: System, tuned: System) -> None:
    """Refuse a base model that was trained with instructions that the tuned one never saw.

    Raises:
        InputError: with those instructions.
    """
    known = [getattr(system, "learned", None) for system in (base, tuned)]
    if known[0] is None or known[1] is None:
        return
    more = [name for name in known[0].names if name not in known[1]]
    if more:
        raise InputError(
            f"--base was trained with instructions that --tuned was not: {', '.join(more)}; "
            "give the base model to --base and the tuned one to --tuned"
        )


# -- what is asked --------------------------------------------------------------------------


def choose_singles(
    test: Cases, inventory: Inventory, labelled: Sequence[Labelled], limit: int
) -> List[str]:
    """Add the lines of every instruction of an inventory.

    Returns:
        instructions that have none, with the reason.
    """
    reasons = {}
    for instruction in inventory:
        known = find(instruction.name)
        if known is None or known.obeys is None:
            reasons[instruction.name] = NO_VERIFIER
        elif not known.serves(test.language):
            reasons[instruction.name] = f"not for {test.language}"
        elif known.rewrite is None or known.argument is not None:
            reasons[instruction.name] = "no labelled lines"
        elif not test.add_by_rule((instruction.name,), limit):
            reasons[instruction.name] = "changes no line"
    for each in labelled:
        test.add_labelled(each)
    for name, reason in reasons.items():
        if reason == NO_VERIFIER:
            test.lines.pop((name,), None)
    return [f"{name} ({reason})" for name, reason in reasons.items() if (name,) not in test.lines]


def combinations(singles: Sequence[Names], size: int) -> List[Names]:
    """Valid combinations of instructions whose references rules can write."""
    by_rule = [name for (name,) in singles if look_up(name).rewrite]
    return [
        chosen
        for chosen in itertools.combinations(by_rule, size)
        if excluding([look_up(name) for name in chosen]) is None
    ]


def choose_pairs(
    test: Cases, singles: Sequence[Names], how_many: Union[int, str], seed: int, limit: int
) -> List[Names]:
    """Add valid pairs of instructions that apply to any line: all, or a random sample.

    Raises:
        InputError: if `how_many` is neither a number nor `all`.
    """
    pairs = combinations(singles, 2)
    if how_many != ALL:
        if not str(how_many).isdigit():
            raise InputError(f"--pairs {how_many!r} is not accepted: give '{ALL}' or a number")
        pairs = sorted(random.Random(seed).sample(pairs, min(int(how_many), len(pairs))))
    return [pair for pair in pairs if test.add_by_rule(pair, limit)]


def choose_triples(
    test: Cases, singles: Sequence[Names], how_many: int, seed: int, limit: int
) -> Tuple[List[Names], int]:
    """Add a random sample of the valid triples that apply to any line.

    Returns:
        (the triples, how many valid ones there are to draw from)
    """
    candidates = combinations(singles, 3)
    drawn: List[Names] = []
    for triple in random.Random(seed).sample(candidates, len(candidates)):
        if len(drawn) == how_many:
            break
        if test.add_by_rule(triple, limit):
            drawn.append(triple)
    return sorted(drawn), len(candidates)


def cut_lines(test: Cases, cases: Iterable[Names], limit: int) -> Cases:
    """The same test set with the first lines of some cases."""
    lines = {names: test.lines[names][:limit] for names in cases}
    return Cases(test.sources, test.references, test.language, lines)


def ask_in_phrases(
    test: Cases, singles: Sequence[Names], phrases: Mapping[str, Sequence[str]], limit: int
) -> Dict[Names, List[Job]]:
    """Jobs that ask for instructions by their phrases, in turn from line to line."""
    return {
        names: [
            (line.source, phrases[names[0]][i % len(phrases[names[0]])])
            for i, line in enumerate(test.lines[names][:limit])
        ]
        for names in singles
        if names[0] in phrases
    }


def rerank_outputs(test: Cases, answers: Answers, cases: Iterable[Names]) -> Outputs:
    """The first hypothesis of each line that obeys, or else the best; see `reranking`."""
    outputs: Outputs = {}
    for names in cases:
        instructions = [look_up(name) for name in names]
        outputs[names] = []
        for line in test.lines[names]:
            found = answers[line.source, ",".join(names)]
            context = Context(source=line.source, language=test.language)
            outputs[names].append(found[first_obeying(found, instructions, context)])
    return outputs


# -- what is reported -----------------------------------------------------------------------


def _summarise(base: Mapping[str, Response], tuned: Mapping[str, Response]) -> Dict[str, Any]:
    """Response rate and adequacy by instruction."""
    return {
        "response_rate": {
            "mean": _mean(r.rate for r in tuned.values()),
            "base_mean": _mean(r.rate for r in base.values()),
            "by_instruction": {name: round(r.rate, 4) for name, r in tuned.items()},
            "base_by_instruction": {name: round(r.rate, 4) for name, r in base.items()},
        },
        "adequacy": {
            "mean": _mean(r.adequacy for r in tuned.values()),
            "min": round(min(r.adequacy for r in tuned.values()), 4),
            "by_instruction": {name: round(r.adequacy, 4) for name, r in tuned.items()},
        },
        "responses": {
            system: {name: r.to_dict() for name, r in rows.items()}
            for system, rows in ((BASE, base), (TUNED, tuned))
        },
    }


def _summarise_compositions(
    key: str, cases: Sequence[Names], responses: Mapping[Names, Response]
) -> Dict[str, Any]:
    """Means over pairs or triples, the share that obeys all among them; and each."""
    rows = {JOINT.join(names): responses[names] for names in cases}
    means = _means(rows.values())
    return {
        "count": len(rows),
        "mean": means["response_rate"],
        "adequacy": means["adequacy"],
        "chrf2": _mean(r.chrf2 for r in rows.values()),
        key: {name: response.to_dict() for name, response in rows.items()},
    }


def summarise_reranked(
    n_best: int, best: Mapping[Names, Response], reranked: Mapping[Names, Response]
) -> Dict[str, Any]:
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

    def means(responses: Mapping[Names, Response]) -> Dict[str, Optional[float]]:
        of_size = [[r for n, r in responses.items() if len(n) == size] for size in (1, 2, 3)]
        return {
            **_means(of_size[0]),
            "chrf2": _mean(r.chrf2 for r in of_size[0]),
            "pairs": _mean(r.rate for r in of_size[1]),
            "triples": _mean(r.rate for r in of_size[2]),
        }

    return {
        "n_best": n_best,
        **means(reranked),
        "best": means({names: best[names] for names in reranked}),
        "by_instruction": {n[0]: r.to_dict() for n, r in reranked.items() if len(n) == 1},
    }


def _means(responses: Iterable[Response]) -> Dict[str, Optional[float]]:
    rows = list(responses)
    return {
        "response_rate": _mean(r.rate for r in rows),
        "adequacy": _mean(r.adequacy for r in rows),
    }


def _mean(values: Iterable[float]) -> Optional[float]:
    found = list(values)
    return round(mean(found), 4) if found else None


def sample_cases(
    test: Cases,
    outputs: Mapping[str, Outputs],
    singles: Sequence[Names],
    compositions: Sequence[Names],
    n: int,
    seed: int,
) -> List[dict]:
    """Random lines of every single instruction, and one of a few compositions.

    Args:
        test: has the lines.
        outputs: system -> its outputs.
        singles: all of these are shown.
        compositions: of these, up to `N_COMPOSITIONS`.
        n: lines an instruction, at most; with 0, there are no samples at all.
        seed: of the choice; a case's lines don't depend on the other cases.
    """
    if not n:
        return []
    few = [compositions[i] for i in choose_lines(len(compositions), N_COMPOSITIONS, str(seed))]
    samples = []
    for names, limit in [*((names, n) for names in singles), *((names, 1) for names in few)]:
        instructions = [look_up(name) for name in names]

        def mark(output: str, source: str, instructions=instructions) -> Dict[str, bool]:
            return verify(instructions, output, Context(source=source, language=test.language))

        lines = [(line.source, line.reference) for line in test.lines[names]]
        found = {system: by_case[names] for system, by_case in outputs.items()}
        samples += draw_samples(JOINT.join(names), lines, found, mark, limit, f"{seed} {names}")
    return samples
