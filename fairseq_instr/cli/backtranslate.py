r"""Make synthetic pairs for zero-shot directions with the model itself.

    fairseq-instr backtranslate --text text/train.{pair} --pairs en-it,en-nl,en-ro \
        --model stage1.pt --data data-bin --subwords subwords.model \
        --lines 20000 --output synthetic

Translates the English side of the pairs en-nl into Italian. The result is pairs for it-nl, with
synthetic Italian and real Dutch. Each direction becomes a corpus, such as
synthetic/it-nl/train.{it,nl,instr}, for fairseq-instr binarise and the group backtranslate.
synthetic/backtranslation.json says what was translated, and what was left out and why.

A folder that fairseq-instr export wrote translates several times faster than a checkpoint. It needs
neither --data nor --subwords.

A run that was stopped or killed goes on when it is started again. Several processes or machines
each translate a share, and a last run without --shard writes the pairs of all shares:

    fairseq-instr backtranslate ... --output synthetic --shard 1/2
    fairseq-instr backtranslate ... --output synthetic --shard 2/2
    fairseq-instr backtranslate ... --output synthetic
"""

from __future__ import annotations

from fairseq_instr.cli.options import REQUIRED, add_output, add_pair_filters, flag, option, take
from fairseq_instr.curation import Checks
from fairseq_instr.curation.backtranslation import MAX_LENGTH_RATIO, backtranslate, summary
from fairseq_instr.curation.shards import parse_shard
from fairseq_instr.text.pairs import parse_pairs
from fairseq_instr.text.subwords import SUBWORDS


def add_arguments(parser) -> None:
    option(
        parser, "--text", REQUIRED, "training text, raw: prefix of .SOURCE and .TARGET, plain or "
        ".gz; {pair} in it stands for SOURCE-TARGET", metavar="PREFIX",
    )  # fmt: skip
    text = "pairs of the text, such as en-it,en-nl; their common source language is translated"
    option(parser, "--pairs", REQUIRED, text, metavar="PAIRS")
    text = "directions to make pairs for; default: all between the targets of --pairs"
    option(parser, "--directions", None, text, metavar="PAIRS")
    text = "lines to translate for each direction, at most"
    option(parser, "--lines", 20000, text, dest="n_lines")
    option(parser, "--seed", 1, "random seed: which lines are translated")
    text = "checkpoint, or folder that `fairseq-instr export` wrote"
    option(parser, "--model", REQUIRED, text, metavar="MODEL")
    option(parser, "--data", None, "data-bin of a checkpoint")
    option(parser, "--subwords", None, f"of a checkpoint: {SUBWORDS}", metavar="MODEL")
    option(parser, "--beam", 4, "beam size; 1 is fastest")
    option(parser, "--batch-size", 64, "lines decoded together")
    add_pair_filters(parser, MAX_LENGTH_RATIO)
    flag(
        parser, "--any-language", "also keep pairs with a side that langid takes for another "
        "language of the pairs",
    )  # fmt: skip
    option(parser, "--shard", None, "translate the I-th of N shares alone", metavar="I/N")
    add_output(parser, force="overwrite the output, and begin anew")


def run(args):
    card = backtranslate(
        pairs=parse_pairs(args.pairs, "--pairs"),
        directions=parse_pairs(args.directions, "--directions"),
        checks=Checks(
            **take(args, "max_length_ratio exclude"), identify_language=not args.any_language
        ),
        shard=parse_shard(args.shard) if args.shard else None,
        show_progress=True,
        **take(args, "text output model data subwords n_lines seed beam batch_size force"),
    )
    if card is None:
        print(f"{args.output}: shard {args.shard} is translated; then run without --shard")
    else:
        print("\n".join(summary(card)))
