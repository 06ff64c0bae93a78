"""Formality of several systems on a test set in the layout of CoCoA-MT, and its report.

Every source is translated under `formal` and under `informal`, by the base model, which takes no
instructions, once. Accuracy never stands without coverage, nor either without quality: BLEU and
chrF2 against the references of the kind that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.formality import ASKED, measure_formality, without_marks
from fairseq_instr.evaluation.quality import measure_quality
from fairseq_instr.evaluation.response import check_aligned
from fairseq_instr.reports.presentation import (
    Block,
    Code,
    Paragraph,
    Section,
    Table,
    conditions_section,
    write_files,
)
from fairseq_instr.text.lines import read_lines

BASE, REFERENCES = "base", "references"
N_EXAMPLES = 8
Translate = Callable[[Sequence[str], Sequence[str]], List[str]]
"""`(lines, instructions of each, such as "formal") -> outputs`"""


@dataclass(frozen=True)
class FormalityTestSet:
    """Sources of one domain and their annotated references, `formal` and `informal`."""

    sources: Sequence[str]
    annotated: Mapping[str, Sequence[str]]


def read_test_set(folder, domain: str, source: str, target: str) -> FormalityTestSet:
    """`DOMAIN.SOURCE` and `DOMAIN.{formal,informal}.ann.TARGET` of a folder, plain or `.gz`.

    Raises:
        InputError: if a file is missing, not UTF-8, or not as long as the others.
    """
    names = {"source": f"{domain}.{source}"}
    names.update({kind: f"{domain}.{kind}.ann.{target}" for kind in ASKED})
    lines = {}
    for name, file in names.items():
        path = Path(folder, file)
        lines[name] = read_lines(path if path.exists() else f"{path}.gz")
    check_aligned(**lines)
    return FormalityTestSet(lines.pop("source"), lines)


def evaluate(
    systems: Mapping[str, Translate], tests: Mapping[str, FormalityTestSet], language: str
) -> Tuple[dict, Dict[str, Dict[str, List[str]]]]:
    """Translate and score.

    Args:
        systems: by name; the one called `base` is asked for nothing.
        tests: by domain.
        language: target language.

    Returns:
        (`{"formality", "systems", "signatures", "examples"}`, outputs by system and kind). The
        scores of a system, and of `references`, are by kind: accuracy, coverage, verdicts, all
        domains together and each of them, and quality. `formality` is the first system's.

    Raises:
        InputError: if there is no system but the base.
    """
    first = next((name for name in systems if name != BASE), None)
    if first is None or not tests:
        raise InputError("--systems and --domains: give at least one of each")
    sources = [line for test in tests.values() for line in test.sources]
    annotated = {k: [line for test in tests.values() for line in test.annotated[k]] for k in ASKED}
    references = {kind: list(map(without_marks, lines)) for kind, lines in annotated.items()}
    outputs = {REFERENCES: references}
    for name, translate in systems.items():
        if name == BASE:
            plain = translate(sources, [""] * len(sources))
            outputs[name] = dict.fromkeys(ASKED, plain)
        else:
            asked = [kind for kind in ASKED for _ in sources]
            both = translate(sources * len(ASKED), asked)
            outputs[name] = dict(zip(ASKED, (both[: len(sources)], both[len(sources) :])))
    signatures: Dict[str, str] = {}
    scores: Dict[str, dict] = {}
    for name, by_kind in outputs.items():
        scores[name] = {}
        for kind in ASKED:
            whole = measure_formality(
                by_kind[kind], annotated["formal"], annotated["informal"], kind, language
            )
            quality = measure_quality(by_kind[kind], references[kind], language)
            signatures = {"formality": whole.signature, **quality.pop("signatures")}
            domains, start = {}, 0
            for domain, test in tests.items():
                end = start + len(test.sources)
                part = measure_formality(
                    by_kind[kind][start:end],
                    test.annotated["formal"],
                    test.annotated["informal"],
                    kind,
                    language,
                )
                domains[domain] = _scores(part)
                start = end
            scores[name][kind] = {**_scores(whole), **quality, "domains": domains}
    report = {
        "formality": {
            kind: {key: scores[first][kind][key] for key in ("accuracy", "coverage")}
            for kind in ASKED
        },
        "systems": scores,
        "signatures": signatures,
        "examples": [
            {
                "source": source,
                **{kind: outputs[first][kind][i] for kind in ASKED},
                **{f"{kind} reference": references[kind][i] for kind in ASKED},
            }
            for i, source in enumerate(sources[:N_EXAMPLES])
        ],
    }
    return report, {name: by_kind for name, by_kind in outputs.items() if name != REFERENCES}


def _scores(found) -> dict:
    entry = found.to_dict()
    return {key: entry[key] for key in ("lines", "accuracy", "coverage", "counts")}


def write_formality_report(report: dict, folder, force: bool = False) -> None:
    """Write `report.json` and `report.md`.

    Args:
        report: of `evaluate`, with `command` and `conditions`; and, where plain translation was
            measured, `plain`: system -> BLEU and chrF2.
        folder: is made if it is missing.
        force: overwrite a report there.
    """
    write_files(report, report_sections(report), folder, force)


def report_sections(report: dict) -> List[Section]:
    """The report for reading."""
    rows = []
    for name, by_kind in report["systems"].items():
        for kind, found in by_kind.items():
            rows.append(
                [
                    name,
                    kind,
                    *(f"{found[key]:.1%}" for key in ("accuracy", "coverage")),
                    " / ".join(str(n) for n in found["counts"].values()),
                    *(
                        f"{d['accuracy']:.1%} of {d['coverage']:.1%}"
                        for d in found["domains"].values()
                    ),
                    *("–" if name == REFERENCES else found[key] for key in ("bleu", "chrf2")),
                ]
            )
    first = next(iter(report["systems"].values()))["formal"]
    blocks: List[Block] = [
        Paragraph(
            "Accuracy: of the outputs in which phrases of one formality alone are found, the share "
            "that has the one asked for. Coverage: the share of such outputs. Verdicts: lines that "
            f"are {', '.join(first['counts'])}. Quality against the references of that kind. "
            "The base model is asked for nothing."
        ),
        Table(
            "Formality by system and kind",
            ["system", "asked for", "accuracy", "coverage", "verdicts", *first["domains"], "BLEU",
             "chrF2"],
            rows,
        ),
        Paragraph("Signatures: ", *_codes(report["signatures"].values())),
    ]  # fmt: skip
    sections = [Section("Formality", blocks, level=1)]
    if "plain" in report:
        table = Table(
            "Plain translation",
            ["system", "BLEU", "chrF2"],
            [[name, found["bleu"], found["chrf2"]] for name, found in report["plain"].items()],
        )
        sections.append(Section("Plain translation", [table]))
    header = list(report["examples"][0])
    examples = [[example[key] for key in header] for example in report["examples"]]
    sections.append(Section("Examples", [Table("Outputs", header, examples)]))
    return [*sections, conditions_section(report)]


def _codes(texts) -> List[str]:
    parts: List[str] = []
    for text in texts:
        parts += [Code(text), "; "]
    return parts[:-1]
