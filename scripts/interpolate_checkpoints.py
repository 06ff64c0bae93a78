"""The same as `fairseq-instr interpolate`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["interpolate", *sys.argv[1:]]))
