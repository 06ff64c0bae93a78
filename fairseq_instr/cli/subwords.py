"""Train a SentencePiece model on raw text, and write the fairseq dictionary of its pieces.

    fairseq-instr subwords --input train.en train.de --vocabulary-size 8000 --output subwords

writes subwords.model and, beside it, dict.txt. The model falls back to bytes, so that it can
write what its text lacks, such as the `<` of html-bold. A pretrained model brings its own
subwords: this is for models that are trained from scratch.
"""

from __future__ import annotations

from fairseq_instr.text.subwords import train_on_files


def add_arguments(parser):
    parser.add_argument(
        "--input", required=True, nargs="+", metavar="FILE", help="raw text, plain or .gz"
    )
    parser.add_argument(
        "--vocabulary-size", type=int, default=8000, metavar="N", help="pieces (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument(
        "--output", required=True, metavar="PREFIX", help="writes PREFIX.model and dict.txt"
    )
    parser.add_argument("--force", action="store_true", help="overwrite both files")


def run(args):
    for path in train_on_files(
        inputs=args.input,
        output=args.output,
        vocabulary_size=args.vocabulary_size,
        seed=args.seed,
        force=args.force,
    ):
        print(path)
