"""The report on translation directions: Markdown and a plot; `directions` has the figures."""

from __future__ import annotations

from statistics import mean
from typing import Dict, List, Mapping, Sequence

from fairseq_instr.evaluation.directions import SUPERVISED, ZERO_SHOT
from fairseq_instr.evaluation.samples import sample_sections
from fairseq_instr.reports.presentation import (
    Cell,
    Emphasis,
    Paragraph,
    Plot,
    Section,
    Table,
    Value,
    as_markdown,
    conditions_section,
    signatures_paragraph,
    write_files,
)

DIRECTIONS_PLOT = "directions.png"
_TITLES = {ZERO_SHOT: "zero-shot", SUPERVISED: "supervised"}

# score -> heading
_MEANS = {
    "off_target": "OTR",
    "off_target_unrestricted": "OTR, all languages",
    "foreign_words": "foreign words",
    "bleu": "BLEU",
    "chrf2": "chrF2",
    "pivot_bleu": "pivot BLEU",
}
_DIRECTIONS = {
    "off_target": "OTR",
    "off_target_unrestricted": "OTR, all languages",
    "in_source": "in source",
    "in_english": "in English",
    "foreign_words": "foreign words",
    "empty": "empty",
    "short": "short",
    "bleu": "BLEU",
    "chrf2": "chrF2",
    "pivot_bleu": "pivot BLEU",
    "pivot_off_target": "pivot OTR",
}


# score, caption, value that is shaded fully; 0: the highest
_OVERVIEWS = (
    ("off_target", "Off-target ratio, percent, by direction and system", 100.0),
    ("bleu", "BLEU by direction and system", 0.0),
)


def write_directions_report(report: dict, folder, force: bool = False) -> None:
    """Write `report.json`, `report.md` and a plot of what `directions.evaluate` found.

    Args:
        report: that, with `command` and `conditions`.
        folder: where to.
        force: overwrite a report there.

    Raises:
        InputError: if there is a report and `force` is not set.
    """
    write_files(report, describe(report), folder, force)


def to_markdown(report: dict) -> str:
    """The report for reading, as Markdown."""
    return as_markdown(describe(report))


