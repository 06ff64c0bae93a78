r"""The command that starts the playground.

Such as:

    fairseq-instr-playground --base base.pt --tuned tuned.pt --data data-bin \
        --subwords subwords.model

then open http://127.0.0.1:8765. A model may also be a folder that
`scripts/export_ctranslate2.py` wrote, which needs no --data and no --subwords.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fairseq_instr.errors import InputError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
WILDCARDS = ("0.0.0.0", "::", "")


def main(arguments=None) -> None:
    """Console script."""
    args = _parser().parse_args(arguments)
    serve(*make_server(args))


def make_server(args):
    """Load the models and bind the port.

    Returns:
        (waitress server, address to show)

    Raises:
        InputError: if a model can't be loaded, or the port can't be taken.
    """
    try:
        import waitress

        from fairseq_instr.playground.app import MAX_BODY, System, create_app
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed; run: pip install 'fairseq-instr[playground]'"
        ) from None
    if not 0 <= args.port < 65536:
        raise InputError(f"--port {args.port} is not accepted; give 0 (any free one) to 65535")
    systems = {}
    if args.base:
        systems["base"] = System(_load(args.base, args), asked=False)
    systems["tuned"] = System(_load(args.tuned, args), asked=True)
    # under a wildcard the names of the machine are not known
    hosts = None if args.host in WILDCARDS else LOOPBACK | {args.host}
    app = create_app(systems, _language(systems["tuned"].translator), hosts)
    try:
        server = waitress.create_server(
            app, host=args.host, port=args.port, threads=4, max_request_body_size=MAX_BODY
        )
    except OSError as error:
        raise InputError(
            f"--host {args.host} --port {args.port} can't be used: {error.strerror}; give another"
        ) from None
    port = server.effective_port
    shown = f"[{args.host}]" if ":" in args.host else args.host
    return server, f"http://{shown}:{port}"


def serve(server, address: str) -> None:
    """Answer requests until interrupted."""
    print(f"playground: {address} (stop it with Ctrl-C)", flush=True)
    host = server.effective_host
    if host not in LOOPBACK:
        print(
            f"playground: {host} is not loopback: whoever reaches it can use the models",
            file=sys.stderr,
        )
    try:
        server.run()
    finally:
        server.close()


def _load(path: str, args):
    if Path(path).is_dir():
        from fairseq_instr.serving.translator import CTranslate2Translator

        return CTranslate2Translator.from_pretrained(path, target=args.target_lang)
    from fairseq_instr.generation.translator import Translator

    if not args.data:
        raise InputError(f"{path} is a checkpoint: give its data-bin by --data")
    return Translator.from_pretrained(
        path, args.data, args.subwords, args.source_lang, args.target_lang
    )


def _language(translator) -> str:
    """Target language of either kind of translator."""
    settings = getattr(translator, "settings", None)
    return settings.target if settings is not None else translator.task.cfg.target_lang


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fairseq-instr-playground",
        description="A local web page: base and tuned model under instructions, side by side.",
    )
    parser.add_argument("--tuned", required=True, help="checkpoint, or exported folder")
    parser.add_argument("--base", help="checkpoint or exported folder of the model before tuning")
    parser.add_argument("--data", help="data-bin of the checkpoints")
    parser.add_argument("--subwords", help="SentencePiece model of the checkpoints")
    parser.add_argument("-s", "--source-lang", help="default: the checkpoint's")
    parser.add_argument("-t", "--target-lang", help="default: the model's")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8765, help="0 for any free one")
    return parser


if __name__ == "__main__":
    main()
