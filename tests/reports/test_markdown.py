from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.reports.html import visible
from fairseq_instr.reports.markdown import as_markdown
from fairseq_instr.reports.parts import (
    Cell,
    Code,
    Emphasis,
    Facts,
    Paragraph,
    Plot,
    Samples,
    Section,
    Strong,
    Table,
)
from fairseq_instr.text.markdown import table

text = st.text(st.characters(exclude_categories=()) | st.sampled_from(list("`*_|[]\\<&\n\r\x85")))


def test_parts_as_markdown():
    sections = [
        Section("Title", [Paragraph("Is ", Strong("9 %"), ", ", Emphasis("so"), Code("a|b"))], 1),
        Section("Values", [Table("Caption", ["name", "share"], [["x", Cell("3 %", heat=0.03)]])]),
        Section("Facts", [Facts([("beam", "4"), ("command", Code("python `x`"))])]),
    ]  # fmt: skip
    assert as_markdown(sections).split("\n\n") == [
        "# Title",
        "Is **9 %**, *so*`a|b`",
        "## Values",
        "| name | share |\n| --- | --- |\n| x | 3 % |",
        "## Facts",
        "* beam: 4\n* command: `` python `x` ``\n",
    ]


def test_a_plot_stands_for_its_table_where_it_lies_beside_the_file():
    plot = Plot("Pairs", "pairs.png", draw=lambda pyplot: None)
    sections = [Section("Pairs", [Table("Pairs", ["", "a"], [["a", "1"]], plot=plot), plot])]
    assert as_markdown(sections).count("![Pairs](pairs.png)") == 2
    without = as_markdown(sections, with_plots=False)
    assert "pairs.png" not in without and "| a | 1 |" in without


def test_samples_are_a_table_with_marks():
    outputs = {"tuned": {"text": "T", "marks": {"formal": True, "json": False}}}
    sample = {"asked": "formal", "source": "S", "reference": "R", "outputs": outputs}
    shown = as_markdown([Section("S", [Samples([sample])])])
    assert "| asked for | source | reference | tuned |" in shown
    assert "| formal | S | R | T (✓ formal, ✗ json) |" in shown


@given(text, text)
def test_any_text_stays_in_its_cell_and_is_no_markup(first, second):
    lines = table(["a", "b"], [[first, second]]).splitlines()
    assert len(lines) == 3
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[2])) == 3
    unescaped = re.sub(r"\\.", "", lines[2])
    assert not set(unescaped) & set("`*[]<\\")


@given(text)
def test_code_ends_where_it_ends(inside):
    shown = as_markdown([Section("S", [Paragraph(Code(inside))])]).split("\n\n", 1)[1][:-1]
    fence = re.match("`+", shown)[0]
    assert shown.endswith(fence)
    body = shown[len(fence) : -len(fence)]
    assert len(fence) not in map(len, re.findall("`+", body))
    assert "\n" not in body


@given(text)
def test_what_is_visible_can_be_written(anything):
    shown = visible(anything)
    shown.encode("utf-8")
    assert len(shown) == len(anything)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", shown)
    assert visible(shown) == shown
