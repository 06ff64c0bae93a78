"""The report on instructions, base against tuned: `report.json`, `report.md`, and plots."""

from __future__ import annotations

from statistics import mean
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from fairseq_instr.evaluation.instructions import JOINT
from fairseq_instr.evaluation.response import Response
from fairseq_instr.evaluation.samples import sample_sections
from fairseq_instr.reports.presentation import (
    Block,
    Cell,
    Emphasis,
    Paragraph,
    Plot,
    Section,
    Strong,
    Table,
    Value,
    as_markdown,
    conditions_section,
    signatures_paragraph,
    write_files,
)

RESPONSE_PLOT, PAIRS_PLOT, MIXED_PLOT = "response.png", "pairs.png", "interpolation.png"


def summarise(
    command: str,
    conditions: Mapping[str, object],
    axes: Mapping[str, str],
    base: Mapping[str, Response],
    tuned: Mapping[str, Response],
    quality: Mapping[str, dict],
    significance: Mapping[str, Mapping[str, dict]],
    pairs: Mapping[str, Response],
    mixed: Mapping[str, dict],
    examples: Mapping[str, Mapping[str, str]],
    triples: Optional[Mapping[str, Response]] = None,
    order: Optional[Mapping[str, object]] = None,
    reranked: Optional[Mapping[str, object]] = None,
    phrasings: Optional[Mapping[str, object]] = None,
    samples: Sequence[Mapping[str, object]] = (),
) -> dict:
    """The content of `report.json`.

    Args:
        command: what made the report.
        conditions: decoding, number of lines and so on, to be shown.
        axes: instruction -> axis.
        base: instruction -> response of the base model's plain translations.
        tuned: instruction -> response of the tuned model.
        quality: system -> `measure_quality` of plain translations.
        significance: of plain translations, base against the others.
        pairs: `a + b` -> response of the tuned model to both.
        mixed: weight of the tuned model -> `{"response_rate", "chrf2", "bleu"}`.
        examples: instruction -> `{"source", "base", "tuned"}`, one line each.
        triples: `a + b + c` -> response of the tuned model to all three.
        order: see `compositions.measure_order`.
        reranked: see `compositions.summarise_reranked`.
        phrasings: see `phrasings.summarise_phrasings`.
        samples: see `samples.sample_instructed`.

    Returns:
        Plain lists, dicts, numbers and strings; rates in 0..1, scores in 0..100. What is by
        instruction is one number each; `responses` has all that is known of each.
    """
    return {
        "command": command,
        "conditions": dict(conditions),
        "response_rate": {
            "mean": _mean(r.rate for r in tuned.values()),
            "base_mean": _mean(r.rate for r in base.values()),
            "by_instruction": {name: round(r.rate, 4) for name, r in tuned.items()},
            "base_by_instruction": {name: round(base[name].rate, 4) for name in tuned},
        },
        "adequacy": {
            "mean": _mean(r.adequacy for r in tuned.values()),
            "min": round(min(r.adequacy for r in tuned.values()), 4),
            "by_instruction": {name: round(r.adequacy, 4) for name, r in tuned.items()},
        },
        "axes": {name: axes[name] for name in tuned},
        "responses": {
            "base": {name: base[name].to_dict() for name in tuned},
            "tuned": {name: r.to_dict() for name, r in tuned.items()},
        },
        "pairs": {
            "count": len(pairs),
            "both_obeyed": _mean_or_none(r.rate for r in pairs.values()),
            **_summarise_compositions(pairs),
            "by_pair": {name: r.to_dict() for name, r in pairs.items()},
        },
        "triples": {
            "count": len(triples or {}),
            **_summarise_compositions(triples or {}),
            "by_triple": {name: r.to_dict() for name, r in (triples or {}).items()},
        },
        "order": dict(order or {"lines": 0, "identical": None}),
        "reranked": dict(reranked or {}),
        "phrasings": dict(phrasings or {}),
        "chrf2": {system: scores["chrf2"] for system, scores in quality.items()},
        "bleu": {system: scores["bleu"] for system, scores in quality.items()},
        "signatures": next(iter(quality.values()))["signatures"],
        "significance": {metric: dict(scores) for metric, scores in significance.items()},
        "interpolation": dict(mixed),
        "examples": {name: dict(example) for name, example in examples.items()},
        "samples": [dict(sample) for sample in samples],
    }


