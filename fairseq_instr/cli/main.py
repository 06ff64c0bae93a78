"""`fairseq-instr SUBCOMMAND`: finds the subcommand's module, which is loaded only then.

A subcommand is a module of this folder with a docstring, `add_arguments(parser)`, which declares
its options, and `run(args)`, which calls one function of the package.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from typing import Optional, Sequence

from fairseq_instr import __version__
from fairseq_instr.errors import InputError

PROGRAM = "fairseq-instr"
SUBCOMMANDS = {
    "curate": "make task data from parallel text, by rules",
    "label": "make task data from labelled text (formality, gender, terms)",
    "distill": "have a language model rewrite translations under instructions",
    "triples": "take task data in and out as JSON lines",
    "general-tasks": "write other tasks than translation as a group of the mixture",
    "subwords": "train a SentencePiece model, and write the dictionary of its pieces",
    "encode": "spell raw text, and arguments in .instr files, in subwords",
    "binarise": "write a folder of raw text as a data-bin, in one process",
    "inventory": "list the catalogue, or write a data-bin's instructions.yaml",
    "base-rates": "measure how often plain references obey each instruction",
    "evaluate": "measure how models obey instructions, and what they translate",
    "directions": "measure translation directions: off-target ratio, BLEU, chrF2",
    "formality": "measure formality as the IWSLT scorer counts it",
    "robustness": "attack a model through its source text",
    "report": "put reports on one page",
    "interpolate": "mix the weights of a base and a tuned model",
    "convert": "convert checkpoints from and to Hugging Face",
    "export": "export a model to a CTranslate2 folder",
    "playground": "serve a local web page to try a model",
}


def build_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one subcommand."""
    module = importlib.import_module(f"fairseq_instr.cli.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {name}",
        description=module.__doc__ or SUBCOMMANDS[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a subcommand; a user's error is printed as one line.

    Returns:
        exit status: 0, or 1 after an error that a user can mend.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    width = max(map(len, SUBCOMMANDS))
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Make translation models follow instructions.",
        epilog="subcommands:\n"
        + "".join(f"  {name:{width}}  {text}\n" for name, text in SUBCOMMANDS.items())
        + f"\n{PROGRAM} SUBCOMMAND --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("subcommand", choices=SUBCOMMANDS, metavar="SUBCOMMAND")
    name = parser.parse_args(arguments[:1]).subcommand
    try:
        args = build_parser(name).parse_args(arguments[1:])
        # importing fairseq turns on the debugging output of every library
        logging.getLogger().setLevel(logging.WARNING)
        args.run(args)
    except InputError as error:
        print(f"{PROGRAM} {name}: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a disk that is full or read-only
        print(f"{PROGRAM} {name}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
