"""What reports share: the parts that they are made of, these as Markdown, and files.

A report is described once, as sections of paragraphs, tables, plots and samples; this module
shows that as Markdown, `html_page` as HTML. What models write may hold any markup: no part is
shown otherwise than as the text that it is.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from fairseq_instr.files import atomic_path, refuse_to_overwrite, write_atomically

REPORT_JSON, REPORT_MD = "report.json", "report.md"


# -- parts ----------------------------------------------------------------------------------


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
    """A value of a table that is also drawn.

    Attributes:
        text: the value as it is written.
        bar: `(share, low, high)`, a bar and its interval, 0..1.
        heat: 0..1, how strongly the cell is shaded.
    """

    text: str
    bar: Optional[Tuple[float, float, float]] = None
    heat: Optional[float] = None

    def __str__(self) -> str:
        return self.text


Value = Union[str, int, float, Cell]


@dataclass(frozen=True)
class Table:
    """Rows of values; the first of each row is its heading.

    Attributes:
        caption: what the table shows.
        header: headings of the columns.
        rows: as many values each.
        upright: whether the headings stand upright, for many narrow columns.
        plot: of the same figures, shown in its place in Markdown with plots beside it.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Value]]
    upright: bool = False
    plot: Optional["Plot"] = None


@dataclass(frozen=True)
class Plot:
    """A figure.

    Attributes:
        caption: what it shows, also for those who don't see it.
        name: file name, such as `response.png`.
        draw: `(pyplot, report) -> figure`.
        only_file: whether tables show the same where they can draw: then HTML goes without it.
    """

    caption: str
    name: str
    draw: Callable = field(repr=False)
    only_file: bool = False


@dataclass(frozen=True)
class Output:
    """What a system, or a reference, has for a source.

    Attributes:
        system: who wrote it.
        text: raw text.
        marks: what was asked for -> whether the text obeys, as its verifier says.
    """

    system: str
    text: str
    marks: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One source and what was made of it, side by side."""

    asked: str
    source: str
    outputs: Sequence[Output]


@dataclass(frozen=True)
class Samples:
    """Samples of one thing asked for."""

    title: str
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Facts:
    """Names and values, such as conditions; a value that is `Code` may be long."""

    facts: Sequence[Tuple[str, str]]


Block = Union[Paragraph, Table, Plot, Samples, Facts]


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: heading.
        blocks: what is in it, in order.
        level: of the heading, 1 for the report's own.
        folded: whether a page may hide it behind its heading.
    """

    title: str
    blocks: Sequence[Block]
    level: int = 2
    folded: bool = False


def conditions_section(report: dict, level: int = 2) -> Section:
    """Conditions and command of a report."""
    facts = [(str(name), str(value)) for name, value in report["conditions"].items()]
    return Section("Conditions", [Facts([*facts, ("command", Code(report["command"]))])], level)


def signatures_paragraph(report: dict) -> Paragraph:
    """Signatures of the scores."""
    parts: List[str] = ["Signatures: "]
    for signature in report["signatures"].values():
        parts += [Code(signature), "; "]
    return Paragraph(*parts[:-1])


# pictures of control characters; tab and line breaks are white space
_SIGNS = {code: 0x2400 + code for code in range(32) if code not in (9, 10, 13)}
_SIGNS.update({0x7F: 0x2421, **dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF), 0xFFFD)})


def visible(text: str) -> str:
    """Text in which what no page may hold has a sign: control characters, lone surrogates."""
    return str(text).translate(_SIGNS)


# -- Markdown -------------------------------------------------------------------------------


def as_markdown(sections: Sequence[Section], with_plots: bool = True) -> str:
    """Sections for reading as text.

    Args:
        sections: what to show.
        with_plots: whether the plots lie beside the file.
    """
    parts = []
    for section in sections:
        parts.append("#" * section.level + " " + _escape(section.title))
        for block in section.blocks:
            shown = _block(block, with_plots)
            if shown:
                parts.append(shown)
    return "\n\n".join(parts) + "\n"


