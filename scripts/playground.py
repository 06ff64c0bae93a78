"""The same as `fairseq-instr playground`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["playground", *sys.argv[1:]]))
