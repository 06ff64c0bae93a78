"""The same as `fairseq-instr inventory`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["inventory", *sys.argv[1:]]))
