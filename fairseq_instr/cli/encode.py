"""Segment raw text into subwords, for fairseq-preprocess.

    fairseq-instr encode --subwords subwords.model --input train.en train.de --output spm
    fairseq-instr encode --subwords subwords.model --input task --output task.spm

Writes files of the same names into another folder; of a folder, the whole tree. In .instr files,
arguments are segmented: begin-with="Heute Abend" becomes begin-with =▁Heute =▁Abend.

fairseq-instr binarise does this and the work of fairseq-preprocess in one step.
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_output, add_subwords, option
from fairseq_instr.curation import encode


def add_arguments(parser) -> None:
    text = "files, plain or .gz, or folders"
    option(parser, "--input", REQUIRED, text, dest="inputs", nargs="+", metavar="PATH")
    add_subwords(parser)
    option(
        parser, "--dictionary", None, "the model's dictionary, or a folder with dict.LANGUAGE.txt: "
        "refuse text if it lacks more than 5 %% of the subwords", metavar="FILE",
    )  # fmt: skip
    text = "ending of the source files; needed for BPE codes and for a folder with source.spm"
    option(parser, "--source-language", None, text, "-s", metavar="CODE")
    text = "ending of the target files; needed together with -s"
    option(parser, "--target-language", None, text, "-t", metavar="CODE")
    add_output(parser)


def run(args):
    for path in encode(**vars(args), show_progress=True):
        print(path)
