"""What an exported model obeys, how it translates, and how it addresses people.

    python examples/en_de_instruct/measure.py --model models/en-de-instruct --base work/base-ct2 \
        --text work/text --split test --cocoa DIR/formality/test/en-de --output work/results.json

measures the folders that are served, number format included, with beam 4.
"""

import argparse
import json
import random
from functools import partial
from pathlib import Path
from typing import List, Tuple

from task import address
from text import FORMALITIES, LANGUAGES, read_columns

from fairseq_instr.evaluation.instructions import (
    JOINT,
    InstructionTestSet,
    combinations,
    measure_instructed,
)
from fairseq_instr.evaluation.quality import measure_quality, paired_significance
from fairseq_instr.instructions import Context, Instruction
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.reports.formality import evaluate as evaluate_formality
from fairseq_instr.reports.formality import read_test_set
from fairseq_instr.serving.translator import CTranslate2Translator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="exported folder")
    parser.add_argument("--base", help="exported folder of the base model, for plain translation")
    parser.add_argument("--text", required=True, type=Path, help="folder that text.py wrote")
    parser.add_argument("--split", default="valid", choices=("valid", "test"))
    parser.add_argument("--cocoa", help="folder of CoCoA-MT's test sets; none: not measured")
    parser.add_argument("--lines", type=int, default=200, help="lines an instruction, at most")
    parser.add_argument("--pairs", type=int, default=60, help="pairs of instructions, drawn")
    parser.add_argument("--pair-lines", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True, type=Path, help="JSON file to write")
    args = parser.parse_args()
    model = CTranslate2Translator.from_pretrained(args.model)
    lines = list(read_columns(args.text / args.split, LANGUAGES))
    test, singles = make_test(lines, model.inventory.names, args.lines)
    pairs = draw_pairs(test, model.inventory.names, args.pairs, args.pair_lines, args.seed)
    plain, responses, _ = measure_instructed(model.translate, test, singles + pairs)
    rates = {JOINT.join(names): response.to_dict() for names, response in responses.items()}
    single = [rates[name] for (name,) in singles]
    results = {
        "split": args.split,
        "instructions": {name: rates[name] for (name,) in singles},
        "response_rate": spread([row["rate"] for row in single]),
        "adequacy": spread([row["adequacy"] for row in single]),
        "pairs": {JOINT.join(pair): rates[JOINT.join(pair)] for pair in pairs},
        "plain": {"model": measure_quality(plain, test.references, LANGUAGES[1])},
    }
    if pairs:
        in_pairs = [rates[JOINT.join(pair)] for pair in pairs]
        obeyed = sum(row["rate"] * row["lines"] for row in in_pairs)
        results["pairs_obeyed"] = round(obeyed / sum(row["lines"] for row in in_pairs), 4)
    if args.base:
        base = CTranslate2Translator.from_pretrained(args.base)
        outputs = base.translate(test.sources)
        results["plain"]["base"] = measure_quality(outputs, test.references, LANGUAGES[1])
        systems = {"base": outputs, "model": plain}
        results["plain"]["significance"] = paired_significance(systems, test.references)
    if args.cocoa:
        domains = ("telephony", "call_center")
        tests = {domain: read_test_set(args.cocoa, domain, *LANGUAGES) for domain in domains}
        report, _ = evaluate_formality({"model": model.translate}, tests, LANGUAGES[1])
        results["formality"] = {
            system: {
                kind: {k: found[k] for k in ("accuracy", "coverage", "bleu", "chrf2", "domains")}
                for kind, found in by_kind.items()
            }
            for system, by_kind in report["systems"].items()
        }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(table(results))


def make_test(
    pairs: List[Tuple[str, str]], names: List[str], limit: int
) -> Tuple[InstructionTestSet, List[tuple]]:
    """Lines for each instruction: made by its rule, or those whose references obey it.

    `formal` and `informal` are asked of every line that addresses somebody for certain; those of
    the other address have no reference under the instruction, only the plain one.
    """
    test = InstructionTestSet(*map(list, zip(*pairs)), LANGUAGES[1])
    for name in names:
        instruction = look_up(name)
        if instruction.rewrite is not None:
            test.add_rule_made((name,), limit)
            continue
        suits = address if name in FORMALITIES else partial(obeys, instruction)
        obeyed = [(source, target, target) for source, target in pairs if suits(source, target)]
        if obeyed:
            test.cases[(name,)] = obeyed[:limit]
    return test, [(name,) for name in names if (name,) in test.cases]


def obeys(instruction: Instruction, source: str, target: str) -> bool:
    return instruction.obeys(target, Context(source=source, language=LANGUAGES[1]))


def draw_pairs(test: InstructionTestSet, names, count: int, limit: int, seed: int) -> List[tuple]:
    """Pairs of instructions that rules can write, in random order, until there are enough."""
    candidates = combinations(names, 2)
    random.Random(seed).shuffle(candidates)
    found: List[tuple] = []
    for pair in candidates:
        if len(found) == count:
            break
        if test.add_rule_made(pair, limit):
            found.append(pair)
    return found


def spread(values: List[float]) -> dict:
    return {"mean": round(sum(values) / len(values), 4), "min": min(values)}


def table(results: dict) -> str:
    """The figures in Markdown."""
    rows = ["| instruction | lines | obeyed (95 %) | adequacy |", "|---|---|---|---|"]
    for name, row in results["instructions"].items():
        low, high = 100 * row["low"], 100 * row["high"]
        rows.append(
            f"| `{name}` | {row['lines']} | {100 * row['rate']:.1f} % ({low:.0f} to {high:.0f}) "
            f"| {row['adequacy']:.2f} |"
        )
    others = {k: v for k, v in results.items() if k not in ("instructions", "pairs", "formality")}
    for system, by_kind in results.get("formality", {}).items():
        for kind, found in by_kind.items():
            scores = {k: v for k, v in found.items() if k != "domains"}
            others[f"{system}, {kind}"] = scores
    rows += ["", *(f"{name}: {json.dumps(value)}" for name, value in others.items())]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
