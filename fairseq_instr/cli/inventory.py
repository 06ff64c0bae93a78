"""List the catalogue of instructions, or write the inventory of a data-bin.

    fairseq-instr inventory --list
    fairseq-instr inventory --output data-bin/instructions.yaml to:de uppercase formal

An instruction that takes an argument, such as begin-with, is named without it here. To add an
instruction of your own, add an entry to the file by hand.
"""

from __future__ import annotations

from typing import Dict

from tabulate import tabulate

from fairseq_instr.cli.options import flag, option
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory, catalogue
from fairseq_instr.instructions.asking import parse, split
from fairseq_instr.instructions.base_rates import base_rate
from fairseq_instr.instructions.catalogue import find, look_up


def add_arguments(parser) -> None:
    text = "instructions of the catalogue, in the order of their symbols"
    parser.add_argument("names", nargs="*", help=text)
    option(parser, "--output", None, "file to write, DATA/instructions.yaml")
    flag(parser, "--list", "list the catalogue")
    flag(parser, "--force", "overwrite the output")


def run(args) -> None:
    if args.list:
        print(tabulate(map(_row, catalogue().values()), headers="keys", tablefmt="plain"))
        return
    if not args.names or not args.output:
        raise InputError("give --output and at least one instruction, or --list")
    names = parse(",".join(args.names), find)
    for name, argument in map(split, names):
        if argument is not None:
            raise InputError(f"{name}={argument} is not accepted: name {name} without its argument")
    inventory = Inventory(map(look_up, names))
    inventory.save(args.output, force=args.force)
    print(f"{args.output}: {len(inventory)} instructions on {len(inventory.axes)} axes")


def _row(instruction: Instruction) -> Dict[str, str]:
    slot = f"={instruction.argument.upper()}" if instruction.argument else ""
    measured = (base_rate(instruction.name, language) for language in ("de", "en"))
    rate = next((rate for rate in measured if rate is not None), None)
    return {
        "name": instruction.name + slot,
        "axis": instruction.axis,
        "data": instruction.source_of_data,
        "base rate": "" if rate is None else f"{100 * rate:.1f} %",
        "into": ",".join(sorted(instruction.languages)) if instruction.languages else "any",
        "phrase": instruction.phrases[0],
    }
