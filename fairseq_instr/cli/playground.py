r"""Serve a local web page: a sentence, instructions to tick, base and tuned model side by side.

Such as:

    fairseq-instr playground --tuned served
    fairseq-instr playground --tuned tuned.pt --base base.pt --data data-bin \
        --subwords subwords.model

then open http://127.0.0.1:8765. Without --tuned, the page shows the model that comes with
fairseq_instr, if there is one.
"""

from __future__ import annotations

import argparse

from fairseq_instr.text.subwords import SUBWORDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--tuned", help="checkpoint, or folder that `fairseq-instr export` wrote")
    parser.add_argument("--base", help="the model before tuning, to compare with; likewise")
    parser.add_argument("--data", help="data-bin of the checkpoints")
    parser.add_argument("--subwords", help=f"of the checkpoints: {SUBWORDS}")
    parser.add_argument("-s", "--source-lang", help="default: the model's")
    parser.add_argument("-t", "--target-lang", help="default: the model's")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8765, help="default: 8765; 0: any free one")


def run(args: argparse.Namespace) -> None:
    """Serve the page until it is interrupted."""
    from fairseq_instr.playground.server import serve

    serve(
        tuned=args.tuned,
        base=args.base,
        data=args.data,
        subwords=args.subwords,
        source=args.source_lang,
        target=args.target_lang,
        host=args.host,
        port=args.port,
        announce=lambda text: print(text, flush=True),
    )
