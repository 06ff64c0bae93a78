"""`fairseq-instr SUBCOMMAND`: finds the subcommand's module, which is loaded only then.

A subcommand is a module of this folder with a docstring, `add_arguments(parser)`, which declares
its options, and `run(args)`, which calls one function of the package. An option's `dest` is the
name of the function's parameter.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import logging
import os
import sys
from typing import Any, Dict, NoReturn, Optional, Sequence

from fairseq_instr import __version__
from fairseq_instr.errors import InputError, find_input_error

PROGRAM = "fairseq-instr"
GROUPS: Dict[str, Dict[str, str]] = {
    "make training data": {
        "curate": "make task data from parallel text, by rules",
        "label": "make task data from labelled text (formality, gender, terms)",
        "backtranslate": "make synthetic pairs for zero-shot directions",
        "distill": "have a language model rewrite translations under instructions",
        "triples": "import and export task data as JSON lines",
        "general-tasks": "other tasks than translation: train on them, measure models on them",
        "sample": "write the embedded sample corpus, to try a recipe",
        "subwords": "train a SentencePiece model, and write the dictionary of its pieces",
        "encode": "segment raw text, and arguments in .instr files, into subwords",
        "binarise": "make a data-bin, or a group in one, from raw text",
        "inventory": "list the catalogue, or write a data-bin's instructions.yaml",
        "base-rates": "measure how often ordinary references obey each instruction",
    },
    "evaluate models": {
        "evaluate": "measure how models obey instructions, and what they translate",
        "directions": "measure translation directions: off-target ratio, BLEU, chrF2",
        "formality": "measure formality as the IWSLT scorer does",
        "robustness": "attack a model through its source text",
        "report": "put reports on one page",
    },
    "use models": {
        "translate": "translate lines under instructions",
        "playground": "serve a local web page to try a model",
        "export": "export a model to a CTranslate2 folder",
        "interpolate": "mix the weights of a base and a tuned model",
        "convert": "convert models from and to Hugging Face; upgrade old checkpoints",
    },
}
SUBCOMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}
WRONG_USAGE = 2  # exit status after arguments that can't be understood, as argparse has it


class _Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Adds the default to the help of an option that has one."""

    def _get_help_string(self, action: argparse.Action) -> Optional[str]:
        if action.default in (None, "", []) or action.default is False:
            return action.help
        return super()._get_help_string(action)


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options):
        super().__init__(formatter_class=_Help, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def build_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one subcommand."""
    module = _module(name)
    parser = _Parser(
        prog=f"{PROGRAM} {name}",
        # python -OO leaves docstrings out
        description=module.__doc__ or SUBCOMMANDS[name],
    )
    module.add_arguments(parser)
    return parser


def _module(name: str) -> Any:
    return importlib.import_module(f"fairseq_instr.cli.{name.replace('-', '_')}")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a subcommand; a user's error is printed as one line.

    Returns:
        Exit status: 0, or 1 after an error that a user can mend.

    Raises:
        SystemExit: with status 2 if the arguments can't be understood, 0 after `--help`.
    """
    # fairseq would send the debugging output of every library to the screen
    logging.basicConfig(level=logging.WARNING)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    name = _subcommand(arguments[:1])
    try:
        args = build_parser(name).parse_args(arguments[1:])
        _module(name).run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # a disk that is full or read-only
        return _refuse(name, error)
    except ModuleNotFoundError as error:  # installed for serving alone, say
        package = (error.name or "").partition(".")[0]
        if package in ("", "fairseq_instr"):
            raise
        return _refuse(
            name,
            InputError(
                f"the Python package {package} is not installed; `pip install .` in a checkout "
                "installs all that fairseq_instr needs"
            ),
        )
    except Exception as error:  # fairseq wraps what its models raise
        found = find_input_error(error)
        if found is None:
            raise
        return _refuse(name, found)
    return 0


def _subcommand(arguments: Sequence[str]) -> str:
    """The first argument, which names a subcommand; `--help` and `--version` end here."""
    width = max(map(len, SUBCOMMANDS))
    groups = (
        "\n".join([f"{title}:", *(f"  {name:{width}}  {text}" for name, text in group.items())])
        for title, group in GROUPS.items()
    )
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} SUBCOMMAND [OPTION ...]",
        description="Make translation models follow instructions.\n\n" + "\n\n".join(groups),
        epilog=f"`{PROGRAM} SUBCOMMAND --help` lists the options of a subcommand.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("subcommand", metavar="SUBCOMMAND", help=argparse.SUPPRESS)
    name = parser.parse_args(arguments).subcommand
    if name not in SUBCOMMANDS:
        near = difflib.get_close_matches(name, SUBCOMMANDS, n=1)
        hint = f", did you mean {near[0]}" if near else ""
        parser.error(f"unknown subcommand {name!r:.80}{hint}")
    return name


def _refuse(name: str, error: Exception) -> int:
    print(f"{PROGRAM} {name}: error: {InputError(error)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
