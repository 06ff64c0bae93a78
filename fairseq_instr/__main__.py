"""`python -m fairseq_instr SUBCOMMAND`: the same as `fairseq-instr SUBCOMMAND`."""

import sys

from fairseq_instr.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
