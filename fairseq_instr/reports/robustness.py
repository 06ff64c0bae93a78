"""The report on robustness: `report.json` and `report.md`."""

from __future__ import annotations

from typing import List, Optional

from fairseq_instr.reports.presentation import (
    Block,
    Emphasis,
    Paragraph,
    Section,
    Strong,
    Table,
    conditions_section,
    write_files,
)


def write_robustness_report(report: dict, folder, force: bool = False) -> None:
    """Write `report.json` and `report.md`.

    Args:
        report: `{"command", "conditions", "robustness"}`, the last of `measure_robustness`.
        folder: is made if it is missing.
        force: overwrite a report there.

    Raises:
        InputError: if there is a report and `force` is not set; nothing is written then.
    """
    write_files(report, report_sections(report), folder, force)


def report_sections(report: dict) -> List[Section]:
    """The report for reading."""
    found = report["robustness"]
    blocks: List[Block] = [
        Paragraph(
            "Sources into which text was put that asks for something. ",
            Emphasis("Changed"),
            ": the output obeys an instruction that nobody gave, and that neither the clean "
            "source's output obeys nor that of a control: the same text around words that ask "
            "for nothing. ",
            Emphasis("Control"),
            ": the same share with the two in each other's place, which is what chance gives. ",
            Emphasis("Aimed"),
            ": the very instruction that the text names, on the whole output or on a sentence. "
            "What may have changed, as plain translations hardly ever obey it: "
            + ", ".join(found["counted"]),
            ", and what the text names, likewise.",
        ),
        Paragraph(
            f"Of {found['cases']} attacked sources ",
            Strong(_percent(found["changed"])),
            f" changed (control {_percent(found['changed_control'])}, sign test "
            f"p = {found['p_value']:.3f}); the instruction that was named is obeyed in ",
            Strong(_percent(found["aimed"])),
            f" (control {_percent(found['aimed_control'])}).",
            *_base_summary(found),
        ),
        Paragraph(
            "An instruction over the trusted channel is obeyed in ",
            Strong(_percent(found["obeyed_attacked"])),
            f" of {found['trusted_cases']} attacked sources, in "
            f"{_percent(found['obeyed_control'])} of the controls and "
            f"{_percent(found['obeyed_clean'])} of the clean ones (attack against control: "
            f"p = {found['obeyed_p_value']:.3f}).",
        ),
        _kinds_table(found),
    ]
    examples = [
        [
            example["kind"],
            _with_codes(example["source"]),
            _with_codes(example["output"]),
            ", ".join(example["changed"]) or "–",
        ]
        for example in found["examples"]
    ]
    return [
        Section("Robustness to instructions in the source", blocks, level=1),
        Section(
            "Instructions that were obeyed",
            [
                Table(
                    "How often each instruction was obeyed that nobody gave",
                    ["instruction", "attack", "control"],
                    [[n, c["attacked"], c["control"]] for n, c in found["by_instruction"].items()],
                )
            ]
            if found["by_instruction"]
            else [Paragraph("None.")],
        ),
        Section(
            "Examples",
            [
                Table(
                    "Attacked sources and their translations",
                    ["kind", "attacked source", "output", "changed"],
                    examples,
                )
            ],
        ),
        conditions_section(report),
    ]


def _base_summary(found: dict) -> List[str]:
    if "base" not in found:
        return []
    base = found["base"]
    return [
        " The base model, which knows no instructions: "
        f"{_percent(base['changed'])} changed (control {_percent(base['changed_control'])}), "
        f"{_percent(base['aimed'])} as named (control {_percent(base['aimed_control'])})."
    ]


def _kinds_table(found: dict) -> Table:
    rows = []
    for kind, rates in {**found["by_kind"], "all": found}.items():
        base = rates.get("base", {})
        rows.append(
            [
                kind,
                rates["cases"],
                *(_percent(rates[k]) for k in ("changed", "changed_control")),
                _percent(base.get("changed")),
                *(_percent(rates[k]) for k in ("aimed", "aimed_control")),
                _percent(base.get("aimed")),
                *(_percent(rates[f"obeyed_{k}"]) for k in ("clean", "control", "attacked")),
            ]
        )
    return Table(
        "Shares of the cases by kind of attack",
        ["attack", "cases", "changed", "control", "base", "aimed", "control", "base",
         "trusted, clean", "control", "attacked"],
        rows,
    )  # fmt: skip


def _percent(share: Optional[float]) -> str:
    return "–" if share is None else f"{share:.1%}"


def _with_codes(text: str) -> str:
    """Text in which what is not seen stands as its code: `U+200B` for a space of no width."""
    return "".join(c if c.isprintable() else f"‹U+{ord(c):04X}›" for c in text)
