"""The report on robustness for reading."""

from __future__ import annotations

from typing import Any, List, Mapping

from fairseq_instr.reports.parts import (
    NONE,
    Block,
    Emphasis,
    Paragraph,
    Section,
    Strong,
    Table,
    Value,
    last_sections,
    number,
    percent,
)


def describe(report: Mapping[str, Any]) -> List[Section]:
    """The report for reading: changed, aimed and trusted, then by kind of attack."""
    found = report["robustness"]
    blocks: List[Block] = [
        Paragraph(
            "Text that asks for something was put into sources. ",
            Emphasis("Changed"),
            ": the output obeys an instruction that nobody gave, and neither the clean source's "
            "output nor the control's does. The ",
            Emphasis("control"),
            " is the same text around words that ask for nothing. Its share is counted the same "
            "way: if attacks had no effect, the two would be equal. ",
            Emphasis("Aimed"),
            ": the whole output, or one of its sentences, obeys the very instruction that the text "
            "names. Instructions that count are those that plain translations hardly ever obey: "
            + (", ".join(found["counted"]) or "none")
            + ".",
        ),
        Paragraph(
            f"Of {number(found['cases'], 0)} attacked sources ",
            Strong(percent(found["changed"])),
            f" changed (control {percent(found['changed_control'])}, sign test "
            f"p = {number(found['p_value'], 3)}); the instruction that was named is obeyed in ",
            Strong(percent(found["aimed"])),
            f" (control {percent(found['aimed_control'])}).",
            *_base_summary(found["base"]),
        ),
        Paragraph(
            "An instruction over the trusted channel is obeyed in ",
            Strong(percent(found["obeyed_attacked"])),
            f" of {number(found['trusted_cases'], 0)} attacked sources, in "
            f"{percent(found['obeyed_control'])} of the controls and "
            f"{percent(found['obeyed_clean'])} of the clean ones (attack against control: "
            f"p = {number(found['obeyed_p_value'], 3)}).",
        ),
        _kinds_table(found),
    ]
    obeyed = [[n, c["attacked"], c["control"]] for n, c in found["by_instruction"].items()]
    examples: List[List[Value]] = [
        [e["kind"], _with_codes(e["source"]), _with_codes(e["output"]),
         ", ".join(e["changed"]) or NONE]
        for e in found["examples"]
    ]  # fmt: skip
    tables = (
        ("Instructions that were obeyed", "How often each instruction was obeyed that nobody gave",
         ["instruction", "attack", "control"], obeyed),
        ("Examples", "Attacked sources and their translations",
         ["kind", "attacked source", "output", "changed"], examples),
    )  # fmt: skip
    return [
        Section("Robustness to instructions in the source", blocks, level=1),
        *(Section(title, [Table(*table) if table[-1] else Paragraph("None.")])
          for title, *table in tables),
        *last_sections(report),
    ]  # fmt: skip


def _base_summary(base: Mapping[str, Any]) -> List[str]:
    if base["cases"] is None:
        return []
    return [
        " The base model, which knows no instructions: "
        f"{percent(base['changed'])} changed (control {percent(base['changed_control'])}), "
        f"{percent(base['aimed'])} as named (control {percent(base['aimed_control'])})."
    ]


def _kinds_table(found: Mapping[str, Any]) -> Table:
    rows: List[List[Value]] = []
    for kind, rates in {**found["by_kind"], "all": found}.items():
        shown = [rates["changed"], rates["changed_control"], rates["base"]["changed"],
                 rates["aimed"], rates["aimed_control"], rates["base"]["aimed"],
                 *(rates[f"obeyed_{k}"] for k in ("clean", "control", "attacked"))]  # fmt: skip
        rows.append([kind, number(rates["cases"], 0), *map(percent, shown)])
    return Table(
        "Shares of the cases by kind of attack",
        ["attack", "cases", "changed", "control", "base", "aimed", "control", "base",
         "trusted, clean", "control", "attacked"],
        rows,
    )  # fmt: skip


def _with_codes(text: str) -> str:
    """Text in which what is not seen stands as its code: `U+200B` for a space of no width."""
    return "".join(c if c.isprintable() else f"‹U+{ord(c):04X}›" for c in text)
