"""The same as `fairseq-instr evaluate`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
