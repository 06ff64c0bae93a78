"""The same as `fairseq-instr report`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["report", *sys.argv[1:]]))
