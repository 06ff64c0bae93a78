r"""The figures of the catalogue in one file: from the reports of its models, without the texts.

    python examples/instruction_catalogue/collect.py --catalogue work/catalogue \
        --robustness work/robustness/catalogue --formality work/formality/report \
        --phrases work/phrases --output examples/instruction_catalogue/results.json --force

Each folder holds the report.json of one evaluation; the commands that made them stand beside the
figures. What is left out is left out of the file.
"""

import argparse
from pathlib import Path
from typing import Dict, Optional, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_json
from fairseq_instr.plain_data import read_json

# what is kept of each part of a report of fairseq-instr evaluate
KEPT: Dict[str, Tuple[str, ...]] = {
    "adequacy": ("mean", "min"),
    "pairs": ("count", "mean", "adequacy", "by_pair"),
    "triples": ("count", "mean", "adequacy"),
    "reranked": (
        "n_best",
        "response_rate",
        "by_instruction",
        "adequacy",
        "chrf2",
        "pairs",
        "triples",
    ),
}
WHOLE = ("order", "chrf2", "bleu", "signatures", "significance", "interpolation")


def collect(args: argparse.Namespace) -> dict:
    """All figures.

    Raises:
        InputError: if a folder has no report.
    """
    report = read(args.catalogue)
    axes = report["axes"]
    results = {"instructions": len(axes), "axes": len(set(axes.values())), **in_short(report)}
    for name in ("unguided", "earlier"):
        folder = getattr(args, name)
        if folder:
            results[name] = in_short(read(folder))
    if args.robustness:
        found = read(args.robustness)
        conditions = {key: found[key] for key in ("command", "conditions")}
        results["robustness"] = {**conditions, **found["robustness"]}
    if args.formality:
        results["formality"] = formality(read(args.formality), args.formality_system)
    if args.phrases:
        found = read(args.phrases)
        results["phrasings"] = {"command": found["command"], **found["phrasings"]}
    return results


def in_short(report: dict) -> dict:
    """The figures of a report of fairseq-instr evaluate, without outputs."""
    rates = report["response_rate"]
    kept = {
        "command": report["command"],
        "conditions": report["conditions"],
        "response_rate": {**rates, "min": min(rates["by_instruction"].values())},
    }
    for name, fields in KEPT.items():
        if report.get(name):
            kept[name] = {field: report[name][field] for field in fields}
    pairs = kept.get("pairs", {}).get("by_pair", {})
    pairs.update({pair: found["rate"] for pair, found in pairs.items()})
    kept.update({name: report[name] for name in WHOLE if report.get(name)})
    return kept


def formality(report: dict, system: Optional[str]) -> dict:
    """Accuracy and coverage of one system, the report's first if none is named."""
    command = {"command": report["command"]}
    if system is None:
        return {**command, **report["formality"]}
    if system not in report["systems"]:
        known = ", ".join(report["systems"])
        raise InputError(f"--formality-system {system!r} is not in the report; there: {known}")
    kinds = {
        kind: {score: scores[score] for score in ("accuracy", "coverage")}
        for kind, scores in report["systems"][system].items()
    }
    return {**command, "system": system, **kinds}


def read(folder: Path) -> dict:
    return read_json(folder / "report.json", "give a folder that an evaluation has written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalogue", required=True, type=Path, help="report of the model")
    parser.add_argument("--unguided", type=Path, help="the same without guidance")
    parser.add_argument("--earlier", type=Path, help="the same by an earlier recipe")
    parser.add_argument("--robustness", type=Path, help="report of evaluate_robustness.py")
    parser.add_argument("--formality", type=Path, help="report of evaluate_formality.py")
    parser.add_argument("--formality-system", help="the system there; default: its first")
    parser.add_argument("--phrases", type=Path, help="report of a model asked in phrases")
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--force", action="store_true", help="overwrite it")
    args = parser.parse_args()
    write_json(args.output, collect(args), force=args.force)


if __name__ == "__main__":
    main()
