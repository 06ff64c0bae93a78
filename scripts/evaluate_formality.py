"""The same as `fairseq-instr formality`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["formality", *sys.argv[1:]]))
