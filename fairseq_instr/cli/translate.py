r"""Translate raw text under instructions, line by line.

    fairseq-instr translate --instruct "formal, html-bold" < input.en > output.de
    fairseq-instr translate --model tuned.pt --data data-bin --subwords subwords.model \
        --instruct uppercase --input input.en --output output.de

Without --model, a checkout translates with models/en-de-instruct, English to German; an installed
package needs --model. A blank line gives a blank line.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Iterable

from fairseq_instr.cli.options import add_model, flag, option, take

BUFFER_SIZE = 1024


def add_arguments(parser) -> None:
    add_model(parser, "--model")
    text = 'instructions for all lines, such as "formal, html-bold"'
    option(parser, "--instruct", "", text, metavar="NAMES")
    option(parser, "--input", None, "text file, plain or .gz; default: standard input")
    option(parser, "--output", None, "file to write; default: standard output")
    flag(parser, "--force", "overwrite the output")
    option(parser, "--beam", 4, "beam size")
    option(parser, "--batch-size", 64, "lines decoded together")
    option(
        parser, "--buffer-size", None, "lines read before they are translated; default: all of "
        f"--input, {BUFFER_SIZE} of standard input, 1 from a terminal", type=int, metavar="N",
    )  # fmt: skip
    option(
        parser, "--n-best", 0, "write N translations of each line, as LINE<tab>SCORE<tab>TEXT; "
        "the score is the mean natural log-probability of a token. 0 = the best alone",
    )  # fmt: skip
    text = "write the first of the N best translations that obeys the instructions. 0 = off"
    option(parser, "--rerank", 0, text)
    flag(parser, "--allow-unknown", "also translate text that the model's vocabulary can't spell")


def run(args) -> None:
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
        buffer_size=buffer_size if args.buffer_size is None else args.buffer_size,
        **take(args, "instruct model data subwords source target beam batch_size"),
        **take(args, "n_best rerank allow_unknown"),
    )
    with contextlib.ExitStack() as stack:
        out = sys.stdout.buffer
        if args.output is not None:
            temporary = stack.enter_context(atomic_path(args.output, args.force))
            out = stack.enter_context(open(temporary, "wb"))
        for row in rows:
            out.write(f"{row}\n".encode())
            out.flush()
