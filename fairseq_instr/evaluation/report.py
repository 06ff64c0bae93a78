"""The report on instructions, base against tuned: `report.json`, `report.md`, and plots."""

from __future__ import annotations

from statistics import mean
from typing import Dict, Mapping, Sequence

from fairseq_instr.evaluation.presentation import conditions_list, table, write_files
from fairseq_instr.evaluation.response import Response

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
            "both_obeyed": _mean(r.rate for r in pairs.values()) if pairs else None,
            "adequacy": _mean(r.adequacy for r in pairs.values()) if pairs else None,
            "by_pair": {name: r.to_dict() for name, r in pairs.items()},
        },
        "chrf2": {system: scores["chrf2"] for system, scores in quality.items()},
        "bleu": {system: scores["bleu"] for system, scores in quality.items()},
        "signatures": next(iter(quality.values()))["signatures"],
        "significance": {metric: dict(scores) for metric, scores in significance.items()},
        "interpolation": dict(mixed),
        "examples": {name: dict(example) for name, example in examples.items()},
    }


def _mean(values) -> float:
    return round(mean(values), 4)


def write_report(report: dict, folder, force: bool = False) -> None:
    """Write `report.json`, `report.md` and the plots.

    Raises:
        InputError: if one of the two exists and `force` is not set; nothing is written then.
    """
    plots = {RESPONSE_PLOT: _plot_response}
    if report["pairs"]["by_pair"]:
        plots[PAIRS_PLOT] = _plot_pairs
    if report["interpolation"]:
        plots[MIXED_PLOT] = _plot_interpolation
    write_files(report, to_markdown(report), plots, folder, force)


# -- Markdown -------------------------------------------------------------------------------


def to_markdown(report: dict) -> str:
    """The report for reading: what is compared, then instruction by instruction."""
    rate, adequacy = report["response_rate"], report["adequacy"]
    parts = [
        "# Base against tuned",
        "Both models translate the same lines. The base model was never told about "
        "instructions, so its rate is what chance gives; the tuned model is asked for one "
        "instruction at a time. *Obeyed* is the share of outputs that the instruction's verifier "
        "accepts, with its 95 % interval; *adequacy* is chrF2 against the reference under that "
        "instruction, as a share of the same model's plain chrF2: near 1, what obeys is as good "
        "a translation as ever.",
        _response_table(report),
        f"Mean over {len(rate['by_instruction'])} instructions: obeyed "
        f"**{rate['mean']:.1%}** (base {rate['base_mean']:.1%}), adequacy "
        f"**{adequacy['mean']:.2f}** (lowest {adequacy['min']:.2f}).",
        f"![Obeyed and adequacy by instruction]({RESPONSE_PLOT})",
        "## Plain translation",
        _quality_table(report),
        "Signatures: " + "; ".join(f"`{s}`" for s in report["signatures"].values()),
    ]
    if report["pairs"]["by_pair"]:
        parts += ["## Two instructions at once", *_pairs_summary(report["pairs"])]
    if report["interpolation"]:
        parts += [
            "## Between base and tuned",
            _interpolation_table(report["interpolation"]),
            f"![Interpolation]({MIXED_PLOT})",
        ]
    parts += ["## Examples", _examples(report["examples"])]
    parts += ["## Conditions", conditions_list(report)]
    return "\n\n".join(parts) + "\n"


def _response_table(report: dict) -> str:
    rows = []
    for name, tuned in report["responses"]["tuned"].items():
        base = report["responses"]["base"][name]
        rows.append(
            [
                name,
                report["axes"][name],
                tuned["lines"],
                f"{base['rate']:.1%}",
                f"{tuned['rate']:.1%} ({tuned['low']:.1%} to {tuned['high']:.1%})",
                f"{tuned['adequacy']:.2f}",
            ]
        )
    return table(["instruction", "axis", "lines", "base", "tuned obeyed", "adequacy"], rows)


def _quality_table(report: dict) -> str:
    rows = []
    for system in report["chrf2"]:
        p_values = [
            report["significance"].get(metric, {}).get(system, {}).get("p_value")
            for metric in ("BLEU", "chrF2")
        ]
        shown = ["–" if p is None else f"{p:.3f}" for p in p_values]
        rows.append([system, report["bleu"][system], shown[0], report["chrf2"][system], shown[1]])
    return table(["system", "BLEU", "p against base", "chrF2", "p against base"], rows)


def _pairs_summary(pairs: dict) -> Sequence[str]:
    worst = sorted(pairs["by_pair"].items(), key=lambda item: item[1]["rate"])[:8]
    rows = [[name, f"{r['rate']:.1%}", f"{r['adequacy']:.2f}"] for name, r in worst]
    return [
        f"The model saw single instructions only. Over all {pairs['count']} pairs that were "
        f"tried, **{pairs['both_obeyed']:.1%}** of the outputs obey both, at a mean adequacy of "
        f"{pairs['adequacy']:.2f}. The pairs that are obeyed least:",
        table(["pair", "both obeyed", "adequacy"], rows),
        f"![Both obeyed, by pair]({PAIRS_PLOT})",
    ]


def _interpolation_table(mixed: Mapping[str, dict]) -> str:
    rows = [
        [weight, f"{m['response_rate']:.1%}", f"{m['adequacy']:.2f}", m["chrf2"], m["bleu"]]
        for weight, m in mixed.items()
    ]
    return table(["weight of tuned", "mean obeyed", "mean adequacy", "chrF2", "BLEU"], rows)


def _examples(examples: Mapping[str, Mapping[str, str]]) -> str:
    rows = [[name, e["source"], e["base"], e["tuned"]] for name, e in examples.items()]
    return table(["instruction", "source", "base", "tuned"], rows)


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
    names = list(dict.fromkeys(name for pair in pairs for name in pair.split(" + ")))
    grid = [[float("nan")] * len(names) for _ in names]
    for pair, response in pairs.items():
        first, second = (names.index(name) for name in pair.split(" + "))
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
    figure, left = pyplot.subplots(figsize=(6, 3.5))
    left.plot(weights, [m["response_rate"] for m in mixed.values()], "o-", color="#4477aa")
    left.set_xlabel("weight of the tuned model")
    left.set_ylabel("mean share that obeys", color="#4477aa")
    left.set_ylim(0, 1.02)
    right = left.twinx()
    right.plot(weights, [m["chrf2"] for m in mixed.values()], "s--", color="#aa3377")
    right.set_ylabel("plain chrF2", color="#aa3377")
    return figure
