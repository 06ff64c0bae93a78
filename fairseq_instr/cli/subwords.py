"""Train a SentencePiece model on raw text, and write the fairseq dictionary of its pieces.

    fairseq-instr subwords --input train.en train.de --vocabulary-size 8000 --output subwords

Writes subwords.model and, beside it, dict.txt. The model falls back to bytes, so that it can
write characters that its text lacks, such as the `<` of html-bold. Use this for models that are
trained from scratch; a pretrained model has its own subwords.
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_output, option
from fairseq_instr.text.subwords import train_on_files


def add_arguments(parser) -> None:
    text = "raw text, plain or .gz"
    option(parser, "--input", REQUIRED, text, dest="inputs", nargs="+", metavar="FILE")
    option(parser, "--vocabulary-size", 8000, "number of pieces")
    option(parser, "--seed", 1, "random seed: which lines are read of a very large text")
    add_output(parser, "prefix: writes PREFIX.model, and dict.txt beside it")


def run(args):
    for path in train_on_files(**vars(args)):
        print(path)
