"""The same as `fairseq-instr spell-arguments`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["spell-arguments", *sys.argv[1:]]))
