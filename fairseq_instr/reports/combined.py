"""Any number of reports on one page: each report, and what compares between those of a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Sequence, Tuple

from jinja2 import TemplateError
from markupsafe import Markup

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import all_scores
from fairseq_instr.evaluation.report import DIRECTIONS, INSTRUCTIONS
from fairseq_instr.files import refuse_to_overwrite, write_atomically
from fairseq_instr.reports.directions import TITLES
from fairseq_instr.reports.files import describe, read_report
from fairseq_instr.reports.html import Part, render_page, render_sections
from fairseq_instr.reports.markdown import as_markdown
from fairseq_instr.reports.parts import (
    Block,
    Paragraph,
    Section,
    Table,
    Value,
    heat,
    number,
    percent,
)

_BROKEN = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError,
           TemplateError)  # fmt: skip
"""What a report that is not as its program wrote it leads to."""


class NamedReport(NamedTuple):
    """A report and what to call it."""

    name: str  # tells it from the others, such as its folder's name
    content: Mapping[str, Any]  # the report
    sections: Sequence[Section]  # the same for reading, and
    html: Markup  # as a part of the page


def write_page(
    paths: Sequence, output, title: str = "Evaluation", force: bool = False
) -> Tuple[Path, Path]:
    """Write one HTML page of reports, and the same as Markdown beside it; gives both paths.

    Args:
        output: the page's file, ending in `.html`; the other ends in `.md`.

    Raises:
        InputError: if a report is none, stands twice or can't be read, or if one of the two files
            exists and `force` is not set; nothing is written then.
    """
    output = Path(output)
    if output.suffix != ".html":
        raise InputError(f"--output {str(output)!r} is not accepted: give a name ending in .html")
    markdown_path = output.with_suffix(".md")
    for path in (output, markdown_path):
        refuse_to_overwrite(path, force)
    reports = read_reports(paths)
    comparison = compare(reports)
    parts = [Part(each.name, each.html) for each in reports]
    html = render_page(title, parts, render_sections(comparison))
    markdown = _to_markdown(reports, comparison, title)
    write_atomically(markdown_path, markdown, force)
    write_atomically(output, html, force)
    return output, markdown_path


def read_reports(paths: Sequence) -> List[NamedReport]:
    """Read the reports of evaluations."""
    found = []
    for path, name in zip(paths, name_paths(paths)):
        content = read_report(path)
        try:
            sections = describe(content)
            as_markdown(sections)
            found.append(NamedReport(name, content, sections, render_sections(sections, name)))
        except _BROKEN as error:
            raise InputError(
                f"{path} is no complete report ({type(error).__name__} {error!s:.80}); run its "
                "evaluation again"
            ) from None
    return found


def name_paths(paths: Sequence) -> List[str]:
    """The ends of paths that tell them apart, without the name `report.json`.

    Example: `name_paths(["work/a/report.json", "work/b/report.json"]) == ["a", "b"]`.
    """
    resolved = [Path(path).resolve() for path in paths]
    for path in resolved:
        if resolved.count(path) > 1:
            raise InputError(f"{path} is given twice; give each report once")
    parts = [p.parts[1:-1] if p.name == "report.json" else p.parts[1:] for p in resolved]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def compare(reports: Sequence[NamedReport]) -> List[Section]:
    """What compares between two or more reports of a kind."""
    sections = []
    for kind, title, tables in (
        (INSTRUCTIONS, "Instructions, report by report", _compare_instructed),
        (DIRECTIONS, "Directions, report by report", _compare_systems),
    ):
        same = [each for each in reports if each.content["kind"] == kind]
        if len(same) > 1:
            blocks: List[Block] = [_CAUTION, *tables(same)]
            sections.append(Section(title, blocks, level=1))
    return sections


_CAUTION = Paragraph(
    "Figures compare only where test set, lines and decoding are the same: the conditions of each "
    "report say so."
)


def _compare_instructed(reports: Sequence[NamedReport]) -> List[Table]:
    shown = [s for s in all_scores() if any(s.name in each.content for each in reports)]
    rows: List[List[Value]] = []
    for each in reports:
        found = each.content
        row: List[Value] = [
            each.name,
            percent(found["response_rate"]["base_mean"]),
            heat(found["response_rate"]["mean"]),
            number(found["adequacy"]["mean"]),
            percent(found["reranked"]["response_rate"]),
            percent(found["pairs"]["mean"]),
            percent(found["triples"]["mean"]),
        ]
        for score in shown:
            by_system = found.get(score.name) or {}
            both = (number(by_system.get(s), score.decimals) for s in ("base", "tuned"))
            row.append(" → ".join(both))
        rows.append(row)
    header = ["report", "base obeys", "tuned obeys, %", "adequacy", "reranked", "both of a pair",
              "all of a triple", *(f"{score.title}, base → tuned" for score in shown)]  # fmt: skip
    rates = [each.content["response_rate"]["by_instruction"] for each in reports]
    return [
        Table("Means over the instructions of each report", header, rows),
        Table(
            "Percentage of outputs that obey, tuned model",
            ["instruction", *(each.name for each in reports)],
            [
                [name, *(heat(own.get(name)) for own in rates)]
                for name in dict.fromkeys(name for own in rates for name in own)
            ],
        ),
    ]


def _compare_systems(reports: Sequence[NamedReport]) -> List[Table]:
    scores = [score for score in all_scores() if score.by_pivot]
    rows: List[List[Value]] = [
        [
            each.name,
            system,
            *(number(found["means"][group].get(s.name)) for group in TITLES for s in scores),
        ]
        for each in reports
        for system, found in each.content["systems"].items()
    ]
    headings = [f"{title} {score.title}" for title in TITLES.values() for score in scores]
    caption = "Means over the directions of each report"
    return [Table(caption, ["report", "system", *headings], rows)]


def _to_markdown(reports: Sequence[NamedReport], comparison: List[Section], title: str) -> str:
    """The page as Markdown, without plots."""
    sections = [Section(title, [], level=1)]
    for name, own in (("", comparison), *((r.name, r.sections) for r in reports)):
        for i, section in enumerate(own):
            heading = f"{name}: {section.title}" if name and not i else section.title
            sections.append(Section(heading, section.blocks, section.level + 1))
    return as_markdown(sections, with_plots=False)
