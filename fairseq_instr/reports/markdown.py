"""Sections of a report as Markdown. Whatever markup models write is shown as text."""

from __future__ import annotations

import re
from typing import List, Sequence

from fairseq_instr.reports.parts import (
    Block,
    Code,
    Emphasis,
    Facts,
    Plot,
    Samples,
    Section,
    Strong,
    Table,
    Value,
)
from fairseq_instr.text.markdown import escape, table


def as_markdown(sections: Sequence[Section], with_plots: bool = True) -> str:
    """Sections for reading as text."""
    parts = []
    for section in sections:
        parts.append("#" * section.level + " " + escape(section.title))
        parts += filter(None, (_block(block, with_plots) for block in section.blocks))
    return "\n\n".join(parts) + "\n"


def _block(block: Block, with_plots: bool) -> str:
    if isinstance(block, Table):
        return _image(block.plot) if block.plot and with_plots else table(block.header, block.rows)
    if isinstance(block, Plot):
        return _image(block) if with_plots else ""
    if isinstance(block, Samples):
        return _samples(block)
    if isinstance(block, Facts):
        return "\n".join(f"* {escape(name)}: {_inline(value)}" for name, value in block.facts)
    return "".join(map(_inline, block))


def _image(plot: Plot) -> str:
    return f"![{escape(plot.caption)}]({plot.name})"


def _samples(block: Samples) -> str:
    """A table, a line each: those of one block have the same systems."""
    systems = list(block.samples[0]["outputs"])
    rows: List[List[Value]] = []
    for sample in block.samples:
        row: List[Value] = [sample[key] for key in ("asked", "source", "reference")]
        for output in (sample["outputs"][system] for system in systems):
            marks = [f"{'✓' if obeyed else '✗'} {name}" for name, obeyed in output["marks"].items()]
            row.append(f"{output['text']} ({', '.join(marks)})" if marks else output["text"])
        rows.append(row)
    return table(["asked for", "source", "reference", *systems], rows)


def _inline(part: str) -> str:
    if isinstance(part, Strong):
        return f"**{escape(part)}**"
    if isinstance(part, Emphasis):
        return f"*{escape(part)}*"
    if isinstance(part, Code):
        text = " ".join(part.split())
        # a longer fence than any inside; what opens a tag there is text
        fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"
    return escape(part)
