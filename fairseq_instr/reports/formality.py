"""The report on formality for reading."""

from __future__ import annotations

from typing import Any, List, Mapping

from fairseq_instr.evaluation.metrics import all_scores
from fairseq_instr.reports.parts import (
    NONE,
    Paragraph,
    Section,
    Table,
    Value,
    columns,
    last_sections,
    number,
    percent,
    scores_table,
)


def describe(report: Mapping[str, Any]) -> List[Section]:
    """The report for reading: accuracy and coverage by system and kind, plain translation."""
    found = [
        (system, kind, figures)
        for system, by_kind in report["systems"].items()
        for kind, figures in by_kind.items()
    ]
    domains = list(dict.fromkeys(domain for *_, figures in found for domain in figures["domains"]))
    verdicts = [verdict for *_, figures in found[:1] for verdict in figures["counts"]]
    scores = columns(all_scores(), [figures for *_, figures in found])
    rows: List[List[Value]] = []
    for system, kind, figures in found:
        row: List[Value] = [system, kind]
        row += [percent(figures[key]) for key in ("accuracy", "coverage")]
        row.append(" / ".join(map(str, figures["counts"].values())) or NONE)
        for domain in domains:
            own = figures["domains"].get(domain, {})
            row.append(f"{percent(own.get('accuracy'))} of {percent(own.get('coverage'))}")
        of_references = system == "references"  # quality is measured against them
        row += [NONE if of_references else number(figures.get(s.name), s.decimals) for s in scores]
        rows.append(row)
    sections = [
        Section(
            "Formality",
            [
                Paragraph(
                    "Accuracy: of the outputs in which phrases of one formality alone are found, "
                    "the share that has the one asked for. Coverage: the share of such outputs. "
                    f"Verdicts: lines that are {', '.join(verdicts)}. Quality against the "
                    "references of that kind. The base model is asked for nothing."
                ),
                Table(
                    "Formality by system and kind",
                    ["system", "asked for", "accuracy", "coverage", "verdicts", *domains,
                     *(score.title for score in scores)],
                    rows,
                ),
            ],
            level=1,
        )
    ]  # fmt: skip
    if report["plain"]:
        table = scores_table("Plain translation", "system", report["plain"], all_scores())
        sections.append(Section("Plain translation", [table]))
    if report["examples"]:
        header = list(report["examples"][0])
        examples = [[example.get(key) or "" for key in header] for example in report["examples"]]
        sections.append(Section("Examples", [Table("Outputs", header, examples)]))
    return [*sections, *last_sections(report)]
