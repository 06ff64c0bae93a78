r"""Spell the arguments in an `.instr` file in subwords, as the source text is spelled.

    python scripts/spell_arguments.py --input train.instr --subwords subwords.model \
        --output train.spm.instr

`begin-with="Heute Abend"` becomes `begin-with =▁Heute =▁Abend`, which fairseq-preprocess
--only-source takes as it is; lines without arguments stay as they are.
"""

import argparse

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.instructions.asking import parse_line, spell_line, split
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", required=True, help="instructions of each pair, one line each")
    parser.add_argument("--subwords", required=True, help="SentencePiece model of the source")
    parser.add_argument("--output", required=True, help="file to write")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    args = parser.parse_args()
    subwords = Subwords(args.subwords)
    spelled = []
    for number, line in enumerate(read_lines(args.input), start=1):
        try:
            for request in map(split, parse_line(line)):
                if request.argument is not None:
                    look_up(str(request))  # refuses what is no argument of this instruction
            spelled.append(spell_line(line, subwords.encode))
        except InputError as error:
            raise InputError(f"{args.input}, line {number}: {error}") from None
    write_atomically(args.output, "".join(f"{line}\n" for line in spelled), args.force)
    print(f"{args.output}: {len(spelled)} lines")


if __name__ == "__main__":
    main()