def _mean(values) -> float:
    return round(mean(values), 4)


def _mean_or_none(values) -> Optional[float]:
    found = list(values)
    return _mean(found) if found else None


def _summarise_compositions(responses: Mapping[str, Response]) -> Dict[str, Optional[float]]:
    """Means over the compositions: share that obeys all, adequacy, chrF2."""
    rows = list(responses.values())
    return {
        "mean": _mean_or_none(r.rate for r in rows),
        "adequacy": _mean_or_none(r.adequacy for r in rows),
        "chrf2": _mean_or_none(r.chrf2 for r in rows),
    }


def write_report(report: dict, folder, force: bool = False) -> None:
    """Write `report.json`, `report.md` and the plots.

    Raises:
        InputError: if one of the two exists and `force` is not set; nothing is written then.
    """
    write_files(report, describe(report), folder, force)


# -- for reading ----------------------------------------------------------------------------


def to_markdown(report: dict) -> str:
    """The report for reading, as Markdown."""
    return as_markdown(describe(report))


def describe(report: dict) -> List[Section]:
    """The report for reading: what is compared, then instruction by instruction."""
    rate, adequacy = report["response_rate"], report["adequacy"]
    sections = [
        Section(
            "Base against tuned",
            [
                Paragraph(
                    "Both models translate the same lines. The base model was never told about "
                    "instructions, so its rate is what chance gives; the tuned model is asked "
                    "for one instruction at a time. ",
                    Emphasis("Obeyed"),
                    " is the share of outputs that the instruction's verifier accepts, with its "
                    "95 % interval; ",
                    Emphasis("adequacy"),
                    " is chrF2 against the reference under that instruction, as a share of the "
                    "same model's plain chrF2: near 1, what obeys is as good a translation as "
                    "ever.",
                ),
                _response_table(report),
                Paragraph(
                    f"Mean over {len(rate['by_instruction'])} instructions: obeyed ",
                    Strong(f"{rate['mean']:.1%}"),
                    f" (base {rate['base_mean']:.1%}), adequacy ",
                    Strong(f"{adequacy['mean']:.2f}"),
                    f" (lowest {adequacy['min']:.2f}).",
                ),
                Plot(
                    "Obeyed and adequacy by instruction",
                    RESPONSE_PLOT,
                    _plot_response,
                    only_file=True,
                ),  # fmt: skip
            ],
            level=1,
        ),
        Section("Plain translation", [_quality_table(report), signatures_paragraph(report)]),
    ]
    if report["pairs"]["by_pair"]:
        sections.append(Section("Two instructions at once", _describe_pairs(report["pairs"])))
    if report.get("triples", {}).get("by_triple"):
        sections.append(Section("Three instructions at once", _describe_triples(report["triples"])))
    if report.get("order", {}).get("lines"):
        sections.append(Section("The order of instructions", [_describe_order(report["order"])]))
    if report.get("reranked"):
        sections.append(Section("Verified reranking", _describe_reranked(report)))
    if report.get("phrasings"):
        sections.append(
            Section("Asked for in other words", describe_phrasings(report["phrasings"]))
        )
    if report["interpolation"]:
        sections.append(
            Section(
                "Between base and tuned",
                [
                    _interpolation_table(report["interpolation"]),
                    Plot(
                        "Share that obeys and plain chrF2, by the weight of the tuned model",
                        MIXED_PLOT, _plot_interpolation,
                    ),
                ],
            )
        )  # fmt: skip
    if report.get("samples"):
        sections += sample_sections(report["samples"])
    else:
        sections.append(Section("Examples", [_examples(report["examples"])]))
    return [*sections, conditions_section(report)]


def _response_table(report: dict) -> Table:
    rows: List[List[Value]] = []
    for name, tuned in report["responses"]["tuned"].items():
        base = report["responses"]["base"][name]
        interval = f"{tuned['rate']:.1%} ({tuned['low']:.1%} to {tuned['high']:.1%})"
        rows.append(
            [
                name,
                report["axes"][name],
                tuned["lines"],
                f"{base['rate']:.1%}",
                Cell(interval, bar=(tuned["rate"], tuned["low"], tuned["high"])),
                f"{tuned['adequacy']:.2f}",
            ]
        )
    header = ["instruction", "axis", "lines", "base", "tuned obeyed", "adequacy"]
    return Table("Every instruction by itself", header, rows)


