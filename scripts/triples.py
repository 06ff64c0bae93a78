"""The same as `fairseq-instr triples`, from a checkout."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["triples", *sys.argv[1:]]))
