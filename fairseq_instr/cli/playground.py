r"""Serve a local web page: a sentence, instructions to tick, base and tuned model side by side.

    fairseq-instr playground --tuned served
    fairseq-instr playground --tuned tuned.pt --base base.pt --data data-bin \
        --subwords subwords.model

Then open http://127.0.0.1:8765. Without --tuned, a checkout shows models/en-de-instruct, English to
German; an installed package needs --tuned.
"""

from __future__ import annotations

from fairseq_instr.cli.options import add_model, option


def add_arguments(parser) -> None:
    add_model(parser)
    text = "the model before tuning, to compare with: checkpoint or exported folder"
    option(parser, "--base", None, text)
    option(parser, "--host", "127.0.0.1", "address to listen on")
    option(parser, "--port", 8765, "port to listen on; 0 = any free port")


def run(args) -> None:
    from fairseq_instr.playground.server import serve

    serve(**vars(args), announce=lambda text: print(text, flush=True))
