"""The parts that a report is made of for reading, and how figures are written in them.

A report is described once, as sections of paragraphs, tables, plots and samples; `markdown` and
`html` show them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from fairseq_instr.evaluation.metrics import Score

NONE = "–"  # stands where there is no figure


class Strong(str):
    """A figure to look at."""


class Emphasis(str):
    """A term where it is explained."""


class Code(str):
    """What a program takes or gives, such as a signature."""


class Paragraph(Tuple[str, ...]):
    """Text; some of its strings are `Strong`, `Emphasis` or `Code`."""

    def __new__(cls, *parts: str):
        return super().__new__(cls, parts)


@dataclass(frozen=True)
class Cell:
    """A value of a table that is also drawn."""

    text: str  # the value as it is written
    # `(share, low, high)`, a bar and its interval, 0..1
    bar: Optional[Tuple[float, float, float]] = None
    heat: Optional[float] = None  # 0..1, how strongly the cell is shaded

    def __str__(self) -> str:
        return self.text


Value = Union[str, int, float, Cell]


@dataclass(frozen=True)
class Plot:
    """A figure."""

    caption: str  # what it shows, also for those who don't see it
    name: str  # file name, such as `response.png`
    draw: Callable = field(repr=False)  # `(pyplot) -> figure`
    # whether tables show the same where they can draw: then HTML goes without it
    only_file: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of values; the first of each row is its heading."""

    caption: str  # what the table shows
    header: Sequence[str]  # headings of the columns
    rows: Sequence[Sequence[Value]]  # as many values each
    upright: bool = False  # whether the headings stand upright, for many narrow columns
    # of the same figures, shown in its place in Markdown with plots beside it
    plot: Optional[Plot] = None


@dataclass(frozen=True)
class Samples:
    """Samples of one thing asked for, as a report has them, see `evaluation.samples`."""

    samples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Facts:
    """Names and values, such as conditions; a value that is `Code` may be long."""

    facts: Sequence[Tuple[str, str]]


Block = Union[Paragraph, Table, Plot, Samples, Facts]


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    title: str  # heading
    blocks: Sequence[Block]  # what is in it, in order
    level: int = 2  # of the heading, 1 for the report's own
    folded: bool = False  # whether a page may hide it behind its heading


# -- figures --------------------------------------------------------------------------------


def percent(share: Optional[float]) -> str:
    """`0.123` as `12.3%`; a dash where there is none."""
    return NONE if share is None else f"{share:.1%}"


def number(value: Optional[float], decimals: int = 2) -> str:
    """A number with so many decimals; a dash where there is none."""
    return NONE if value is None else f"{value:.{decimals}f}"


def rate(response: Mapping[str, Any], with_interval: bool = False) -> Value:
    """The response rate of `metrics.response`, as a cell with a bar where its interval is known."""
    share, low, high = (response[key] for key in ("rate", "low", "high"))
    if low is None or high is None or share is None:
        return percent(share)
    interval = f" ({percent(low)} to {percent(high)})" if with_interval else ""
    return Cell(percent(share) + interval, bar=(share, low, high))


def heat(share: Optional[float], decimals: int = 1) -> Value:
    """A share as a shaded percentage without its sign."""
    return NONE if share is None else Cell(number(100 * share, decimals), heat=share)


Scores = Mapping[str, Optional[float]]


def columns(scores: Iterable[Score], rows: Iterable[Scores]) -> List[Score]:
    """The scores that any of the rows has."""
    found = list(rows)
    return [s for s in scores if any(row.get(s.name) is not None for row in found)]


def scores_table(
    caption: str, first: str, rows: Mapping[str, Scores], scores: Iterable[Score]
) -> Table:
    """A table of figures of metrics, with a column for each that any row has."""
    shown = columns(scores, rows.values())
    return Table(
        caption,
        [first, *(score.title for score in shown)],
        [
            [name, *(number(row.get(s.name), s.decimals) for s in shown)]
            for name, row in rows.items()
        ],
    )


# -- sections that all reports have ---------------------------------------------------------


def last_sections(report: Mapping[str, Any]) -> List[Section]:
    """Samples, conditions, command and signatures of a report."""
    by_asked: Dict[str, List[Mapping[str, Any]]] = {}
    for sample in report["samples"]:
        by_asked.setdefault(sample["asked"], []).append(sample)
    sections = [Section("Sample outputs", [])] if by_asked else []
    for asked, samples in by_asked.items():
        sections.append(Section(asked, [Samples(samples)], level=3, folded=True))
    facts = [(str(name), str(value)) for name, value in report["conditions"].items()]
    if report["command"]:
        facts.append(("command", Code(report["command"])))
    blocks: List[Block] = [Facts(facts)]
    if report["signatures"]:
        parts = [part for text in report["signatures"].values() for part in (Code(text), "; ")]
        blocks.append(Paragraph("Signatures: ", *parts[:-1]))
    return [*sections, Section("Conditions", blocks)]
