"""The report on general tasks for reading."""

from __future__ import annotations

from typing import Any, List, Mapping

from fairseq_instr.reports.parts import (
    Paragraph,
    Section,
    Table,
    last_sections,
    number,
    percent,
    rate,
)


def describe(report: Mapping[str, Any]) -> List[Section]:
    """The report for reading: likelihood, language and constraints by system."""
    systems = report["systems"].items()
    return [
        Section(
            "General tasks",
            [
                Paragraph(
                    "NLL: negative log-likelihood of the references, in nats per token. English: "
                    "share of greedy answers in English, of the tasks whose reference is. Strict: "
                    "share of answers that obey a constraint added to the task. Loose: the same "
                    "without regard to the first line, the last line and asterisks."
                ),
                Table(
                    "General tasks by system",
                    ["system", "NLL", "tokens", "English", "tasks", "strict", "loose"],
                    [
                        [name, number(own["nll"], 3), own["tokens"] or 0, percent(own["english"]),
                         own["english_tasks"] or 0, rate({**own, "rate": own["strict"]}),
                         percent(own["loose"])]
                        for name, own in systems
                    ],
                ),
            ],
            level=1,
        ),
        Section(
            "Constraints",
            [
                Paragraph(
                    "Unasked: share of answers that obey when the task comes without the "
                    "constraint."
                ),
                Table(
                    "Constraints by system",
                    ["system", "constraint", "tasks", "strict", "loose", "unasked"],
                    [
                        [name, constraint, found["tasks"] or 0,
                         rate({**found, "rate": found["strict"]}, with_interval=True),
                         percent(found["loose"]), percent(found["unasked"])]
                        for name, own in systems
                        for constraint, found in own["constraints"].items()
                    ],
                ),
            ],
        ),
        *last_sections(report),
    ]  # fmt: skip
