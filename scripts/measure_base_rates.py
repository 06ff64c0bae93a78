"""The same as `fairseq-instr base-rates`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["base-rates", *sys.argv[1:]]))
