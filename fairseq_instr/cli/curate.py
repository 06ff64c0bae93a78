r"""Make task data for instructions from parallel text, by the rules of the catalogue.

    fairseq-instr curate --source train.en.gz --target train.de.gz -s en -t de \
        --instructions uppercase,html-bold --samples 1000 \
        --subwords subwords.model --dictionary dict.de.txt --output task

writes task/NAME/train.{en,de,instr} for each instruction, raw text, and task/data_card.{md,json}
with what was kept, what was rejected and why. The next step is fairseq-instr binarise.

The text may be of any size; a run that was interrupted goes on when it is started again. Samples
appear when all of the text was read. An instruction that is named and has no samples is an error
before any file appears: run again without it, which reads nothing again. With
--instructions all, it is left out and the data card says why.

On several machines, each takes its share, in any order, and the last step adds them up; the
samples are those of a single run:

    fairseq-instr curate ... --output task --shard 3/16
    fairseq-instr curate ... --output task --merge
"""

from __future__ import annotations

from fairseq_instr.cli.curation_options import (
    add_checks,
    add_output,
    add_text,
    checks,
    parse_samples,
)
from fairseq_instr.curation import curate, data_card
from fairseq_instr.curation.formats import MARKS
from fairseq_instr.curation.from_parallel import ALL
from fairseq_instr.curation.shards import parse_shard
from fairseq_instr.instructions.asking import parse


def add_arguments(parser):
    add_text(parser)
    parser.add_argument(
        "--instructions",
        required=True,
        metavar="NAMES",
        help=f"separated by commas; {ALL}: all that this text has samples of",
    )
    parser.add_argument(
        "--samples",
        default="1000",
        metavar="N",
        help="most of an instruction; of single ones by name: 1000,uppercase:5000 (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all choices (%(default)s)")
    parser.add_argument(
        "--formatted",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the pairs whose source and target both carry a format, such as quotation "
        "marks, so that the model learns to obey several instructions at once; some of them ask "
        "for nothing and go to OUTPUT/formatted. 0 = off",
    )
    parser.add_argument(
        "--format-axes",
        default=",".join(MARKS),
        metavar="AXES",
        help="axes of these formats, separated by commas (%(default)s)",
    )
    add_checks(parser)
    parser.add_argument(
        "--skip-invalid", action="store_true", help="skip and count lines that are not UTF-8"
    )
    parser.add_argument("--shard", metavar="I/N", help="read the I-th of N shares of the text")
    parser.add_argument("--merge", action="store_true", help="add up all shards in --output")
    add_output(parser, "overwrite what is there, and begin anew")


def run(args):
    n_samples, n_samples_of = parse_samples(args.samples)
    card = curate(
        source=args.source,
        target=args.target,
        source_language=args.source_language,
        target_language=args.target_language,
        instructions=ALL if args.instructions.strip() == ALL else parse(args.instructions),
        output=args.output,
        n_samples=n_samples,
        n_samples_of=n_samples_of,
        seed=args.seed,
        formatted=args.formatted,
        format_axes=parse(args.format_axes),
        checks=checks(args),
        skip_invalid=args.skip_invalid,
        shard=parse_shard(args.shard) if args.shard else None,
        merge=args.merge,
        force=args.force,
        show_progress=True,
    )
    if card is None:
        print(f"{args.output}: shard {args.shard} is read; run the others, then --merge")
    else:
        print("\n".join(data_card.summary(card)))
