"""Any number of reports on one page: what stands in each, and what compares between them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, List, Mapping, Sequence, Tuple

from jinja2 import TemplateError
from markupsafe import Markup

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.directions import SUPERVISED, ZERO_SHOT
from fairseq_instr.files import refuse_to_overwrite, write_atomically
from fairseq_instr.reports import directions, formality, instructions, robustness
from fairseq_instr.reports.html_page import Part, render_page, render_sections
from fairseq_instr.reports.presentation import (
    Block,
    Cell,
    Paragraph,
    Section,
    Table,
    Value,
    as_markdown,
    visible,
)

Describe = Callable[[dict], List[Section]]

# key that tells a kind of report, the first one counts -> how it is described
_KINDS: Mapping[str, Describe] = {
    "response_rate": instructions.describe,
    "directions": directions.describe,
    "robustness": robustness.report_sections,
    "systems": formality.report_sections,
}
_BROKEN = (
    KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError, TemplateError
)  # fmt: skip
"""What a report that is not as its program wrote it leads to."""


@dataclass(frozen=True)
class NamedReport:
    """A report and what to call it.

    Attributes:
        name: such as its folder's.
        path: of its `report.json`.
        content: of that.
        sections: the same for reading.
    """

    name: str
    path: Path
    content: dict
    sections: Sequence[Section]

    @property
    def kind(self) -> str:
        """Key that tells what was measured."""
        return next(key for key in _KINDS if key in self.content)


def write_combined_report(
    paths: Sequence, output, title: str = "Evaluation", force: bool = False
) -> Tuple[Path, Path]:
    """Write a page, and the same as Markdown beside it.

    Args:
        paths: `report.json` of one or more evaluations.
        output: the page's file, ending in `.html`; the other ends in `.md`.
        title: of the page.
        force: overwrite the two.

    Returns:
        the two files.

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
    html, markdown = to_html(reports, title), to_markdown(reports, title)
    write_atomically(markdown_path, markdown, force)
    write_atomically(output, html, force)
    return output, markdown_path


# -- reading --------------------------------------------------------------------------------


def read_reports(paths: Sequence) -> List[NamedReport]:
    """Read the reports of evaluations.

    Raises:
        InputError: if a file can't be read, stands twice, or is no report.
    """
    found = []
    for path, name in zip(map(Path, paths), name_paths(paths)):
        content = _read(path)
        describe = next((_KINDS[key] for key in _KINDS if key in content), None)
        if describe is None:
            raise InputError(
                f"{path} is no report: it has none of the keys {', '.join(_KINDS)}; give a "
                "report.json of an evaluation"
            )
        try:
            found.append(NamedReport(name, path, content, describe(content)))
        except _BROKEN as error:
            raise _broken(path, error) from None
    return found


