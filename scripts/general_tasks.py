"""The same as `fairseq-instr general-tasks`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["general-tasks", *sys.argv[1:]]))
