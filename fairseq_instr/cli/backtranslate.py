r"""Make synthetic pairs for zero-shot directions, by the model itself.

    fairseq-instr backtranslate --text text/train.{pair} --pairs en-it,en-nl,en-ro \
        --model stage1.pt --data data-bin --subwords subwords.model \
        --lines 20000 --output synthetic

translates the English side of the pairs en-nl into Italian, which gives pairs for it-nl: synthetic
Italian and real Dutch. Each direction becomes a corpus, synthetic/it-nl/train.{it,nl,instr}, for
fairseq-instr binarise and the group backtranslate. synthetic/backtranslation.json says what it
was made from, and what was left out and why. A folder that fairseq-instr export wrote translates
many times faster than a checkpoint; it needs neither --data nor --subwords.

A run that was stopped or killed goes on when it is started again. Several processes or machines
each take a share, and a last run without --shard adds them up:

    fairseq-instr backtranslate ... --output synthetic --shard 1/2
    fairseq-instr backtranslate ... --output synthetic --shard 2/2
    fairseq-instr backtranslate ... --output synthetic
"""

from __future__ import annotations

from fairseq_instr.cli.curation_options import add_output
from fairseq_instr.curation import Checks
from fairseq_instr.curation.backtranslation import MAX_LENGTH_RATIO, backtranslate, summary
from fairseq_instr.curation.shards import parse_shard
from fairseq_instr.text.pairs import parse_pairs


def add_arguments(parser):
    parser.add_argument(
        "--text",
        required=True,
        metavar="PREFIX",
        help="training text, raw: prefix of .SOURCE and .TARGET, plain or .gz; {pair} in it "
        "stands for SOURCE-TARGET",
    )
    parser.add_argument(
        "--pairs",
        required=True,
        metavar="PAIRS",
        help="pairs of the text, such as en-it,en-nl; their one source language is translated",
    )
    parser.add_argument(
        "--directions",
        metavar="PAIRS",
        help="directions to make pairs for; default: all between the targets of --pairs",
    )
    parser.add_argument(
        "--lines",
        type=int,
        default=20000,
        metavar="N",
        help="most lines to translate for a direction (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the choice of lines (%(default)s)")
    model = parser.add_argument_group("the model")
    model.add_argument(
        "--model", required=True, help="checkpoint, or folder that fairseq-instr export wrote"
    )
    model.add_argument("--data", help="data-bin of a checkpoint")
    model.add_argument("--subwords", help="SentencePiece model of a checkpoint")
    model.add_argument("--beam", type=int, default=4, help="beam size; 1 is fastest (%(default)s)")
    model.add_argument(
        "--batch-size", type=int, default=64, help="lines decoded together (%(default)s)"
    )
    checks = parser.add_argument_group("which pairs are kept")
    checks.add_argument(
        "--max-length-ratio",
        type=float,
        default=MAX_LENGTH_RATIO,
        metavar="RATIO",
        help="leave out pairs with a side longer than RATIO times the other, 15 characters added "
        "to both (%(default)s)",
    )
    checks.add_argument(
        "--exclude",
        nargs="*",
        default=[],
        metavar="FILE",
        help="test sets: leave out pairs with a side that stands in one; case, spaces and "
        "punctuation don't count",
    )
    checks.add_argument(
        "--any-language",
        action="store_true",
        help="keep pairs with a side that langid takes for another language of the pairs, too",
    )
    parser.add_argument("--shard", metavar="I/N", help="translate the I-th of N shares, no more")
    add_output(parser, "overwrite what is there, and begin anew")


def run(args):
    card = backtranslate(
        text=args.text,
        pairs=parse_pairs(args.pairs, "--pairs"),
        output=args.output,
        model=args.model,
        data=args.data,
        subwords=args.subwords,
        directions=parse_pairs(args.directions, "--directions"),
        n_lines=args.lines,
        seed=args.seed,
        beam=args.beam,
        batch_size=args.batch_size,
        checks=Checks(
            max_length_ratio=args.max_length_ratio,
            exclude=args.exclude,
            identify_language=not args.any_language,
        ),
        shard=parse_shard(args.shard) if args.shard else None,
        force=args.force,
        show_progress=True,
    )
    if card is None:
        print(f"{args.output}: shard {args.shard} is translated; then run without --shard")
    else:
        print("\n".join(summary(card)))
