"""The report on instructions, base against tuned, for reading."""

from __future__ import annotations

import functools
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from fairseq_instr.evaluation.metrics import all_scores
from fairseq_instr.evaluation.report import JOINT
from fairseq_instr.reports.parts import (
    NONE,
    Block,
    Emphasis,
    Paragraph,
    Plot,
    Section,
    Strong,
    Table,
    Value,
    columns,
    heat,
    last_sections,
    number,
    percent,
    rate,
)

Report = Mapping[str, Any]
Responses = Mapping[str, Mapping[str, Any]]


def describe(report: Report) -> List[Section]:
    """The report for reading: what is compared, then instruction by instruction."""
    sections = [
        Section("Base against tuned", _describe_singles(report), level=1),
        Section("Plain translation", [_quality_table(report)]),
    ]
    for title, blocks in (
        ("Two instructions at once", _describe_pairs(report["pairs"])),
        ("Three instructions at once", _describe_triples(report["triples"])),
        ("Verified reranking", _describe_reranked(report["reranked"])),
        ("Asked for in other words", describe_phrasings(report["phrasings"])),
        ("Between base and tuned", _describe_interpolation(report["interpolation"])),
    ):
        if blocks:
            sections.append(Section(title, blocks))
    if report["examples"] and not report["samples"]:  # of version 1
        keys = ("source", "base", "tuned")
        rows = [[n, *(e[key] or "" for key in keys)] for n, e in report["examples"].items()]
        table = Table("One line of each", ["instruction", *keys], rows)
        sections.append(Section("Examples", [table]))
    return [*sections, *last_sections(report)]


def _describe_singles(report: Report) -> List[Block]:
    rates, adequacy = report["response_rate"], report["adequacy"]
    responses = report["responses"]
    rows: List[List[Value]] = [
        [
            name,
            report["axes"].get(name) or NONE,
            number(tuned["lines"], 0),
            percent(responses["base"].get(name, {}).get("rate")),
            rate(tuned, with_interval=True),
            number(tuned["adequacy"]),
        ]
        for name, tuned in responses["tuned"].items()
    ]
    return [
        Paragraph(
            "Both models translate the same lines. The base model was never told about "
            "instructions, so its rate is what chance gives; the tuned model is asked for one "
            "instruction at a time. ",
            Emphasis("Obeyed"),
            " is the share of outputs that the instruction's verifier accepts, with its 95 % "
            "interval. ",
            Emphasis("Adequacy"),
            " is chrF2 against the reference under that instruction, without what the instruction "
            "puts around the sentence, as a share of the same model's plain chrF2: near 1, what "
            "obeys is as good a translation as ever.",
        ),
        Table(
            "Every instruction by itself",
            ["instruction", "axis", "lines", "base", "tuned obeyed", "adequacy"],
            rows,
        ),
        Paragraph(
            f"Mean over {len(rates['by_instruction'])} instructions: obeyed ",
            Strong(percent(rates["mean"])),
            f" (base {percent(rates['base_mean'])}), adequacy ",
            Strong(number(adequacy["mean"])),
            f" (lowest {number(adequacy['min'])}).",
        ),
        Plot(
            "Obeyed and adequacy by instruction",
            "response.png",
            functools.partial(_plot_response, responses),
            only_file=True,
        ),
    ]


def _quality_table(report: Report) -> Table:
    by_score = {score.name: report.get(score.name) or {} for score in all_scores()}
    systems = list(dict.fromkeys(system for found in by_score.values() for system in found))
    figures = {s: {name: found.get(s) for name, found in by_score.items()} for s in systems}
    header = ["system"]
    rows: List[List[Value]] = [[system] for system in systems]
    for score in columns(all_scores(), figures.values()):
        tested = report["significance"].get(score.title)
        header += [score.title, "p against base"] if tested else [score.title]
        for system, row in zip(systems, rows):
            row.append(number(figures[system][score.name], score.decimals))
            if tested:
                row.append(number(tested.get(system, {}).get("p_value"), 3))
    return Table("Quality without any instruction", header, rows)


