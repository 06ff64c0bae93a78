"""Spell raw text in subwords, for fairseq-preprocess.

    fairseq-instr encode --subwords subwords.model --input train.en train.de --output spm
    fairseq-instr encode --subwords subwords.model --input task --output task.spm

writes the files under the same names into another folder; of a folder, the whole tree. In .instr
files the arguments are spelled: begin-with="Heute Abend" becomes begin-with =▁Heute =▁Abend.

fairseq-instr binarise does this step and fairseq-preprocess's in one.
"""

from __future__ import annotations

from fairseq_instr.curation import encode
from fairseq_instr.text.subwords import SUBWORDS


def add_arguments(parser):
    parser.add_argument(
        "--input", required=True, nargs="+", metavar="PATH", help="files, plain or .gz, or folders"
    )
    add_subwords(parser)
    parser.add_argument(
        "-s", "--source-language", metavar="CODE",
        help="ending of the source files; BPE codes need it, and folders with source.spm",
    )  # fmt: skip
    parser.add_argument(
        "-t", "--target-language", metavar="CODE", help="ending of the target files, like -s"
    )
    parser.add_argument(
        "--dictionary",
        metavar="FILE",
        help="the model's dictionary, or a folder with dict.LANGUAGE.txt: refuse text of which it "
        "lacks more than 5 %% of the subwords",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument("--force", action="store_true", help="overwrite what is there")


def add_subwords(parser):
    parser.add_argument(
        "--subwords",
        required=True,
        metavar="MODEL",
        help=SUBWORDS,
    )
    parser.add_argument(
        "--allow-unknown", action="store_true", help="accept subwords that the dictionary lacks"
    )


def run(args):
    for path in encode(
        inputs=args.input,
        output=args.output,
        subwords=args.subwords,
        dictionary=args.dictionary,
        source_language=args.source_language,
        target_language=args.target_language,
        allow_unknown=args.allow_unknown,
        force=args.force,
        show_progress=True,
    ):
        print(path)
