"""Do models obey instructions? A base model against its tuned version.

The tuned model is asked for every instruction of its inventory, for pairs and triples, and in
phrases. Reranked hypotheses, interpolations and plain translation stand beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from fairseq_instr.errors import InputError, check_at_least
from fairseq_instr.evaluation.metrics import Translations, check_aligned, measure
from fairseq_instr.evaluation.metrics.quality import chrf2, paired_significance
from fairseq_instr.evaluation.metrics.response import Response, applicable_lines, measure_response
from fairseq_instr.evaluation.phrasings import Phrases, choose_phrases, summarise_phrasings
from fairseq_instr.evaluation.report import INSTRUCTIONS, JOINT, new_report
from fairseq_instr.evaluation.samples import choose_lines, draw_samples
from fairseq_instr.evaluation.systems import Answers, Job, System, ask
from fairseq_instr.instructions.asking import Written, parse_line, split
from fairseq_instr.instructions.catalogue import find, look_up
from fairseq_instr.instructions.composition import excluding, verify
from fairseq_instr.instructions.instruction import Context, check_argument
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE
from fairseq_instr.instructions.reranking import first_obeying
from fairseq_instr.text.lines import read_lines

Names = Tuple[str, ...]  # instructions that are asked for at once
Outputs = Dict[Names, List[str]]  # names -> outputs of one system for the lines of that case
ALL = "all"
BASE, TUNED, RERANKED = "base", "tuned", "reranked"
N_COMPOSITIONS = 10  # pairs and triples that samples are shown of


class Labelled(NamedTuple):
    """Lines of a labelled test set: sources, references, and what each reference obeys."""

    sources: Sequence[str]
    references: Sequence[str]
    labels: Sequence[str]


def read_labelled(prefix: str, source: str, target: str) -> Labelled:
    """Read `PREFIX.SOURCE`, `PREFIX.TARGET` and `PREFIX.instr`."""
    columns = {f"{prefix}.{ending}": read_lines(f"{prefix}.{ending}")
               for ending in (source, target, "instr")}  # fmt: skip
    check_aligned(**columns)
    return Labelled(*columns.values())


class Line(NamedTuple):
    """A line that an instruction is measured on."""

    source: str  # raw text
    reference: str  # the reference under the instruction
    plain: str  # the reference without it
    argument: Optional[str] = None  # what fills the instruction's slot

    def under(self, names: Names) -> str:
        """What to ask a system for: the names, one with a slot with its argument."""
        return ",".join(str(Written(name, self.argument)) for name in names)

    def context(self, language: str) -> Context:
        """What verifiers look at besides an output in a language."""
        return Context(self.source, language, self.argument)


@dataclass
class Cases:
    """Which lines each instruction, or composition of several, is measured on."""

    sources: Sequence[str]  # raw sources of the plain test set
    references: Sequence[str]  # as many
    language: str  # target language
    lines: Dict[Names, List[Line]] = field(default_factory=dict)  # names asked for at once -> lines

    def by_rule(self, names: Names, limit: int) -> List[Line]:
        """The first lines that the instructions' rules apply to."""
        found = applicable_lines(
            [look_up(name) for name in names], self.sources, self.references, self.language
        )
        return [
            Line(self.sources[i], rewritten, self.references[i]) for i, rewritten in found[:limit]
        ]

    def add(self, names: Names, lines: Sequence[Line]) -> bool:
        """Measure instructions on some lines; whether there are any."""
        if lines:
            self.lines[names] = list(lines)
        return bool(lines)

    def first(self, limit: int, cases: Iterable[Names]) -> Cases:
        """The same test set with the first lines of some cases."""
        lines = {names: self.lines[names][:limit] for names in cases}
        return dataclasses.replace(self, lines=lines)

    def jobs(self, cases: Iterable[Names]) -> List[Job]:
        """What to ask a system: the lines of some cases, plainly and under their instructions."""
        return [
            (line.source, asked)
            for names in cases
            for line in self.lines[names]
            for asked in ("", line.under(names))
        ]

    def outputs(
        self, answers: Answers, cases: Iterable[Names], plain: bool = False, rerank: bool = False
    ) -> Outputs:
        """The best hypotheses for the lines of some cases.

        Args:
            plain: those without instructions.
            rerank: the first hypothesis of each line that obeys, or else the best.
        """
        found: Outputs = {}
        for names in cases:
            instructions = [*map(look_up, names)]
            found[names] = []
            for line in self.lines[names]:
                texts = answers[line.source, "" if plain else line.under(names)]
                context = line.context(self.language)
                best = first_obeying(texts, instructions, context) if rerank else 0
                found[names].append(texts[best])
        return found

    def respond(self, outputs: Outputs, answers: Answers) -> Dict[Names, Response]:
        """Score outputs of a system beside its plain translations of the same lines."""
        found = {}
        for names, texts in outputs.items():
            lines = self.lines[names]
            plain = [answers[line.source, ""][0] for line in lines]
            found[names] = measure_response(
                [look_up(name) for name in names],
                [line.context(self.language) for line in lines],
                [line.reference for line in lines],
                texts,
                chrf2(plain, [line.plain for line in lines]),
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
        mixed: weight of the tuned model, such as `0.7` -> interpolation of the two.
        labelled: more test sets, for instructions that no rule can write references for.
        lines: lines an instruction, at most.
        pairs: how many pairs of instructions, or `all`.
        pair_lines: lines a pair and a triple, at most.
        mixed_lines: lines an instruction for `mixed`, at most.
        rerank: also take the first of so many hypotheses that verifiers accept; 0 for not.
        phrasings: `trained`, `unseen` or both: also ask in those phrases.
        phrasing_lines: lines an instruction for `phrasings`, at most.
        samples: outputs shown an instruction.
        seed: of the choice of pairs, triples and samples, and of the bootstrap.
        conditions: more of what the report says about how it was made.

    Returns:
        A report, see `evaluation.report`: rates are in 0..1, scores in 0..100. Instructions that
        can't be measured are listed in its conditions.

    Raises:
        InputError: if a number is not accepted, the test set is empty or not aligned, a label lacks
            its argument, or no instruction can be measured on it.

    Example: `evaluate(Translator.from_pretrained("base.pt", "data-bin"),
    Translator.from_pretrained("tuned.pt", "data-bin"), sources, references, "de")`.
    """
    check_at_least(0, triples=triples, samples=samples, rerank=rerank)
    check_at_least(1, lines=lines, pair_lines=pair_lines, mixed_lines=mixed_lines,
                   phrasing_lines=phrasing_lines, batch_size=batch_size)  # fmt: skip
    check_aligned(source=sources, reference=references)
    if not sources:
        raise InputError("--source and --reference hold no line; give text")
    check_roles(base, tuned)
    phrases = choose_phrases(tuned.inventory, phrasings) if phrasings else {}
    test = Cases(sources, references, target_language)
    not_measured = choose_singles(test, tuned, labelled, lines)
    singles = [(name,) for name in tuned.inventory.names if (name,) in test.lines]
    if not singles:
        raise InputError(
            "no instruction of the model can be measured on this test set: "
            + (", ".join(not_measured) or "its inventory is empty")
        )
    chosen_pairs, _ = compose_cases(test, singles, 2, pairs, seed, pair_lines)
    chosen_triples, n_valid = compose_cases(test, singles, 3, triples, seed, pair_lines)
    compositions = [*chosen_pairs, *chosen_triples]
    cases = [*singles, *compositions]
    plain_jobs = [(source, "") for source in sources]

    answers = ask(tuned, [*plain_jobs, *test.jobs(cases)], TUNED, batch_size, rerank or 1)
    outputs = {TUNED: test.outputs(answers, cases)}
    responses = test.respond(outputs[TUNED], answers)
    reranked: Dict[str, Any] = {}
    if rerank:
        outputs[RERANKED] = test.outputs(answers, cases, rerank=True)
        chosen = test.respond(outputs[RERANKED], answers)
        reranked = summarise_reranked(rerank, responses, chosen)
    in_phrases = {
        kind: measure_phrases(tuned, test.first(phrasing_lines, singles), by_name, answers, kind,
                              batch_size)
        for kind, by_name in phrases.items()
    }  # fmt: skip

    base_jobs = [job for job in [*plain_jobs, *test.jobs(cases)] if not job[1]]
    base_answers = ask(base, base_jobs, BASE, batch_size)
    outputs = {BASE: test.outputs(base_answers, cases, plain=True), **outputs}
    of_base = test.respond({n: outputs[BASE][n] for n in singles}, base_answers)
    systems = {BASE: base_answers, TUNED: answers}
    mixed_names = [f"mixed {weight}" for weight in mixed or ()]
    by_weight: Dict[str, Dict[Names, Response]] = {}
    cut = test.first(mixed_lines, singles)  # of all weights the same lines
    if mixed:
        by_weight["0"] = cut.respond(cut.outputs(base_answers, singles, plain=True), base_answers)
    for weight, system in (mixed or {}).items():
        found = ask(system, [*plain_jobs, *cut.jobs(singles)], f"weight {weight}", batch_size)
        systems[f"mixed {weight}"] = found
        by_weight[weight] = cut.respond(cut.outputs(found, singles), found)
    if mixed:
        by_weight["1"] = cut.respond(cut.outputs(answers, singles), answers)

    plain = {name: [found[job][0] for job in plain_jobs] for name, found in systems.items()}
    quality: Dict[str, Dict[str, float]] = {}
    for name, texts in plain.items():
        quality[name], signatures = measure(Translations(texts, references, target_language))
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
        **summarise_singles(of_base, {names: responses[names] for names in singles}),
        axes={i.name: i.axis for i in tuned.inventory if (i.name,) in test.lines},
        pairs=summarise_compositions("by_pair", chosen_pairs, responses),
        triples=summarise_compositions("by_triple", chosen_triples, responses),
        reranked=reranked,
        phrasings=summarise_phrasings(in_phrases, phrases),
        **{score: {s: figures[score] for s, figures in quality.items()} for score in quality[BASE]},
        signatures=signatures,
        significance=paired_significance(plain, references, target_language, seed=seed),
        interpolation={
            weight: {**means(rows.values()), **quality[system]}
            for (weight, rows), system in zip(by_weight.items(), [BASE, *mixed_names, TUNED])
        },
        samples=sample_cases(test, outputs, singles, compositions, samples, seed),
    )


def check_roles(base: System, tuned: System) -> None:
    """Refuse a base model that was trained with instructions that the tuned one never saw."""
    n_base, n_tuned = (getattr(system, "n_learned", None) for system in (base, tuned))
    if n_base is not None and n_tuned is not None and n_base > n_tuned:
        more = ", ".join(base.inventory.names[n_tuned:n_base])
        raise InputError(
            f"--base was trained with instructions that --tuned was not: {more}; give the base "
            "model to --base and the tuned one to --tuned"
        )


# -- what is asked --------------------------------------------------------------------------


def choose_singles(
    test: Cases, tuned: System, labelled: Sequence[Labelled], limit: int
) -> List[str]:
    """Add the lines of every instruction, by rule and by label; gives why others have none."""
    by_label: Dict[Names, List[Line]] = {}
    for each in labelled:
        check_aligned(**each._asdict())
        for source, reference, label in zip(*each):
            asked = [split(word) for word in parse_line(label)]
            argument = asked[0].argument if len(asked) == 1 else None
            line = Line(source, reference, reference, argument)
            by_label.setdefault(tuple(each.name for each in asked), []).append(line)
    left_out = []
    n_learned = getattr(tuned, "n_learned", len(tuned.inventory))
    for position, instruction in enumerate(tuned.inventory):
        names, known, reason = (instruction.name,), find(instruction.name), ""
        if position >= n_learned and instruction.axis != TARGET_LANGUAGE:
            reason = "not trained"
        elif known is None or known.obeys is None:
            reason = "no verifier"
        elif not known.serves(test.language):
            reason = f"not for {test.language}"
        else:
            has_rule = known.rewrite is not None and known.argument is None
            ruled = test.by_rule(names, limit) if has_rule else []
            labelled_lines = by_label.get(names, [])
            for line in labelled_lines:
                check_argument(known, line.argument)
            if not test.add(names, [*ruled, *labelled_lines]):
                reason = "changes no line" if has_rule else "no labelled lines"
        if reason:
            left_out.append(f"{instruction.name} ({reason})")
    return left_out


def compose_cases(
    test: Cases, singles: Sequence[Names], size: int, how_many: Union[int, str], seed: int,
    limit: int,
) -> Tuple[List[Names], int]:  # fmt: skip
    """Add compositions whose rules all apply to some line; gives them, and how many are valid."""
    if how_many != ALL and not str(how_many).isdigit():
        raise InputError(f"--pairs {how_many!r} is not accepted: give '{ALL}' or a number")
    by_rule = [name for (name,) in singles if look_up(name).rewrite]
    valid = [
        names
        for names in itertools.combinations(by_rule, size)
        if excluding([look_up(name) for name in names]) is None
    ]
    drawn = random.Random(seed).sample(valid, len(valid))
    applying = (names for names in drawn if test.add(names, test.by_rule(names, limit)))
    most = None if how_many == ALL else int(how_many)
    return sorted(itertools.islice(applying, most)), len(valid)


def measure_phrases(
    tuned: System, test: Cases, phrases: Phrases, answers: Answers, title: str, batch_size: int
) -> Dict[str, Response]:
    """Ask for single instructions by their phrases, in turn from line to line."""
    jobs = {}
    for names, lines in test.lines.items():
        said = phrases.get(names[0], ())
        if said:
            jobs[names] = [
                (line.source, line.under((said[i % len(said)],))) for i, line in enumerate(lines)
            ]
    found = ask(tuned, [job for own in jobs.values() for job in own], title, batch_size)
    under = {names: [found[job][0] for job in own] for names, own in jobs.items()}
    return {names[0]: response for names, response in test.respond(under, answers).items()}


# -- what is reported -----------------------------------------------------------------------


def means(responses: Iterable[Response]) -> Dict[str, Optional[float]]:
    """Means of response rate and adequacy; None without any response."""
    rows = list(responses)
    return {
        "response_rate": _mean(r.rate for r in rows),
        "adequacy": _mean(r.adequacy for r in rows),
    }


def _mean(values: Iterable[float]) -> Optional[float]:
    found = list(values)
    return round(mean(found), 4) if found else None


def summarise_singles(
    base: Mapping[Names, Response], tuned: Mapping[Names, Response]
) -> Dict[str, Any]:
    """Response rate and adequacy by instruction."""
    adequacy = {names[0]: round(r.adequacy, 4) for names, r in tuned.items()}
    return {
        "response_rate": {
            "mean": _mean(r.rate for r in tuned.values()),
            "base_mean": _mean(r.rate for r in base.values()),
            "by_instruction": {names[0]: round(r.rate, 4) for names, r in tuned.items()},
            "base_by_instruction": {names[0]: round(r.rate, 4) for names, r in base.items()},
        },
        "adequacy": {
            "mean": _mean(r.adequacy for r in tuned.values()),
            "min": min(adequacy.values()),
            "by_instruction": adequacy,
        },
        "responses": {BASE: _each(base), TUNED: _each(tuned)},
    }


def summarise_compositions(
    key: str, cases: Sequence[Names], responses: Mapping[Names, Response]
) -> Dict[str, Any]:
    """Pairs or triples: the mean share that obeys all, adequacy, and each under a key."""
    rows = {names: responses[names] for names in cases}
    return {
        "count": len(rows),
        "mean": _mean(r.rate for r in rows.values()),
        "adequacy": _mean(r.adequacy for r in rows.values()),
        "chrf2": _mean(r.chrf2 for r in rows.values()),
        key: _each(rows),
    }


def summarise_reranked(
    n_best: int, best: Mapping[Names, Response], reranked: Mapping[Names, Response]
) -> Dict[str, Any]:
    """Means of what verifiers choose, and in `best` of what beam search puts first."""

    def over(responses: Mapping[Names, Response]) -> Dict[str, Optional[float]]:
        singles, pairs, triples = (
            [r for names, r in responses.items() if len(names) == size] for size in (1, 2, 3)
        )
        return {
            **means(singles),
            "chrf2": _mean(r.chrf2 for r in singles),
            "pairs": _mean(r.rate for r in pairs),
            "triples": _mean(r.rate for r in triples),
        }

    singles: Dict[Names, Response] = {n: r for n, r in reranked.items() if len(n) == 1}
    return {
        "n_best": n_best, **over(reranked), "best": over(best), "by_instruction": _each(singles)
    }  # fmt: skip


def _each(responses: Mapping[Names, Response]) -> Dict[str, dict]:
    return {JOINT.join(names): response.to_dict() for names, response in responses.items()}


def sample_cases(
    test: Cases, outputs: Mapping[str, Outputs], singles: Sequence[Names],
    compositions: Sequence[Names], n: int, seed: int,
) -> List[dict]:  # fmt: skip
    """Up to `n` random lines of every single instruction, and one of a few compositions.

    A case's lines don't depend on the other cases.
    """
    if not n:
        return []
    few = [compositions[i] for i in choose_lines(len(compositions), N_COMPOSITIONS, str(seed))]
    samples = []
    for names, limit in [*((names, n) for names in singles), *((names, 1) for names in few)]:
        instructions = [look_up(name) for name in names]

        def mark(output: str, i: int, instructions=instructions, names=names) -> Dict[str, bool]:
            return verify(instructions, output, test.lines[names][i].context(test.language))

        lines = [(line.source, line.reference) for line in test.lines[names]]
        found = {system: by_case[names] for system, by_case in outputs.items()}
        samples += draw_samples(JOINT.join(names), lines, found, mark, limit, f"{seed} {names}")
    return samples