def _block(block: Block, with_plots: bool) -> str:
    if isinstance(block, Table):
        if block.plot and with_plots:
            return _image(block.plot.caption, block.plot.name)
        return table(block.header, block.rows)
    if isinstance(block, Plot):
        return _image(block.caption, block.name) if with_plots else ""
    if isinstance(block, Samples):
        return _samples(block)
    if isinstance(block, Facts):
        return "\n".join(f"* {_escape(name)}: {_inline(value)}" for name, value in block.facts)
    return "".join(map(_inline, block))


def _image(caption: str, name: str) -> str:
    return f"![{_escape(caption)}]({name})"


def _samples(block: Samples) -> str:
    """A table, a line each: those of one block have the same systems."""
    first = block.samples[0]
    header = ["asked for", "source", *(output.system for output in first.outputs)]
    rows: List[List[Value]] = []
    for sample in block.samples:
        row: List[Value] = [sample.asked, sample.source]
        for output in sample.outputs:
            marks = [f"{'✓' if obeyed else '✗'} {name}" for name, obeyed in output.marks.items()]
            row.append(f"{output.text} ({', '.join(marks)})" if marks else output.text)
        rows.append(row)
    return table(header, rows)


def table(header: Sequence[str], rows: Sequence[Sequence[Value]]) -> str:
    """A Markdown table; cells may hold any text."""
    lines = ["| " + " | ".join(_escape(str(value)) for value in line) + " |"
             for line in (header, *rows)]  # fmt: skip
    lines.insert(1, "| " + " | ".join(["---"] * len(header)) + " |")
    return "\n".join(lines)


def _inline(part: str) -> str:
    if isinstance(part, Strong):
        return f"**{_escape(part)}**"
    if isinstance(part, Emphasis):
        return f"*{_escape(part)}*"
    if isinstance(part, Code):
        text = " ".join(part.split())
        # a longer fence than any inside; what opens a tag there is text
        fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"
    return _escape(part)


# an underscore inside a word is one; all others could be markup, an image from elsewhere even
_MARKUP = re.compile(r"[\\`*|\[\]]|(?<!\w)_|_(?!\w)")


def _escape(text: str) -> str:
    text = str(text).replace("&", "&amp;").replace("<", "&lt;")
    return " ".join(_MARKUP.sub(r"\\\g<0>", text).splitlines())


# -- files ----------------------------------------------------------------------------------


def refuse_to_overwrite_report(folder, force: bool) -> None:
    """Raise `InputError` if a folder holds a report and `force` is not set."""
    for name in (REPORT_JSON, REPORT_MD):
        refuse_to_overwrite(Path(folder, name), force)


def write_files(report: dict, sections: Sequence[Section], folder, force: bool = False) -> None:
    """Write `report.json`, `report.md` and the plots.

    Args:
        report: plain lists, dicts, numbers and strings.
        sections: the same for reading.
        folder: is made if it is missing.
        force: overwrite a report there; plots are always written anew.

    Raises:
        InputError: if there is a report and `force` is not set; nothing is written then.
    """
    folder = Path(folder)
    refuse_to_overwrite_report(folder, force)
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    for name, draw in _plots(sections).items():
        _save_plot(draw, report, folder / name)
    write_atomically(folder / REPORT_MD, as_markdown(sections), force)
    write_atomically(folder / REPORT_JSON, text, force)


def command_line() -> str:
    """The command that runs, as a report shows it: paths below the working directory relative."""
    here = f"{Path.cwd()}/"
    return shlex.join(["python", *(argument.replace(here, "") for argument in sys.argv)])


def _plots(sections: Sequence[Section]) -> Dict[str, Callable]:
    blocks = [block for section in sections for block in section.blocks]
    plots = [block.plot if isinstance(block, Table) else block for block in blocks]
    return {plot.name: plot.draw for plot in plots if isinstance(plot, Plot)}


def _save_plot(draw: Callable, report: dict, path: Path) -> None:
    # imported here: only a report needs it, and it takes its time
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure = draw(pyplot, report)
    with atomic_path(path, force=True) as temporary:
        figure.savefig(temporary, format="png", dpi=120, bbox_inches="tight")
    pyplot.close(figure)