def _describe_pairs(pairs: Mapping[str, Any]) -> List[Block]:
    if not pairs["by_pair"]:
        return []
    names, rates = _square(pairs["by_pair"])
    rows: List[List[Value]] = [
        [name, *("" if share is None else heat(share, 0) for share in row)]
        for name, row in zip(names, rates)
    ]
    return [
        Paragraph(
            f"Over all {number(pairs['count'], 0)} pairs that were tried, ",
            Strong(percent(pairs["mean"])),
            " of the outputs obey both, at a mean adequacy of "
            f"{number(pairs['adequacy'])}. The pairs that are obeyed least:",
        ),
        _least_obeyed(pairs["by_pair"], "both obeyed", "pair", 8),
        Table(
            "Percentage of outputs that obey both",
            ["", *names],
            rows,
            upright=True,
            plot=Plot(
                "Both obeyed, by pair",
                "pairs.png",
                functools.partial(_plot_pairs, pairs["by_pair"]),
            ),
        ),
    ]


def _describe_triples(triples: Mapping[str, Any]) -> List[Block]:
    if not triples["by_triple"]:
        return []
    return [
        Paragraph(
            f"{number(triples['count'], 0)} triples of instructions, a random sample as the "
            "conditions state: ",
            Strong(percent(triples["mean"])),
            " of the outputs obey all three, at a mean adequacy of "
            f"{number(triples['adequacy'])} and a mean chrF2 of {number(triples['chrf2'], 1)} "
            "against the reference under all three.",
        ),
        _least_obeyed(triples["by_triple"], "all obeyed", "triple"),
    ]


def _least_obeyed(
    responses: Responses, heading: str, what: str, most: Optional[int] = None
) -> Table:
    worst = sorted(responses.items(), key=lambda item: item[1]["rate"] or 0)[:most]
    rows: List[List[Value]] = [
        [name, number(r["lines"], 0), rate(r), number(r["adequacy"]), number(r["chrf2"], 1)]
        for name, r in worst
    ]
    caption = f"Every {what} measured" if most is None else f"The {len(rows)} {what}s obeyed least"
    return Table(caption, [what, "lines", heading, "adequacy", "chrF2"], rows)


def _describe_reranked(reranked: Mapping[str, Any]) -> List[Block]:
    if reranked["response_rate"] is None:
        return []
    rows: List[List[Value]] = [
        [
            title,
            *(percent(scores[name]) for name in ("response_rate", "pairs", "triples")),
            number(scores["adequacy"]),
            number(scores["chrf2"]),
        ]
        for title, scores in (("best hypothesis", reranked["best"]), ("reranked", reranked))
    ]
    return [
        Paragraph(
            f"Of the {number(reranked['n_best'], 0)} best hypotheses of each line, the first that "
            "all verifiers accept is taken, or else the best. The verifiers choose and judge: "
            "chrF2, the mean over the instructions against the references under them, says what "
            "that costs.",
        ),
        Table(
            "Beam search and verified reranking of its hypotheses",
            ["tuned model", "obeyed", "both of a pair", "all of a triple", "adequacy", "chrF2"],
            rows,
        ),
    ]


def describe_phrasings(phrasings: Mapping[str, Any]) -> List[Block]:
    """Trained and unseen phrases side by side; see `evaluation.phrasings`."""
    kinds = [kind for kind, found in phrasings["adequacy"].items() if found is not None]
    if not kinds:
        return []
    rows: List[List[Value]] = []
    for name, by_kind in phrasings["by_instruction"].items():
        shown = [by_kind[kind] for kind in kinds]
        figures = [figure for r in shown for figure in (rate(r), number(r["adequacy"]))]
        rows.append([name, number(shown[0]["lines"], 0), *figures])
    means = ", ".join(
        f"{percent(phrasings[kind])} under {kind} phrases "
        f"(adequacy {number(phrasings['adequacy'][kind])})"
        for kind in kinds
    )
    return [
        Paragraph(
            "The same instructions by their phrases, in turn from line to line: those that "
            "training drew from (trained), and those that it never saw (unseen). Mean over "
            f"{len(rows)} instructions: obeyed ",
            Strong(means),
            ".",
        ),
        Table(
            "Every instruction by its phrases",
            ["instruction", "lines", *(h for k in kinds for h in (f"{k} obeyed", "adequacy"))],
            rows,
        ),
    ]