def describe(report: dict) -> List[Section]:
    """The report for reading: means first, then every direction, then every seed."""
    groups = [group for group in _TITLES if report["directions"][group]]
    sections = [
        Section(
            "Translation directions",
            [
                Paragraph(
                    Emphasis("OTR"),
                    ", the off-target ratio, is the percentage of outputs that are not in the "
                    "language asked for, as identified among the stated languages, and among all "
                    "that the identifier knows. It says nothing about content: BLEU and chrF2 "
                    "do, and ",
                    Emphasis("pivot BLEU"),
                    " is what the same model reaches by way of the pivot language. ",
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
        n = len(report["directions"][group])
        title = f"Means over the {n} {_TITLES[group]} directions"
        sections.append(Section(title, [_means_table(report, group)]))
    plot = Plot("Off-target ratio and BLEU", DIRECTIONS_PLOT, plot_directions)
    sections.append(
        Section("Side by side", [plot, *(_overview(report, *score) for score in _OVERVIEWS)])
    )
    sections.append(Section("Direction by direction", []))
    for group in groups:
        for name in report["directions"][group]:
            title = f"{name}, {_TITLES[group]}"
            sections.append(Section(title, [_direction_table(report, name)], level=3, folded=True))
    if any(len(system["seeds"]) > 1 for system in report["systems"].values()):
        sections.append(Section("Seeds", [_seeds_table(report, group) for group in groups]))
    if report.get("samples"):
        sections += sample_sections(report["samples"])
    conditions = conditions_section(report)
    return [
        *sections,
        Section(conditions.title, [*conditions.blocks, signatures_paragraph(report)]),
    ]


def _overview(report: dict, score: str, caption: str, scale: float) -> Table:
    """A score of every system in every direction."""
    names = [name for group in _TITLES for name in report["directions"][group]]
    systems = [system["directions"] for system in report["systems"].values()]
    full = scale or max((found[name][score] for found in systems for name in names), default=0) or 1
    rows: List[List[Value]] = []
    for name in names:
        found = [directions[name][score] for directions in systems]
        cells = [Cell(f"{value:.1f}", heat=min(1.0, value / full)) for value in found]
        rows.append([name, *cells])
    return Table(caption, ["direction", *report["systems"]], rows)


def _columns(columns: Mapping[str, str], rows: Sequence[Mapping[str, float]]) -> Dict[str, str]:
    """The columns for which any row has a value."""
    return {name: title for name, title in columns.items() if any(name in row for row in rows)}


def _floor_means(report: dict, group: str) -> Dict[str, float]:
    floors = [report["floor"][name] for name in report["directions"][group]]
    return {name: mean(floor[name] for floor in floors) for name in floors[0]}


def _means_table(report: dict, group: str) -> Table:
    systems = report["systems"]
    columns = _columns(_MEANS, [system["means"][group] for system in systems.values()])
    rows: List[List[Value]] = []
    for name, system in systems.items():
        means, deviations = system["means"][group], system["deviations"][group]
        several = len(system["seeds"]) > 1
        row = [_number(means, c) + (f" ± {deviations[c]:.2f}" if several and c in means else "")
               for c in columns]  # fmt: skip
        rows.append([name, len(system["seeds"]), *row])
    floor = _floor_means(report, group)
    rows.append(["floor", "–", *(_number(floor, c) for c in columns)])
    caption = f"Means over {_TITLES[group]} directions"
    return Table(caption, ["system", "seeds", *columns.values()], rows)


def _direction_table(report: dict, direction: str) -> Table:
    scores = {name: s["directions"][direction] for name, s in report["systems"].items()}
    scores["floor"] = report["floor"][direction]
    columns = _columns(_DIRECTIONS, list(scores.values()))
    rows: List[List[Value]] = [
        [name, *(_number(each, c) for c in columns)] for name, each in scores.items()
    ]
    return Table(f"Scores of {direction}", ["system", *columns.values()], rows)


def _seeds_table(report: dict, group: str) -> Table:
    means = [s["means"][group] for system in report["systems"].values() for s in system["seeds"]]
    columns = _columns(_MEANS, means)
    rows: List[List[Value]] = [
        [name, number, seed["checkpoint"], *(_number(seed["means"][group], c) for c in columns)]
        for name, system in report["systems"].items()
        for number, seed in enumerate(system["seeds"], start=1)
    ]
    header = [_TITLES[group], "seed", "checkpoint", *columns.values()]
    return Table(f"Every seed, means over {_TITLES[group]} directions", header, rows)


def _number(scores: Mapping[str, float], name: str) -> str:
    if name not in scores:
        return "–"
    whole = name in ("empty", "short") and scores[name] == int(scores[name])
    return f"{scores[name]:.0f}" if whole else f"{scores[name]:.2f}"


def plot_directions(pyplot, report: dict):
    """Off-target ratio beside BLEU, a bar a system and a dot a seed."""
    systems = report["systems"]
    places = range(len(systems))
    groups = [group for group in _TITLES if report["directions"][group]]
    colours = {ZERO_SHOT: "#aa3377", SUPERVISED: "#4477aa"}
    height = 0.8 / len(groups)
    ink = pyplot.rcParams["text.color"]  # a page's own
    figure, (left, right) = pyplot.subplots(
        1, 2, sharey=True, figsize=(9, 0.55 * len(systems) + 1.6)
    )
    for axes, score in ((left, "off_target"), (right, "bleu")):
        for i, group in enumerate(groups):
            rows = [place + (i - (len(groups) - 1) / 2) * height for place in places]
            means = [system["means"][group][score] for system in systems.values()]
            axes.barh(rows, means, 0.9 * height, color=colours[group], label=_TITLES[group])
            for row, system in zip(rows, systems.values()):
                seeds = [seed["means"][group][score] for seed in system["seeds"]]
                if len(seeds) > 1:
                    axes.plot(seeds, [row] * len(seeds), "o", color=ink, markersize=3)
                pivot = system["means"][group].get("pivot_bleu")
                if score == "bleu" and pivot is not None:
                    axes.plot([pivot] * 2, [row - height / 2, row + height / 2], color="#ccbb44",
                              linewidth=3, label="by pivot")  # fmt: skip
    floor = _floor_means(report, groups[0])["off_target"]
    left.axvline(floor, color=ink, linestyle=":", label="references")
    left.set_yticks(places, list(systems))
    left.invert_yaxis()
    left.set_xlabel("off-target ratio, %")
    right.set_xlabel("BLEU")
    shown: Dict[str, object] = {}
    for axes in (left, right):
        shown.update(zip(*reversed(axes.get_legend_handles_labels())))
    figure.legend(shown.values(), shown.keys(), loc="upper center", ncol=4, frameon=False)
    return figure
