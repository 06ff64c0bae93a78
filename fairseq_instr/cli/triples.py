r"""Triples of source, target and instructions: from JSON lines to aligned files, and back.

    python scripts/triples.py import triples.jsonl -s en -t de --output task/formality/train
    python scripts/triples.py export task/formality/train -s en -t de --output triples.jsonl

where a line is {"source": "Come in!", "target": "Kommen Sie herein!", "instructions": ["formal"]}
and the files are task/formality/train.{en,de,instr}. With --subwords, arguments of instructions
are in subwords in the .instr file, as fairseq-preprocess wants them.
"""

import argparse

from tqdm import tqdm

from fairseq_instr.curation.triples import export_triples, import_triples
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.text.subwords import Subwords


def main():
    args = build_parser().parse_args()
    inventory = Inventory.load(args.inventory) if args.inventory else None
    subwords = Subwords(args.subwords) if args.subwords else None
    prefix = args.output if args.command == "import" else args.input
    extensions = (args.source_language, args.target_language, "instr")
    files = [f"{prefix}.{extension}" for extension in extensions]
    with tqdm(desc=args.command, unit="B", unit_scale=True) as bar:
        options = {"force": args.force, "progress": bar.update}
        if args.command == "import":
            spell = subwords.encode if subwords else None
            count = import_triples(args.input, files, inventory, spell, **options)
        else:
            unspell = subwords.decode if subwords else None
            count = export_triples(files, args.output, inventory, unspell, **options)
    print(f"{args.output}: {count} triples")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="JSON lines -> OUTPUT.{SOURCE,TARGET,instr}")
    importing.add_argument("input", help="file of JSON lines, or .gz")
    exporting = commands.add_parser("export", help="INPUT.{SOURCE,TARGET,instr} -> JSON lines")
    exporting.add_argument("input", help="prefix of the three files")
    for command in (importing, exporting):
        command.add_argument("-s", "--source-language", required=True)
        command.add_argument("-t", "--target-language", required=True)
        command.add_argument("--inventory", help="instructions.yaml: refuse what is not in it")
        command.add_argument("--subwords", help="SentencePiece model that spells arguments")
        command.add_argument("--output", required=True, help="prefix, or file of JSON lines")
        command.add_argument("--force", action="store_true", help="overwrite what is there")
    return parser


if __name__ == "__main__":
    main()
