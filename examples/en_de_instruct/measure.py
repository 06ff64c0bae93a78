"""What an exported model obeys, how it translates, and how it addresses people.

    python examples/en_de_instruct/measure.py --model work/model --base work/base-model \
        --text work/text/test --cocoa DIR/formality/test/en-de --output work/report

measures the folders that are served, number format included, with beam 4. The reports are
OUTPUT/instructions and OUTPUT/formality; OUTPUT/composed.json says how often formality and another
instruction are both obeyed.
"""

import argparse
from pathlib import Path
from statistics import mean
from typing import Dict, List, Sequence, Tuple

from task import address, read_columns
from text import FORMALITIES, LANGUAGES

from fairseq_instr.evaluation import evaluate, evaluate_formality
from fairseq_instr.evaluation.formality import read_test_set
from fairseq_instr.evaluation.instructions import Labelled
from fairseq_instr.files import write_json
from fairseq_instr.instructions import Context
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import verify
from fairseq_instr.reports import report_folder, write_report
from fairseq_instr.serving.translator import CTranslate2Translator

SOURCE, TARGET = LANGUAGES
DOMAINS = ("telephony", "call_center")
Pairs = Sequence[Tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="exported folder of the tuned model")
    parser.add_argument("--base", required=True, help="exported folder of the base model")
    parser.add_argument("--text", required=True, type=Path, help="prefix of .en and .de")
    parser.add_argument("--cocoa", required=True, help="folder of CoCoA-MT's test sets")
    parser.add_argument("--lines", type=int, default=200, help="lines an instruction, at most")
    parser.add_argument("--pairs", default="60", help="pairs of instructions: a number, or 'all'")
    parser.add_argument("--pair-lines", type=int, default=15, help="lines a pair, at most")
    parser.add_argument("--output", required=True, type=Path, help="folder of the reports")
    args = parser.parse_args()
    base, model = map(CTranslate2Translator.from_pretrained, (args.base, args.model))
    pairs = read_columns(args.text, LANGUAGES)
    sources, references = map(list, zip(*pairs))
    report = evaluate(
        base, model, sources, references, TARGET,
        labelled=label(pairs, model.inventory.names, args.lines),
        lines=args.lines, pairs=args.pairs, pair_lines=args.pair_lines, rerank=4,
    )  # fmt: skip
    save(report, args.output / "instructions")
    tests = {domain: read_test_set(args.cocoa, domain, *LANGUAGES) for domain in DOMAINS}
    report, _ = evaluate_formality(base, {"tuned": model}, tests, TARGET)
    save(report, args.output / "formality")
    composed = measure_composed(model, pairs, args.pair_lines)
    write_json(args.output / "composed.json", composed, force=True)
    print({kind: round(mean(rates.values()), 4) for kind, rates in composed.items()})


def save(report: dict, folder: Path) -> None:
    with report_folder(folder, force=True):
        print(write_report(report, folder, force=True))


def label(pairs: Pairs, names: Sequence[str], limit: int) -> List[Labelled]:
    """Lines for instructions whose references no rule writes: those whose references obey."""
    found = []
    for name in names:
        instruction = look_up(name)
        if instruction.rewrite is not None:
            continue
        if name in FORMALITIES:
            obeying = [pair for pair in pairs if address(*pair) == name]
        else:
            obeying = [
                (source, target)
                for source, target in pairs
                if instruction.obeys(target, Context(source=source, language=TARGET))
            ]
        if obeying:
            sources, references = zip(*obeying[:limit])
            found.append(Labelled(sources, references, [name] * len(sources)))
    return found


def measure_composed(
    model: CTranslate2Translator, pairs: Pairs, limit: int
) -> Dict[str, Dict[str, float]]:
    """Share of lines that address somebody on which formality and another are both obeyed."""
    lines = [source for source, target in pairs if address(source, target)][:limit]
    rates: Dict[str, Dict[str, float]] = {}
    for formality in FORMALITIES:
        rates[formality] = {}
        for other in model.inventory.names:
            if look_up(other).rewrite is None:
                continue
            asked = [look_up(formality), look_up(other)]
            outputs = model.translate(lines, f"{formality}, {other}")
            obeyed = [
                all(verify(asked, output, Context(source=line, language=TARGET)).values())
                for line, output in zip(lines, outputs)
            ]
            rates[formality][other] = mean(obeyed)
    return rates


if __name__ == "__main__":
    main()
