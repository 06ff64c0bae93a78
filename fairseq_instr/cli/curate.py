r"""Make task data for instructions from parallel text, by the rules of the catalogue.

    fairseq-instr curate --source train.en.gz --target train.de.gz -s en -t de \
        --instructions uppercase,html-bold --samples 1000 \
        --subwords subwords.model --dictionary dict.de.txt --output task

Writes raw text, task/NAME/train.{en,de,instr}, for each instruction. task/data_card.{md,json} says
what was kept, what was rejected and why. The next step is fairseq-instr binarise.

The text may be of any size. A run that was interrupted goes on when it is started again. Samples
are written when all of the text was read.

Every named instruction must have samples, and the vocabulary must be able to write 95 % of its
targets; otherwise nothing is written. Run again without that instruction: the text is not read
again. With --instructions all, such instructions are left out, and the data card says why.

To add instructions later, curate them into another folder, and binarise that into the same group.

On several machines, each reads a share of the text, in any order. --merge then writes the samples
of all shares, which are those of a single run:

    fairseq-instr curate ... --output task --shard 3/16
    fairseq-instr curate ... --output task --merge
"""

from __future__ import annotations

from fairseq_instr.cli.options import (
    REQUIRED,
    TEXT,
    add_checks,
    add_output,
    add_text,
    checks,
    flag,
    option,
    parse_samples,
    take,
)
from fairseq_instr.curation import curate, data_card
from fairseq_instr.curation.formats import MARKS
from fairseq_instr.curation.from_parallel import ALL
from fairseq_instr.curation.shards import parse_shard
from fairseq_instr.instructions.asking import parse, parse_line
from fairseq_instr.instructions.catalogue import find


def add_arguments(parser) -> None:
    add_text(parser)
    text = f"separated by commas or blanks; {ALL}: every instruction that this text has samples of"
    option(parser, "--instructions", REQUIRED, text, metavar="NAMES")
    text = "samples of each instruction, at most; 1000,uppercase:5000 gives one its own limit"
    option(parser, "--samples", "1000", text, metavar="N")
    option(parser, "--seed", 1, "random seed: which pairs become samples, and their formats")
    option(
        parser, "--formatted", 0.0, "share of the pairs whose source and target both carry a "
        "format, such as quotation marks, so that the model learns to obey several instructions "
        "at once; some of these pairs have no instruction and go to OUTPUT/formatted. 0 = off",
        metavar="SHARE",
    )  # fmt: skip
    text = "axes of these formats, separated by commas or blanks"
    option(parser, "--format-axes", ",".join(MARKS), text, metavar="AXES")
    add_checks(parser)
    flag(parser, "--skip-invalid", "skip and count lines that are not UTF-8")
    option(parser, "--shard", None, "read the I-th of N shares of the text", metavar="I/N")
    flag(parser, "--merge", "write the samples of all shards in --output")
    add_output(parser, force="overwrite the output, and begin anew")


def run(args):
    n_samples, n_samples_of = parse_samples(args.samples)
    card = curate(
        instructions=ALL if args.instructions.strip() == ALL else parse(args.instructions, find),
        n_samples=n_samples,
        n_samples_of=n_samples_of,
        format_axes=parse_line(args.format_axes),
        checks=checks(args),
        shard=parse_shard(args.shard) if args.shard else None,
        show_progress=True,
        **take(args, TEXT + " output seed formatted skip_invalid merge force"),
    )
    if card is None:
        print(f"{args.output}: shard {args.shard} is read; run the others, then --merge")
    else:
        print("\n".join(data_card.summary(card)))
