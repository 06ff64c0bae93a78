"""The report on translation directions for reading."""

from __future__ import annotations

import functools
from statistics import mean
from typing import Any, Dict, List, Mapping

from fairseq_instr.evaluation.metrics import all_scores
from fairseq_instr.evaluation.report import SUPERVISED, ZERO_SHOT
from fairseq_instr.reports.parts import (
    NONE,
    Block,
    Cell,
    Emphasis,
    Paragraph,
    Plot,
    Scores,
    Section,
    Table,
    Value,
    columns,
    last_sections,
    number,
    scores_table,
)

TITLES = {ZERO_SHOT: "zero-shot", SUPERVISED: "supervised"}
Report = Mapping[str, Any]


def describe(report: Report) -> List[Section]:
    """The report for reading: means first, then every direction, then every seed."""
    groups = [group for group in TITLES if report["directions"][group]]
    systems = report["systems"]
    scores = [*all_scores(), *(s.of_pivot for s in all_scores() if s.by_pivot)]
    in_means = [score for score in scores if score.in_means]
    sections = [
        Section(
            "Translation directions",
            [
                Paragraph(
                    Emphasis("OTR"),
                    ", the off-target ratio, is the percentage of outputs that are not in the "
                    "language asked for (100 minus the line-level pass rate), as identified among "
                    "the stated languages, and among all that the identifier knows. It says "
                    "nothing about content: BLEU and chrF2 do. ",
                    Emphasis("Pivot"),
                    " is the same model by way of the pivot language. ",
                    Emphasis("Foreign words"),
                    " is the percentage of words that only other languages' text has. ",
                    Emphasis("Floor"),
                    " is what the references score.",
                )
            ],
            level=1,
        )
    ]
    for group in groups:
        title = f"Means over the {len(report['directions'][group])} {TITLES[group]} directions"
        sections.append(Section(title, [_means_table(report, group, in_means)]))
    side_by_side: List[Block] = [
        Plot("Off-target ratio and BLEU", "directions.png", functools.partial(_plot, report)),
        _overview(report, "off_target", "Off-target ratio, percent, by direction and system", 100),
        _overview(report, "bleu", "BLEU by direction and system", None),
    ]
    sections += [Section("Side by side", side_by_side), Section("Direction by direction", [])]
    for group in groups:
        for name in report["directions"][group]:
            rows = {system: found["directions"].get(name, {}) for system, found in systems.items()}
            rows["floor"] = report["floor"].get(name, {})
            table = scores_table(f"Scores of {name}", "system", rows, scores)
            title = f"{name}, {TITLES[group]}"
            sections.append(Section(title, [table], level=3, folded=True))
    if any(len(system["seeds"]) > 1 for system in systems.values()):
        sections.append(Section("Seeds", [_seeds_table(report, g, in_means) for g in groups]))
    return [*sections, *last_sections(report)]


def _means_table(report: Report, group: str, scores: List[Any]) -> Table:
    systems = report["systems"]
    shown = columns(scores, [system["means"][group] for system in systems.values()])
    rows: List[List[Value]] = []
    for name, system in systems.items():
        means, deviations = system["means"][group], system["deviations"][group]
        row: List[Value] = [name, len(system["seeds"]) or NONE]
        for score in shown:
            deviation = deviations.get(score.name) if len(system["seeds"]) > 1 else None
            spread = "" if deviation is None else f" ± {number(deviation, score.decimals)}"
            row.append(number(means.get(score.name), score.decimals) + spread)
        rows.append(row)
    floor = _floor_means(report, group)
    rows.append(["floor", NONE, *(number(floor.get(s.name), s.decimals) for s in shown)])
    caption = f"Means over {TITLES[group]} directions"
    return Table(caption, ["system", "seeds", *(score.title for score in shown)], rows)


def _floor_means(report: Report, group: str) -> Scores:
    floors = [report["floor"].get(name, {}) for name in report["directions"][group]]
    values: Dict[str, List[float]] = {}
    for name, value in (item for floor in floors for item in floor.items()):
        if value is not None:
            values.setdefault(name, []).append(value)
    return {name: mean(found) for name, found in values.items()}


def _overview(report: Report, score: str, caption: str, full: Any) -> Table:
    """A score of every system in every direction, shaded up to `full`; None: the highest."""
    names = [name for group in TITLES for name in report["directions"][group]]
    systems = [system["directions"] for system in report["systems"].values()]
    found = [[of.get(name, {}).get(score) for of in systems] for name in names]
    full = full or max((value for row in found for value in row if value is not None), default=0)

    def cell(value: Any) -> Value:
        if value is None:
            return NONE
        return Cell(number(value, 1), heat=min(1.0, value / full) if full else 0.0)

    rows = [[name, *map(cell, row)] for name, row in zip(names, found)]
    return Table(caption, ["direction", *report["systems"]], rows)


def _seeds_table(report: Report, group: str, scores: List[Any]) -> Table:
    seeds = [(n, i, s) for n, system in report["systems"].items()
             for i, s in enumerate(system["seeds"], start=1)]  # fmt: skip
    shown = columns(scores, [seed["means"][group] for *_, seed in seeds])
    rows: List[List[Value]] = [
        [name, i, seed["checkpoint"] or NONE,
         *(number(seed["means"][group].get(s.name), s.decimals) for s in shown)]
        for name, i, seed in seeds
    ]  # fmt: skip
    header = [TITLES[group], "seed", "checkpoint", *(score.title for score in shown)]
    return Table(f"Every seed, means over {TITLES[group]} directions", header, rows)


def _plot(report: Report, pyplot):
    """Off-target ratio beside BLEU, a bar a system and a dot a seed."""
    systems = report["systems"]
    groups = [group for group in TITLES if report["directions"][group]]
    colours = {ZERO_SHOT: "#aa3377", SUPERVISED: "#4477aa"}
    height = 0.8 / max(1, len(groups))
    ink = pyplot.rcParams["text.color"]  # a page's own
    figure, (left, right) = pyplot.subplots(
        1, 2, sharey=True, figsize=(9, 0.55 * len(systems) + 1.6)
    )

    def value(means: Scores, score: str) -> float:
        found = means.get(score)
        return float("nan") if found is None else found

    for axes, score in ((left, "off_target"), (right, "bleu")):
        for i, group in enumerate(groups):
            rows = [place + (i - (len(groups) - 1) / 2) * height for place in range(len(systems))]
            means = [value(system["means"][group], score) for system in systems.values()]
            axes.barh(rows, means, 0.9 * height, color=colours[group], label=TITLES[group])
            for row, system in zip(rows, systems.values()):
                seeds = [value(seed["means"][group], score) for seed in system["seeds"]]
                if len(seeds) > 1:
                    axes.plot(seeds, [row] * len(seeds), "o", color=ink, markersize=3)
                pivot = system["means"][group].get("pivot_bleu")
                if score == "bleu" and pivot is not None:
                    axes.plot([pivot] * 2, [row - height / 2, row + height / 2], color="#ccbb44",
                              linewidth=3, label="by pivot")  # fmt: skip
    for group in groups[:1]:
        floor = value(_floor_means(report, group), "off_target")
        left.axvline(floor, color=ink, linestyle=":", label="references")
    left.set_yticks(range(len(systems)), list(systems))
    left.invert_yaxis()
    left.set_xlabel("off-target ratio, %")
    right.set_xlabel("BLEU")
    shown: Dict[str, object] = {}
    for axes in (left, right):
        shown.update(zip(*reversed(axes.get_legend_handles_labels())))
    figure.legend(shown.values(), shown.keys(), loc="upper center", ncol=4, frameon=False)
    return figure
