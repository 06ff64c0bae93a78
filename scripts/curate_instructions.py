"""The same as `fairseq-instr curate`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["curate", *sys.argv[1:]]))
