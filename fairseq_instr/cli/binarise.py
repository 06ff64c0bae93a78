r"""Write a folder of raw text as a data-bin, or as a group of one, in one process.

    fairseq-instr binarise --input text -s en -t de --subwords subwords.model \
        --dictionary dict.txt --output data-bin
    fairseq-instr binarise --input task -s en -t de --subwords subwords.model \
        --output data-bin/task

The first writes text/{train,valid,test}.{en,de} into a new data-bin with the model's dictionary;
the second what fairseq-instr curate wrote, task/NAME/train.{en,de,instr}, as the group task of
that data-bin, under its dictionaries. Without -t, text of one language, as the group denoise
wants it. The files are those that fairseq-preprocess writes of the same text in subwords.
"""

from __future__ import annotations

from fairseq_instr.cli.encode import add_subwords
from fairseq_instr.curation import binarise


def add_arguments(parser):
    parser.add_argument(
        "--input",
        required=True,
        metavar="FOLDER",
        help="raw text SPLIT.SOURCE, SPLIT.TARGET and SPLIT.instr, or folders of it",
    )
    parser.add_argument("-s", "--source-language", required=True, metavar="CODE", help="e.g. en")
    parser.add_argument("-t", "--target-language", metavar="CODE", help="e.g. de")
    add_subwords(parser)
    parser.add_argument(
        "--dictionary",
        metavar="FILE",
        help="the model's dictionary; not needed where the data-bin has dict.LANGUAGE.txt",
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="data-bin, or a folder in one"
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there")


def run(args):
    done = binarise(
        text=args.input,
        output=args.output,
        subwords=args.subwords,
        source_language=args.source_language,
        target_language=args.target_language,
        dictionary=args.dictionary,
        allow_unknown=args.allow_unknown,
        force=args.force,
        show_progress=True,
    )
    for corpus in done:
        print(f"{corpus.prefix}: {corpus.n_lines} lines, {100 * corpus.unknown:.2f} % unknown")
    names = sorted({name for corpus in done for name in corpus.instructions})
    if names:
        print(f"instructions that the data-bin's instructions.yaml must hold: {' '.join(names)}")
