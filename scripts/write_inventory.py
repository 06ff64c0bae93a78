"""Write an inventory of instructions of the catalogue into a data-bin.

Such as:

    python scripts/write_inventory.py --output data-bin/instructions.yaml to:de uppercase formal
    python scripts/write_inventory.py --list
"""

import argparse

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Inventory, catalogue
from fairseq_instr.instructions.catalogue import look_up


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="instructions, in the order of their symbols")
    parser.add_argument("--output", help="file to write, DATA/instructions.yaml")
    parser.add_argument("--list", action="store_true", help="show the catalogue and stop")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    args = parser.parse_args()
    if args.list:
        for instruction in catalogue().values():
            print(f"{instruction.name:16} {instruction.axis:14} {instruction.phrases[0]}")
        return
    if not args.names or not args.output:
        raise InputError("give --output and at least one instruction, or --list")
    inventory = Inventory(look_up(name) for name in args.names)
    inventory.save(args.output, force=args.force)
    print(f"{args.output}: {len(inventory)} instructions on {len(inventory.axes)} axes")


if __name__ == "__main__":
    main()