def _describe_interpolation(mixed: Responses) -> List[Block]:
    if not mixed:
        return []
    shown = columns(all_scores(), mixed.values())
    rows: List[List[Value]] = [
        [
            weight,
            percent(found["response_rate"]),
            number(found["adequacy"]),
            *(number(found.get(s.name), s.decimals) for s in shown),
        ]
        for weight, found in mixed.items()
    ]
    header = ["weight of tuned", "mean obeyed", "mean adequacy", *(s.title for s in shown)]
    return [
        Table("Interpolations of base and tuned", header, rows),
        Plot(
            "Share that obeys and plain chrF2, by the weight of the tuned model",
            "interpolation.png",
            functools.partial(_plot_interpolation, mixed),
        ),
    ]


def _square(pairs: Responses) -> Tuple[List[str], List[List[Optional[float]]]]:
    """Names, and the rates of each with each; None where two are no pair."""
    by_pair = {tuple(pair.split(JOINT)): response["rate"] for pair, response in pairs.items()}
    names = list(dict.fromkeys(name for pair in by_pair for name in pair))
    return names, [[by_pair.get((a, b), by_pair.get((b, a))) for b in names] for a in names]


# -- plots ----------------------------------------------------------------------------------


def _values(responses: Sequence[Mapping[str, Any]], key: str) -> List[float]:
    return [float("nan") if r.get(key) is None else r[key] for r in responses]


def _plot_response(responses: Mapping[str, Responses], pyplot):
    names, tuned = list(responses["tuned"]), list(responses["tuned"].values())
    places = range(len(names))
    rates, adequacy = _values(tuned, "rate"), _values(tuned, "adequacy")
    figure, axes = pyplot.subplots(figsize=(8, 0.32 * len(names) + 1.2))
    spread = [
        [max(0.0, share - low) for share, low in zip(rates, _values(tuned, "low"))],
        [max(0.0, high - share) for share, high in zip(rates, _values(tuned, "high"))],
    ]
    axes.barh(places, rates, 0.7, xerr=spread, color="#4477aa", label="tuned")
    base = _values([responses["base"].get(name, {}) for name in names], "rate")
    axes.barh(places, base, 0.35, color="#ccbb44", label="base")
    axes.plot(adequacy, places, "D", color="#aa3377", label="adequacy")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 0.05 + max([1.0, *(value for value in adequacy if value == value)]))
    axes.set_xlabel("share of outputs that obey; adequacy")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False)
    return figure


def _plot_pairs(pairs: Responses, pyplot):
    names, rates = _square(pairs)
    grid = [[float("nan") if share is None else share for share in row] for row in rates]
    size = 0.4 * len(names) + 2
    figure, axes = pyplot.subplots(figsize=(size, size))
    image = axes.imshow(grid, vmin=0, vmax=1, cmap="viridis")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    figure.colorbar(image, label="share of outputs that obey both", shrink=0.7)
    return figure


def _plot_interpolation(mixed: Responses, pyplot):
    weights = [float(weight) for weight in mixed]
    figure, left = pyplot.subplots(figsize=(4.4, 3))
    left.plot(weights, _values(list(mixed.values()), "response_rate"), "o-", color="#4477aa")
    left.set_xlabel("weight of the tuned model")
    left.set_ylabel("mean share that obeys", color="#4477aa")
    left.set_ylim(0, 1.02)
    right = left.twinx()
    right.plot(weights, _values(list(mixed.values()), "chrf2"), "s--", color="#aa3377")
    right.set_ylabel("plain chrF2", color="#aa3377")
    return figure
