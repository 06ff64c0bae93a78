r"""Translate lines under instructions: raw text in, one translation a line out.

Such as:

    fairseq-instr translate --instruct "formal, html-bold" < input.en > output.de
    fairseq-instr translate --model tuned.pt --data data-bin --subwords subwords.model \
        --instruct uppercase --input input.en --output output.de

Without --model, the model that comes with fairseq_instr translates, if there is one. A blank line
gives a blank line.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import Iterable

from fairseq_instr.text.subwords import SUBWORDS

BUFFER_SIZE = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--model", help="checkpoint, or folder that `fairseq-instr export` wrote")
    parser.add_argument("--data", help="data-bin of a checkpoint")
    parser.add_argument("--subwords", help=f"of a checkpoint: {SUBWORDS}")
    parser.add_argument("-s", "--source-lang", help="default: the model's")
    parser.add_argument("-t", "--target-lang", help="default: the model's")
    parser.add_argument(
        "--instruct", default="", help='instructions for all lines, such as "formal, html-bold"'
    )
    parser.add_argument("--input", help="text file, plain or .gz; default: standard input")
    parser.add_argument("--output", help="file to write; default: standard output")
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    parser.add_argument("--beam", type=int, default=4, help="beam size; default: 4")
    parser.add_argument(
        "--batch-size", type=int, default=64, help="lines decoded together; default: 64"
    )
    parser.add_argument(
        "--buffer-size",
        type=int,
        help="lines read before they are translated; default: all of --input, "
        f"{BUFFER_SIZE} of standard input, 1 from a terminal",
    )
    parser.add_argument(
        "--n-best",
        type=int,
        default=0,
        metavar="N",
        help="write N translations of each line, as LINE<tab>SCORE<tab>TEXT; the score is the "
        "natural log-probability of a token",
    )
    parser.add_argument(
        "--rerank",
        type=int,
        default=0,
        metavar="N",
        help="of the N best translations, write the first that obeys the instructions",
    )
    parser.add_argument(
        "--allow-unknown",
        action="store_true",
        help="also translate text that the model's vocabulary can't spell",
    )


def run(args: argparse.Namespace) -> None:
    """Write translations until the input ends."""
    from fairseq_instr.files import atomic_path
    from fairseq_instr.serving.stream import translate_stream
    from fairseq_instr.text.lines import read_lines, stream_lines

    lines: Iterable[str]
    if args.input is None:
        lines = stream_lines(sys.stdin.buffer, "standard input")
        buffer_size = 1 if sys.stdin.isatty() else BUFFER_SIZE
    else:
        lines = text = read_lines(args.input)
        buffer_size = max(len(text), 1)
    rows = translate_stream(
        lines=lines,
        instruct=args.instruct,
        model=args.model,
        data=args.data,
        subwords=args.subwords,
        source=args.source_lang,
        target=args.target_lang,
        beam=args.beam,
        batch_size=args.batch_size,
        buffer_size=buffer_size if args.buffer_size is None else args.buffer_size,
        n_best=args.n_best,
        rerank=args.rerank,
        allow_unknown=args.allow_unknown,
    )
    with contextlib.ExitStack() as stack:
        out = sys.stdout.buffer
        if args.output is not None:
            temporary = stack.enter_context(atomic_path(args.output, args.force))
            out = stack.enter_context(open(temporary, "wb"))
        for row in rows:
            out.write(f"{row}\n".encode())
            out.flush()
