"""The same as `fairseq-instr evaluate`, or `directions` where --directions is given."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    directions = any(argument.partition("=")[0] == "--directions" for argument in sys.argv[1:])
    sys.exit(main(["directions" if directions else "evaluate", *sys.argv[1:]]))
