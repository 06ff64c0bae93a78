"""Sections of a report as Markdown. Whatever markup models write is shown as text."""

from __future__ import annotations

import re
from typing import List, Sequence

from fairseq_instr.reports import parts
from fairseq_instr.text.markdown import escape, table


def as_markdown(sections: Sequence[parts.Section], with_plots: bool = True) -> str:
    """Sections for reading as text."""
    shown = []
    for section in sections:
        shown.append("#" * section.level + " " + escape(section.title))
        shown += filter(None, (_block(block, with_plots) for block in section.blocks))
    return "\n\n".join(shown) + "\n"


def _block(block: parts.Block, with_plots: bool) -> str:
    if isinstance(block, parts.Table):
        return _image(block.plot) if block.plot and with_plots else table(block.header, block.rows)
    if isinstance(block, parts.Plot):
        return _image(block) if with_plots else ""
    if isinstance(block, parts.Samples):
        return _samples(block)
    if isinstance(block, parts.Facts):
        return "\n".join(f"* {escape(name)}: {_inline(value)}" for name, value in block.facts)
    return "".join(map(_inline, block))


def _image(plot: parts.Plot) -> str:
    return f"![{escape(plot.caption)}]({plot.name})"


def _samples(block: parts.Samples) -> str:
    """A table, a line each: those of one block have the same systems."""
    systems = list(block.samples[0]["outputs"])
    rows: List[List[parts.Value]] = []
    for sample in block.samples:
        row: List[parts.Value] = [sample[key] for key in ("asked", "source", "reference")]
        for output in (sample["outputs"][system] for system in systems):
            marks = [f"{'✓' if obeyed else '✗'} {name}" for name, obeyed in output["marks"].items()]
            row.append(f"{output['text']} ({', '.join(marks)})" if marks else output["text"])
        rows.append(row)
    return table(["asked for", "source", "reference", *systems], rows)


def _inline(part: str) -> str:
    if isinstance(part, parts.Strong):
        return f"**{escape(part)}**"
    if isinstance(part, parts.Emphasis):
        return f"*{escape(part)}*"
    if isinstance(part, parts.Code):
        text = " ".join(part.split())
        # a longer fence than any inside; what opens a tag there is text
        fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"
    return escape(part)
