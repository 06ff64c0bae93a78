"""The same as `fairseq-instr robustness`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["robustness", *sys.argv[1:]]))
