"""Write an inventory of instructions of the catalogue into a data-bin.

Such as:

    python scripts/write_inventory.py --output data-bin/instructions.yaml to:de uppercase formal
    python scripts/write_inventory.py --list

An instruction with a slot, such as begin-with, is named without its argument here.
"""

import argparse

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Inventory, catalogue
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.catalogue.base_rates import base_rate


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="instructions, in the order of their symbols")
    parser.add_argument("--output", help="file to write, DATA/instructions.yaml")
    parser.add_argument("--list", action="store_true", help="show the catalogue and stop")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    args = parser.parse_args()
    if args.list:
        print_catalogue()
        return
    if not args.names or not args.output:
        raise InputError("give --output and at least one instruction, or --list")
    inventory = Inventory(look_up(name) for name in args.names)
    inventory.save(args.output, force=args.force)
    print(f"{args.output}: {len(inventory)} instructions on {len(inventory.axes)} axes")


def print_catalogue():
    """One line an instruction: name, axis, origin of its data, base rate, languages, a phrase."""
    for instruction in catalogue().values():
        name = instruction.name + (
            f"={instruction.argument.upper()}" if instruction.argument else ""
        )
        languages = ",".join(sorted(instruction.languages)) if instruction.languages else "any"
        rates = {code: base_rate(instruction.name, code) for code in ("de", "en")}
        rate = next((rate for rate in rates.values() if rate is not None), None)
        rate = "" if rate is None else f"{100 * rate:.1f} %"
        origin = f"{instruction.source_of_data:9} {rate:>7}"
        print(f"{name:18} {instruction.axis:15} {origin} {languages:24} {instruction.phrases[0]}")


if __name__ == "__main__":
    main()