def _read(path: Path) -> dict:
    try:
        content = _as_text(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not JSON in UTF-8; give a report.json") from None
    return content if isinstance(content, dict) else {}


def _as_text(value: Any) -> Any:
    """JSON whose strings can be written and drawn."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, dict):
        return {visible(key): _as_text(each) for key, each in value.items()}
    return value


def _broken(path: Path, error: Exception) -> InputError:
    what = f"{type(error).__name__} {str(error):.80}"
    return InputError(f"{path} is no complete report ({what}); run its evaluation again")


def name_paths(paths: Sequence) -> List[str]:
    """The ends of paths that tell them apart, without the name `report.json`.

    Example: `name_paths(["work/a/report.json", "work/b/report.json"]) == ["a", "b"]`.

    Raises:
        InputError: if a file stands twice.
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


# -- comparing ------------------------------------------------------------------------------


def compare(reports: Sequence[NamedReport]) -> List[Section]:
    """What compares between two or more reports of a kind."""
    sections = []
    for kind, describe in (
        ("response_rate", _compare_instructed),
        ("directions", _compare_systems),
    ):
        same = [each for each in reports if each.kind == kind]
        if len(same) > 1:
            sections.append(describe(same))
    return sections


def _compare_instructed(reports: Sequence[NamedReport]) -> Section:
    rows: List[List[Value]] = []
    for each in reports:
        found = each.content
        rate = found["response_rate"]
        reranked = found.get("reranked") or {}
        rows.append(
            [
                each.name,
                f"{rate['base_mean']:.1%}",
                Cell(f"{rate['mean']:.1%}", heat=rate["mean"]),
                f"{found['adequacy']['mean']:.2f}",
                _percent(reranked.get("response_rate")),
                _percent(found["pairs"]["both_obeyed"]),
                _percent(found.get("triples", {}).get("mean")),
                f"{found['bleu']['base']} → {found['bleu']['tuned']}",
                f"{found['chrf2']['base']} → {found['chrf2']['tuned']}",
            ]
        )
    header = ["report", "base obeys", "tuned obeys", "adequacy", "reranked", "both of a pair",
              "all of a triple", "BLEU, base → tuned", "chrF2, base → tuned"]  # fmt: skip
    names = dict.fromkeys(
        name for each in reports for name in each.content["response_rate"]["by_instruction"]
    )
    by_instruction: List[List[Value]] = []
    for name in names:
        rates = [each.content["response_rate"]["by_instruction"].get(name) for each in reports]
        cells = ["–" if rate is None else Cell(f"{100 * rate:.1f}", heat=rate) for rate in rates]
        by_instruction.append([name, *cells])
    return Section(
        "Instructions, report by report",
        [
            _CAUTION,
            Table("Means over the instructions of each report", header, rows),
            Table(
                "Percentage of outputs that obey, tuned model",
                ["instruction", *(each.name for each in reports)],
                by_instruction,
            ),
        ],
        level=1,
    )


def _compare_systems(reports: Sequence[NamedReport]) -> Section:
    columns = [(group, score) for group in (ZERO_SHOT, SUPERVISED)
               for score in ("off_target", "bleu", "chrf2")]  # fmt: skip
    rows: List[List[Value]] = []
    for each in reports:
        for system, found in each.content["systems"].items():
            scores = [found["means"].get(group, {}).get(score) for group, score in columns]
            shown = ["–" if score is None else f"{score:.2f}" for score in scores]
            rows.append([each.name, system, *shown])
    header = ["report", "system", "zero-shot OTR", "BLEU", "chrF2", "supervised OTR", "BLEU",
              "chrF2"]  # fmt: skip
    caption = "Means over the directions of each report"
    blocks: List[Block] = [_CAUTION, Table(caption, header, rows)]
    return Section("Directions, report by report", blocks, level=1)


_CAUTION = Paragraph(
    "Figures compare only where test set, lines and decoding are the same: the conditions of each "
    "report say so."
)


def _percent(share) -> str:
    return "–" if share is None else f"{share:.1%}"


# -- showing --------------------------------------------------------------------------------


def to_html(reports: Sequence[NamedReport], title: str) -> str:
    """The page.

    Raises:
        InputError: if a report can't be shown.
    """
    parts = []
    for each in reports:
        try:
            html = render_sections(each.sections, each.content, each.name)
        except _BROKEN as error:
            raise _broken(each.path, error) from None
        parts.append(Part(each.name, html))
    summary = render_sections(_checked_comparison(reports))
    return render_page(title, parts, Markup(summary))


def to_markdown(reports: Sequence[NamedReport], title: str) -> str:
    """The same as Markdown, without plots."""
    sections = [Section(title, [], level=1)]
    for name, own in (("", _checked_comparison(reports)), *((r.name, r.sections) for r in reports)):
        for number, section in enumerate(own):
            heading = f"{name}: {section.title}" if name and not number else section.title
            sections.append(Section(heading, section.blocks, section.level + 1))
    return as_markdown(sections, with_plots=False)


def _checked_comparison(reports: Sequence[NamedReport]) -> List[Section]:
    try:
        return compare(reports)
    except _BROKEN as error:
        raise _broken(Path("; ".join(str(each.path) for each in reports)), error) from None