def _quality_table(report: dict) -> Table:
    rows: List[List[Value]] = []
    for system in report["chrf2"]:
        p_values = [
            report["significance"].get(metric, {}).get(system, {}).get("p_value")
            for metric in ("BLEU", "chrF2")
        ]
        shown = ["–" if p is None else f"{p:.3f}" for p in p_values]
        rows.append([system, report["bleu"][system], shown[0], report["chrf2"][system], shown[1]])
    header = ["system", "BLEU", "p against base", "chrF2", "p against base"]
    return Table("Quality without any instruction", header, rows)


def _describe_pairs(pairs: dict) -> List[Block]:
    header, grid = _grid(pairs["by_pair"])
    return [
        Paragraph(
            f"The model saw single instructions only. Over all {pairs['count']} pairs that were "
            "tried, ",
            Strong(f"{pairs['both_obeyed']:.1%}"),
            " of the outputs obey both, at a mean adequacy of "
            f"{pairs['adequacy']:.2f}. The pairs that are obeyed least:",
        ),
        _least_obeyed(pairs["by_pair"], "both obeyed", "pair", 8),
        Table(
            "Percentage of outputs that obey both",
            header,
            grid,
            upright=True,
            plot=Plot("Both obeyed, by pair", PAIRS_PLOT, _plot_pairs),
        ),
    ]


def _describe_triples(triples: dict) -> List[Block]:
    return [
        Paragraph(
            f"{triples['count']} triples of instructions, a random sample as the conditions "
            "state: ",
            Strong(f"{triples['mean']:.1%}"),
            " of the outputs obey all three, at a mean adequacy of "
            f"{triples['adequacy']:.2f} and a mean chrF2 of {triples['chrf2']:.1f} against the "
            "reference under all three.",
        ),
        _least_obeyed(triples["by_triple"], "all obeyed", "triple"),
    ]


def _least_obeyed(
    responses: Mapping[str, dict], heading: str, what: str, most: Optional[int] = None
) -> Table:
    worst = sorted(responses.items(), key=lambda item: item[1]["rate"])[:most]
    rows: List[List[Value]] = [
        [
            name,
            r["lines"],
            Cell(f"{r['rate']:.1%}", bar=(r["rate"], r["low"], r["high"])),
            f"{r['adequacy']:.2f}",
            f"{r['chrf2']:.1f}",
        ]
        for name, r in worst
    ]
    caption = f"Every {what} measured" if most is None else f"The {len(rows)} {what}s obeyed least"
    return Table(caption, [what, "lines", heading, "adequacy", "chrF2"], rows)


def _describe_order(order: Mapping[str, float]) -> Paragraph:
    return Paragraph(
        f"{order['lines']} lines were translated again, with the same instructions named in "
        "another order: ",
        Strong(f"{order['identical']:.1%}"),
        " of the outputs stay the same, letter for letter.",
    )


def _describe_reranked(report: dict) -> List[Block]:
    reranked = report["reranked"]
    rows: List[List[Value]] = [
        [
            title,
            *(_percent(scores.get(name)) for name in ("response_rate", "pairs", "triples")),
            f"{scores['adequacy']:.2f}",
            f"{scores['chrf2']:.2f}",
        ]
        for title, scores in (("best hypothesis", reranked["best"]), ("reranked", reranked))
    ]
    return [
        Paragraph(
            f"Of the {reranked['n_best']} best hypotheses of each line, the first that all "
            "verifiers accept is taken, or else the best. The verifiers choose and judge: chrF2, "
            "the mean over the instructions against the references under them, says what that "
            "costs.",
        ),
        Table(
            "Beam search and verified reranking of its hypotheses",
            ["tuned model", "obeyed", "both of a pair", "all of a triple", "adequacy", "chrF2"],
            rows,
        ),
    ]


