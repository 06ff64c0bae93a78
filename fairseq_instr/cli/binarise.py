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

from fairseq_instr.cli.options import REQUIRED, add_output, add_subwords, option
from fairseq_instr.curation import binarise


def add_arguments(parser) -> None:
    option(
        parser, "--input", REQUIRED, "raw text SPLIT.SOURCE, SPLIT.TARGET and SPLIT.instr, or "
        "folders of it", dest="text", metavar="FOLDER",
    )  # fmt: skip
    option(parser, "--source-language", REQUIRED, "such as en", "-s", metavar="CODE")
    option(parser, "--target-language", None, "such as de", "-t", metavar="CODE")
    add_subwords(parser)
    text = "the model's dictionary; not needed where the data-bin has dict.LANGUAGE.txt"
    option(parser, "--dictionary", None, text, metavar="FILE")
    add_output(parser, "data-bin, or a folder in one")


def run(args):
    done = binarise(**vars(args), show_progress=True)
    for corpus in done:
        print(f"{corpus.prefix}: {corpus.n_lines} lines, {100 * corpus.unknown:.2f} % unknown")
    names = sorted({name for corpus in done for name in corpus.instructions})
    if names:
        print(f"instructions that the data-bin's instructions.yaml must hold: {' '.join(names)}")
