"""Convert task data from JSON lines to aligned files, and back.

    fairseq-instr triples import triples.jsonl -s en -t de --output task/formality/train
    fairseq-instr triples export task/formality/train -s en -t de --output triples.jsonl

A JSON line is {"source": "Come in!", "target": "Kommen Sie herein!", "instructions": ["formal"]}.
The aligned files are task/formality/train.{en,de,instr}, raw text.
"""

from __future__ import annotations

from tqdm import tqdm

from fairseq_instr.cli.options import add_languages, add_output, option
from fairseq_instr.curation.samples import STREAM
from fairseq_instr.curation.triples import export_triples, import_triples
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.text.subwords import load_subwords


def add_arguments(parser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="JSON lines -> OUTPUT.{SOURCE,TARGET,instr}")
    importing.add_argument("input", help="file of JSON lines, plain or .gz")
    exporting = commands.add_parser("export", help="INPUT.{SOURCE,TARGET,instr} -> JSON lines")
    exporting.add_argument("input", help="prefix of the three files")
    text = "the model that segmented the arguments in the .instr file, if any"
    option(exporting, "--subwords", None, text)
    for command in (importing, exporting):
        add_languages(command)
        option(command, "--inventory", None, "instructions.yaml: refuse other instructions")
        add_output(command, "prefix, or file of JSON lines")


def run(args):
    inventory = Inventory.load(args.inventory) if args.inventory else None
    prefix = args.output if args.command == "import" else args.input
    extensions = (args.source_language, args.target_language, STREAM)
    files = [f"{prefix}.{extension}" for extension in extensions]
    if args.command == "import":
        count = import_triples(args.input, files, inventory, force=args.force, watch=tqdm)
    else:
        unspell = None
        if args.subwords:
            unspell = load_subwords(args.subwords, *extensions[:2]).source.decode
        count = export_triples(files, args.output, inventory, unspell, args.force, watch=tqdm)
    print(f"{args.output}: {count} triples")