def describe_phrasings(phrasings: dict) -> List[Block]:
    """Trained and unseen phrases side by side; see `phrasings.summarise_phrasings`."""
    kinds = list(phrasings["adequacy"])
    rows: List[List[Value]] = []
    for name, responses in phrasings["by_instruction"].items():
        row: List[Value] = [name, responses[kinds[0]]["lines"]]
        for kind in kinds:
            r = responses[kind]
            row.append(Cell(f"{r['rate']:.1%}", bar=(r["rate"], r["low"], r["high"])))
            row.append(f"{r['adequacy']:.2f}")
        rows.append(row)
    means = ", ".join(
        f"{phrasings[kind]:.1%} under {kind} phrases (adequacy {phrasings['adequacy'][kind]:.2f})"
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
            [
                "instruction",
                "lines",
                *(h for kind in kinds for h in (f"{kind} obeyed", "adequacy")),
            ],
            rows,
        ),
    ]


def _percent(share: Optional[float]) -> str:
    return "–" if share is None else f"{share:.1%}"


def _interpolation_table(mixed: Mapping[str, dict]) -> Table:
    rows = [
        [weight, f"{m['response_rate']:.1%}", f"{m['adequacy']:.2f}", m["chrf2"], m["bleu"]]
        for weight, m in mixed.items()
    ]
    header = ["weight of tuned", "mean obeyed", "mean adequacy", "chrF2", "BLEU"]
    return Table("Interpolations of base and tuned", header, rows)


def _examples(examples: Mapping[str, Mapping[str, str]]) -> Table:
    rows = [[name, e["source"], e["base"], e["tuned"]] for name, e in examples.items()]
    return Table("One line of each", ["instruction", "source", "base", "tuned"], rows)


def _grid(pairs: Mapping[str, dict]) -> Tuple[List[str], List[List[Value]]]:
    """Header and rows of the pairs as a square, percentages."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair.split(JOINT)))
    rates = {tuple(pair.split(JOINT)): response["rate"] for pair, response in pairs.items()}
    rows: List[List[Value]] = []
    for row in names:
        found = [rates.get((row, column), rates.get((column, row))) for column in names]
        shown = ["" if rate is None else Cell(f"{100 * rate:.0f}", heat=rate) for rate in found]
        rows.append([row, *shown])
    return ["", *names], rows


# -- plots ----------------------------------------------------------------------------------


def _plot_response(pyplot, report: dict):
    responses = report["responses"]
    names = list(responses["tuned"])
    tuned = list(responses["tuned"].values())
    places = range(len(names))
    figure, axes = pyplot.subplots(figsize=(8, 0.32 * len(names) + 1.2))
    spread = [
        [max(0.0, t["rate"] - t["low"]) for t in tuned],
        [max(0.0, t["high"] - t["rate"]) for t in tuned],
    ]
    axes.barh(places, [t["rate"] for t in tuned], 0.7, xerr=spread, color="#4477aa", label="tuned")
    axes.barh(places, [responses["base"][n]["rate"] for n in names], 0.35, color="#ccbb44",
              label="base")  # fmt: skip
    axes.plot([t["adequacy"] for t in tuned], places, "D", color="#aa3377", label="adequacy")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 0.05 + max([1.0, *(t["adequacy"] for t in tuned)]))
    axes.set_xlabel("share of outputs that obey; adequacy")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False)
    return figure


def _plot_pairs(pyplot, report: dict):
    pairs: Dict[str, dict] = report["pairs"]["by_pair"]
    names = list(dict.fromkeys(name for pair in pairs for name in pair.split(JOINT)))
    grid = [[float("nan")] * len(names) for _ in names]
    for pair, response in pairs.items():
        first, second = (names.index(name) for name in pair.split(JOINT))
        grid[first][second] = grid[second][first] = response["rate"]
    size = 0.4 * len(names) + 2
    figure, axes = pyplot.subplots(figsize=(size, size))
    image = axes.imshow(grid, vmin=0, vmax=1, cmap="viridis")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    figure.colorbar(image, label="share of outputs that obey both", shrink=0.7)
    return figure


def _plot_interpolation(pyplot, report: dict):
    mixed = report["interpolation"]
    weights = [float(weight) for weight in mixed]
    figure, left = pyplot.subplots(figsize=(4.4, 3))
    left.plot(weights, [m["response_rate"] for m in mixed.values()], "o-", color="#4477aa")
    left.set_xlabel("weight of the tuned model")
    left.set_ylabel("mean share that obeys", color="#4477aa")
    left.set_ylim(0, 1.02)
    right = left.twinx()
    right.plot(weights, [m["chrf2"] for m in mixed.values()], "s--", color="#aa3377")
    right.set_ylabel("plain chrF2", color="#aa3377")
    return figure
