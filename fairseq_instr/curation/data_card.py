"""What was curated from what, and what was left out: for readers (Markdown) and scripts (JSON)."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Tuple

from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.curators import MAX_UNSPELLED, NOT_UTF8, Curation, by_count
from fairseq_instr.curation.samples import Sample, sample_files
from fairseq_instr.files import refuse_to_overwrite, write_atomically, write_json
from fairseq_instr.text.markdown import escape, table

NAME = "data_card.json"
N_EXAMPLES = 2
_MAX_SHOWN = 120  # characters of an example


def describe(
    curation: Curation,
    samples: Mapping[str, List[Sample]],
    refused: Mapping[str, str],
    made_from: dict,
) -> dict:
    """The data card as plain JSON values."""
    instructions: Dict[str, dict] = {}
    for curator in curation.curators:
        instruction = curator.instruction
        found = samples.get(instruction.name, [])
        n_pairs = curator.base_rate_pairs
        entry = {
            "axis": instruction.axis,
            "made": instruction.source_of_data,
            "samples": len(found),
            "asked_for": curator.n_samples,
            "examined": curator.examined,
            "base_rate": round(curator.obeyed / n_pairs, 4) if n_pairs else None,
            "rejected": by_count(curator.rejections),
            "examples": [sample._asdict() for sample in found[:N_EXAMPLES]],
        }
        if instruction.name in refused:
            entry["refused"] = refused[instruction.name]
        instructions[instruction.name] = entry
    return {
        "made_from": made_from,
        "pairs": curation.pairs,
        "skipped": {NOT_UTF8: curation.invalid},
        "samples": sum(map(len, samples.values())),
        "instructions": instructions,
    }


def describe_text(text: AlignedText, languages: Tuple[str, str]) -> dict:
    """Names and sizes of the files, for `made_from`."""
    sides = zip(("source", "target"), text.paths, text.sizes)
    files = {side: f"{path.name}, {size} bytes" for side, path, size in sides}
    return {**files, "languages": "-".join(languages)}


def summary(card: dict) -> List[str]:
    """A line for each instruction: samples, and rejections by reason."""
    lines = []
    for name, entry in card["instructions"].items():
        asked = f" of {entry['answers']['asked']} asked" if "answers" in entry else ""
        counts = entry["answers"]["refused"] if "answers" in entry else entry["rejected"]
        reasons = ", ".join(f"{reason}: {n}" for reason, n in counts.items()) or "none"
        lines.append(f"{name:18} {entry['samples']:6} samples{asked}; rejected: {reasons}")
        if "refused" in entry:
            lines.append(f"{'':18} left out: {entry['refused']}")
    return lines


def to_markdown(card: dict) -> str:
    """A data card for readers."""
    entries = card["instructions"]
    n_instructions = sum(entry["samples"] > 0 for entry in entries.values())
    made_from = ((name, _said(value)) for name, value in card["made_from"].items())
    rows = []
    for name, entry in entries.items():
        rate = "" if entry["base_rate"] is None else f"{100 * entry['base_rate']:.1f} %"
        rejected = _counts(entry["rejected"])
        if "answers" in entry:
            asked, answers = entry["answers"]["asked"], _counts(entry["answers"]["refused"])
            rejected = f"{rejected}. Of {asked} answers, {answers or 'none'}"
        counts = (entry[key] for key in ("axis", "made", "samples", "examined"))
        rows.append([name, *counts, rate, rejected])
    parts = [
        "# Data card: samples of instructions",
        f"{card['samples']} samples of {n_instructions} instructions from "
        f"{card['pairs']} sentence pairs. Sources are as in the text; with `formatted` above 0, "
        "a share of the pairs carries a format in source and target. Targets: `rule` rewrote the "
        "plain target, `natural` is the plain target, `distilled` was rewritten by a language "
        "model. The licence and terms of the text, and of the model, hold for the samples.",
        table(["made from", ""], made_from),
        "Base rate: share of the first 1,000 plain targets that obey unasked. Examined: pairs that "
        "were tried for the instruction. An instruction has no samples where the vocabulary can't "
        f"spell more than {100 * MAX_UNSPELLED:.0f} % of its targets.",
        table(
            ["instruction", "axis", "made", "samples", "examined", "base rate", "rejected"], rows
        ),
    ]
    skipped = {reason: n for reason, n in card["skipped"].items() if n}
    if skipped:
        parts.append("Skipped: " + "; ".join(f"{n} pairs, {r}" for r, n in skipped.items()) + ".")
    refused = [entry["refused"] for entry in entries.values() if "refused" in entry]
    if refused:
        parts += ["Left out:", "\n".join(f"- {escape(message)}" for message in refused)]
    examples = [
        [_shorten(example[key]) for key in ("instruction", "source", "target")]
        for entry in entries.values()
        for example in entry["examples"]
    ]
    parts += ["## Examples", table(["asked for", "source", "target"], examples)]
    return "\n\n".join(parts) + "\n"


def refuse_to_overwrite_samples(folder, names: Iterable[str], languages, force: bool) -> None:
    """Raise `InputError` if a data card or samples are there and `force` is not set."""
    files = [path for name in names for path in sample_files(Path(folder, name), languages)]
    for path in (*files, Path(folder, NAME)):
        refuse_to_overwrite(path, force)


def write(folder, card: dict, force: bool = False) -> None:
    """Write `data_card.json` and `data_card.md`."""
    write_json(Path(folder, NAME), card, force)
    write_atomically(Path(folder, "data_card.md"), to_markdown(card), force)


def _said(value: object) -> object:
    """One number where all instructions have the same."""
    if isinstance(value, Mapping):
        numbers = set(value.values())
        return numbers.pop() if len(numbers) == 1 else _counts(value)
    if isinstance(value, (list, tuple)) and value:
        return ", ".join(map(str, value))
    return value if value or value == 0 else "none"


def _counts(reasons: Mapping[str, int]) -> str:
    return "; ".join(f"{reason}: {n}" for reason, n in reasons.items())


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
