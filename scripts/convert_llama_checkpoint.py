"""The same as `fairseq-instr convert`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["convert", *sys.argv[1:]]))
