r"""Make a data-bin, or a group in one, from a folder of raw text.

    fairseq-instr binarise --input text -s en -t de --subwords subwords.model \
        --dictionary dict.txt --output data-bin
    fairseq-instr binarise --input task -s en -t de --subwords subwords.model \
        --output data-bin/task

The first command reads text/{train,valid,test}.{en,de} and writes a new data-bin with the model's
dictionary. The second reads the output of fairseq-instr curate, task/NAME/train.{en,de,instr}, and
writes the group task of that data-bin, with its dictionaries. Without -t, the text has one
language, as the group denoise needs it.

The files are those of fairseq-instr encode and fairseq-preprocess.
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
    text = "the model's dictionary; not needed if the data-bin has dict.LANGUAGE.txt"
    option(parser, "--dictionary", None, text, metavar="FILE")
    add_output(parser, "data-bin, or a folder in one")


def run(args):
    done = binarise(**vars(args), show_progress=True)
    for corpus in done:
        print(f"{corpus.prefix}: {corpus.n_lines} lines, {100 * corpus.unknown:.2f} % unknown")
    names = sorted({name for corpus in done for name in corpus.instructions})
    if names:
        print(f"instructions that the data-bin's instructions.yaml must hold: {' '.join(names)}")
